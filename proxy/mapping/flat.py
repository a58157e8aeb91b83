"""Members of a record as flat pairs, and back: what v2 nests and v2.1 keeps in a part of the record (F§3.7, F§6.14).

    "code": "A1"                               →  code = "A1"
    "legs": [{"from": "DUB"}, {"from": "LHR"}] →  legs = 2, legs0From = "DUB", legs1From = "LHR"

A list leaves its length under its own name, so that an empty list, and an element without members, come back as they were.
Values keep their tokens. What a pair cannot say (a nested value, a name that is no plain word) is refused before anything
is sent; other pairs of the part are nobody's business here and stay.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from msgspec import Raw

from proxy.errors import Fault, Refused
from proxy.json import Kind, kind, open_array, open_object, render

_WORD = re.compile(r"[a-z][A-Za-z0-9]*")
_KEY = re.compile(r"(0|[1-9]\d{0,3})([A-Z][A-Za-z0-9]*)")
_LENGTH = re.compile(rb"0|[1-9]\d{0,3}")
_FLAT = {Kind.STRING, Kind.NUMBER, Kind.BOOLEAN}


@dataclass(frozen=True)
class Flat:
    """Which members live in a part; `lists` are those that hold objects. `rule` is the step that moves them."""

    rule: str
    members: tuple[str, ...]
    lists: frozenset[str]

    def pairs(self, members: Mapping[str, Raw], most: int) -> dict[str, Raw]:
        """These members as pairs; raises `Refused` for what pairs cannot say, or for more than `most` of them."""
        found: dict[str, Raw] = {}
        for name in self.members:
            if name in members:
                found.update(self._spread(name, members[name]))
        if len(found) > most:
            pointer = f"/{next(one for one in self.members if one in members)}"
            raise self._no(
                pointer, f"They make {len(found)} pairs, and v2.1 keeps {most}. Send fewer elements."
            )
        return found

    def members_of(self, pairs: Mapping[str, Raw]) -> dict[str, Raw]:
        """The members that these pairs say."""
        found = {name: pairs[name] for name in self.members if name in pairs and name not in self.lists}
        for name in self.members:
            length = bytes(pairs.get(name, b"")) if name in self.lists else b""
            if _LENGTH.fullmatch(length):
                elements: list[dict[str, Raw]] = [{} for _ in range(int(length))]
                for index, inner, value in _inside(name, pairs):
                    if index < len(elements):
                        elements[index][inner] = value
                found[name] = Raw(render([Raw(render(one)) for one in elements]))
        return found

    def without(self, pairs: Mapping[str, Raw], besides: Collection[str]) -> dict[str, Raw]:
        """The pairs that belong to somebody else; those named in `besides` belong to the platform."""
        own = {*self.members, *besides}
        for name in self.lists:
            own.update(
                f"{name}{index}{inner[:1].upper()}{inner[1:]}" for index, inner, _ in _inside(name, pairs)
            )
        return {name: value for name, value in pairs.items() if name not in own}

    def _spread(self, name: str, value: Raw) -> Iterator[tuple[str, Raw]]:
        if name not in self.lists:
            yield name, self._single(value, f"/{name}")
            return
        elements = open_array(value, f"/{name}")
        yield name, Raw(b"%d" % len(elements))
        for index, element in enumerate(elements):
            for inner, one in open_object(element, f"/{name}/*").items():
                if not _WORD.fullmatch(inner):
                    raise self._no(f"/{name}/*", "A member's name is no plain word. Use letters and digits.")
                yield f"{name}{index}{inner[0].upper()}{inner[1:]}", self._single(one, f"/{name}/*")

    def _single(self, value: Raw, pointer: str) -> Raw:
        if kind(value) not in _FLAT:
            raise self._no(pointer, "A value is null or nested. Send texts, numbers and booleans only.")
        return value

    def _no(self, pointer: str, why: str) -> Refused:
        name = pointer.split("/")[1]
        detail = f"v2.1 keeps {pointer} as flat pairs beside the record. {why}"
        message = f"{name}: cannot be carried as it is."
        return Refused(Fault.UNTRANSLATABLE, message, detail, pointer=pointer, rule=self.rule)


def _inside(name: str, pairs: Mapping[str, Raw]) -> Iterator[tuple[int, str, Raw]]:
    """The pairs of a list: the element's number, the member's name, the value."""
    for key, value in pairs.items():
        found = _KEY.fullmatch(key, len(name)) if key.startswith(name) else None
        if found:
            yield int(found[1]), found[2][0].lower() + found[2][1:], value
