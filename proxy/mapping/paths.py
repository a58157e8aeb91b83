"""Path templates: which template a raw path fits, and writing a path from a template.

Matching is done on raw segments, never on decoded ones, so what is decided on is what is forwarded. A trailing slash is an
alias of the path without it (F§2.0). A segment may begin with fixed letters (`/x{name}`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Generic, TypeVar

T = TypeVar("T")


class Paths(Generic[T]):
    """A table from path templates (`/a/{b}`) to whatever is kept for them."""

    def __init__(self, entries: Mapping[str, T]) -> None:
        self._fixed: dict[bytes, T] = {}
        self._open: dict[int, list[tuple[list[bytes], T]]] = {}
        for template, kept in entries.items():
            segments = template.encode().split(b"/")
            if b"{" not in template.encode():
                self._fixed[template.encode()] = kept
            else:
                self._open.setdefault(len(segments), []).append((segments, kept))
        for templates in self._open.values():  # the more of a path is fixed, the sooner it is looked at
            templates.sort(key=lambda one: -sum(len(part.partition(b"{")[0]) for part in one[0]))

    def match(self, path: bytes) -> tuple[T, dict[str, bytes]] | None:
        """What is kept for the template that the path fits, with its parameters as raw bytes; or `None`."""
        if len(path) > 1 and path.endswith(b"/"):
            path = path[:-1]
        fixed = self._fixed.get(path)
        if fixed is not None:
            return fixed, {}
        segments = path.split(b"/")
        for template, kept in self._open.get(len(segments), ()):
            found = _fit(template, segments)
            if found is not None:
                return kept, found
        return None


def fill(template: str, parameters: Mapping[str, bytes]) -> bytes:
    """A raw path (or path and query) out of a template; the parameters must be in their raw form already."""
    start, holes = _holes(template)
    return start + b"".join([parameters[name] + rest for name, rest in holes]) if holes else start


@cache  # templates come from mapping files only
def _holes(template: str) -> tuple[bytes, list[tuple[str, bytes]]]:
    start, *parts = template.encode().split(b"{")
    return start, [(name.decode(), rest) for name, _, rest in (part.partition(b"}") for part in parts)]


def _fit(template: list[bytes], segments: list[bytes]) -> dict[str, bytes] | None:
    found: dict[str, bytes] = {}
    for wanted, there in zip(template, segments, strict=True):
        start, hole, name = wanted.partition(b"{")
        if hole:
            if not there.startswith(start) or there == start:
                return None
            found[name[:-1].decode()] = there[len(start) :]
        elif wanted != there:
            return None
    return found
