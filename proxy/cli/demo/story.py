"""Stories in the traffic: calls that follow from one another, since each needs what those before have made."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from string import Template as Text
from typing import TypeAlias

from proxy.cli.demo.material import Story, Teller, Template
from proxy.mapping.api import CompiledMapping
from proxy.wire.target import parameters, split


@dataclass(frozen=True)
class Outgoing:
    """A call with everything filled in; `caller` is its user name, sent only with `credential`."""

    caller: str
    template: Template
    target: str
    body: bytes
    credential: bool = True


Calls: TypeAlias = Generator[Outgoing, bytes | None, None]
"""One call after the other, each for the answer to the one before: None unless it made something."""


def told(story: Story, caller: str, names: Mapping[str, str]) -> Calls:
    """The story once.

    `names` are those that the story begins with. It ends early where nothing was made that others need.
    """
    known = dict(names)
    for step in story.steps:
        target, body = Text(step.target).substitute(known), Text(step.body).substitute(known)
        made = yield Outgoing(caller, step, target, body.encode())
        if step.learn:
            try:
                answer = json.loads(made or b"")
                known |= {step.learn: answer[story.ref], f"{step.learn}_href": answer[story.link]}
            except (ValueError, KeyError, TypeError):
                return


def stage_of(story: Story, teller: Teller, mapping: CompiledMapping) -> str:
    """The stage at which the teller can tell it with this mapping."""
    return teller.stage if all(_mapped(step, mapping) for step in story.steps) else teller.before


def _mapped(step: Template, mapping: CompiledMapping) -> bool:
    path, query = split(re.sub(r"\$\w+", "x", step.target).encode())
    found = mapping.paths.match(path)
    endpoint = found[0].get(step.method) if found else None
    return endpoint is not None and endpoint.covers(parameters(query or b""))
