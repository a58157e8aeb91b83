"""What the demo sends: texts that lie beside the emulator, since they speak the platform's language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

_FOLDER = files("proxy.emulator") / "material"


@dataclass(frozen=True)
class Example:
    """One command of the platform's documents; `text` is as a shell takes it, but for what stands in `<…>`."""

    title: str
    text: str


@dataclass(frozen=True)
class Examples:
    """The commands in their order, and what has to be there before: the refs to give out, and an order, made by `before`."""

    examples: Sequence[Example]
    refs: Sequence[str]
    before: str


@dataclass(frozen=True)
class Template:
    """A call of the traffic; `target` and `body` hold `$names`. `type` is empty where nothing is sent.

    In a story, `learn` names what the call makes.
    """

    name: str
    method: str
    target: str
    type: str = ""
    body: str = ""
    learn: str = ""


@dataclass(frozen=True)
class TrafficCaller:
    """One caller of the traffic: its stage, how much of the traffic is its own, and how often it makes which call."""

    name: str
    stage: str
    calls: Mapping[str, int]
    weight: int = 4
    credential: bool = True


@dataclass(frozen=True)
class Teller:
    """Who tells a story, at which stage; `before` is the stage until the mapping covers every step."""

    name: str
    stage: str
    before: str


@dataclass(frozen=True)
class Story:
    """Calls that follow from one another; `ref` and `link` are the members of an answer that name what was made."""

    ref: str
    link: str
    tellers: Sequence[Teller]
    steps: Sequence[Template]


@dataclass(frozen=True)
class Traffic:
    """What the traffic is made of; `misbehaviour` is by version, in the emulator's words."""

    learn: str
    choices: Mapping[str, Sequence[str]]
    templates: Mapping[str, Template]
    callers: Sequence[TrafficCaller]
    misbehaviour: Mapping[str, Mapping[str, float]]
    stories: Sequence[Story] = ()


@dataclass(frozen=True)
class Rollout:
    """Whose calls of which endpoints move, to which share in the canary, and how v2.1 breaks, in the emulator's words."""

    endpoint: str
    percent: int
    caller: TrafficCaller
    broken: Mapping[str, float | str]


def read_examples() -> Examples:
    """The platform's own examples."""
    table = _toml("examples.toml")
    return Examples(
        examples=[Example(one["title"], _text(one["file"])) for one in table["example"]],
        refs=table["refs"],
        before=_text(table["before"]),
    )


def read_traffic() -> Traffic:
    """The material of the traffic."""
    table = _toml("traffic.toml")
    return Traffic(
        learn=table["learn"],
        choices=table["choices"],
        templates={one["name"]: Template(**one) for one in table["call"]},
        callers=[TrafficCaller(**one) for one in table["caller"]],
        misbehaviour=table["misbehaviour"],
        stories=[_story(name) for name in table["stories"]],
    )


def read_rollout() -> Rollout:
    """The material of the way through the stages."""
    table = _toml("rollout.toml")
    caller = TrafficCaller(**table["caller"])
    return Rollout(table["endpoint"], table["percent"], caller, table["broken"])


def _story(name: str) -> Story:
    table = _toml(name)
    return Story(
        ref=table["ref"],
        link=table["link"],
        tellers=[Teller(**one) for one in table["caller"]],
        steps=[Template(**one) for one in table["step"]],
    )


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads(_text(name))


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
