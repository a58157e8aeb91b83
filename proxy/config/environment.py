"""`CROSSFADE__SECTION__KEY=value`: what the environment lays over the file.

The value of a key that takes text is taken as it stands; any other is read as JSON (`8080`, `true`,
`["a", "b"]`). A list is replaced as a whole. Unknown names are findings, as they are in the file: a typing
error must not pass for a setting.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_origin

from pydantic import BaseModel, SecretStr

from proxy.config.model import Config
from proxy.config.places import did_you_mean, leaves, place_of, quoted
from proxy.config.shape import bare, section_of

PREFIX = "CROSSFADE__"
_SEPARATOR = "__"
_TEXT = (str, Path, SecretStr, date)


class _NotAKeyError(Exception):
    """The variable's name leads to no key; the text says what is wrong with it."""


def overlay(tree: dict[str, Any], environ: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Lay the environment over a tree, in place; gives the origin of each place so set, and what is wrong."""
    origins: dict[str, str] = {}
    findings: list[str] = []
    for name in sorted(name for name in environ if name.startswith(PREFIX)):
        steps = name.removeprefix(PREFIX).lower().split(_SEPARATOR)
        try:
            annotation = _annotation(steps)
            value = _decoded(environ[name], annotation)
            _put(tree, steps, value)
        except _NotAKeyError as problem:
            findings.append(f"environment: {name}: {problem}")
            continue
        origins |= {place_of(steps): name} | {place: name for place, _ in leaves(value, tuple(steps))}
    return origins, findings


def _annotation(steps: list[str]) -> object:
    section: type[BaseModel] = Config
    for number, step in enumerate(steps):
        if step not in section.model_fields:
            hint = did_you_mean(step, section.model_fields)
            raise _NotAKeyError(f"no key {quoted(step)}; {hint}; correct the name or remove the variable")
        annotation = section.model_fields[step].annotation
        rest = steps[number + 1 :]
        kind = bare(annotation)
        if get_origin(kind) is dict and len(rest) == 1 and rest[0]:
            return object
        inner = section_of(kind) if isinstance(kind, type) else None
        if inner is None and not rest:
            return annotation
        if inner is None:
            raise _NotAKeyError(f"{quoted(step)} has no keys below it; set {_name(steps[: number + 1])}")
        section = inner
    example = next(iter(section.model_fields))
    raise _NotAKeyError(f"names a section; set one of its keys, such as {_name([*steps, example])}")


def _name(steps: list[str]) -> str:
    return PREFIX + _SEPARATOR.join(steps).upper()


def _decoded(text: str, annotation: object) -> object:
    kind = bare(annotation)
    if get_origin(kind) is Literal or (isinstance(kind, type) and issubclass(kind, _TEXT)):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _put(tree: dict[str, Any], steps: list[str], value: object) -> None:
    for step in steps[:-1]:
        tree = tree.setdefault(step, {})
        if not isinstance(tree, dict):
            raise _NotAKeyError(
                f"the file has {quoted(step)} as a plain value; make it a table there: [{step}]"
            )
    tree[steps[-1]] = value
