"""Places in a configuration (`route[2].stage`), and texts that name them safely."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

_LONGEST = 60


def place_of(steps: Iterable[str | int]) -> str:
    """The place that steps lead to: `("route", 2, "stage")` is `route[2].stage`."""
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{_key(step)}"
    return text.removeprefix(".")


def leaves(tree: object, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str, object]]:
    """Every value of a tree with its place; a list of plain values is one value."""
    if isinstance(tree, Mapping) and (tree or not place):
        for key, value in tree.items():
            yield from leaves(value, (*place, str(key)))
    elif isinstance(tree, list | tuple) and tree and all(isinstance(item, Mapping) for item in tree):
        for number, item in enumerate(tree):
            yield from leaves(item, (*place, number))
    else:
        yield place_of(place), tree


def quoted(text: str) -> str:
    """A text from the operator in quotes: one line, no control characters, not endless."""
    short = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return "".join(
        sign if sign.isprintable() else ascii(sign)[1:-1] for sign in json.dumps(short, ensure_ascii=False)
    )


def did_you_mean(wrong: str, valid: Iterable[str]) -> str:
    """`did you mean "stage"?` where something is near, else all that would be valid."""
    names = list(valid)
    near = get_close_matches(wrong.lower(), names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {quoted(near[0])}?"
    return f"valid here: {', '.join(names)}" if names else "none is declared yet"


def _key(step: str) -> str:
    plain = step.isascii() and step.replace("_", "").replace("-", "").isalnum()
    return step if plain and len(step) <= _LONGEST else quoted(step)
