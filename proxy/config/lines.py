"""Changing some lines of a text and no byte of the others: their line ends stay, and so does a last line without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import SequenceMatcher, unified_diff


def changed(text: str, edit: Callable[[str], str]) -> str:
    """The text after `edit`, which sees plain line ends. New lines end as most lines of the text do."""
    old = text.split("\n")
    plain = [one.removesuffix("\r") for one in old]
    end = "\r" if 2 * sum(one.endswith("\r") for one in old) > len(old) - 1 else ""
    closing = "\n" if plain[-1] else ""
    old[-1] += end if closing else ""  # it may be the last one no more
    new = edit("\n".join(plain) + closing).removesuffix(closing).split("\n")
    found: list[str] = []
    for tag, begin, stop, first, last in SequenceMatcher(None, plain, new, autojunk=False).get_opcodes():
        same = old[begin:stop] if tag == "equal" else []
        found += same or [one + end for one in new[first:last]]
    return "\n".join([*found[:-1], found[-1].removesuffix("\r")])


def difference(before: str, after: str) -> str:
    """The change as a person reads it: what was left out, what was put in, and two lines around."""
    lines = unified_diff(list(_lines(before)), list(_lines(after)), "before", "after", n=2, lineterm="")
    return "".join(f"{one}\n" for one in lines)


def _lines(text: str) -> Iterator[str]:
    for one in text.removesuffix("\n").split("\n"):
        yield one.removesuffix("\r")
