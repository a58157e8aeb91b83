"""Moving a member to another place of its object, at any depth: what a rename is, seen from either side.

A move knows its way by member names (never by joined text, so a name may hold any character). Objects on the way are made
when they are missing and go when they have become empty, so that there and back again is where it began.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from msgspec import Raw

from proxy.errors import Fault, Refused
from proxy.json import Kind, kind, open_object, render
from proxy.mapping.nodes import Firing, Node, Trace

Way: TypeAlias = tuple[str, ...]
"""Member names from an object down to a place in it."""


@dataclass(frozen=True, slots=True)
class Move:
    """The member at `source` stands at `target` on the other side; `node` is what becomes of its value on the way."""

    source: Way
    target: Way
    pointer: str
    rule: str
    node: Node | None

    def apply(self, around: Mapping[str, Raw], out: dict[str, Raw], trace: Trace) -> dict[str, Raw]:
        """Answer `out` with the member moved; `around` are the untouched members. Raises `Refused` on a collision."""
        value = _reach(around, self.source)
        if value is None:
            return out
        made = self.node.apply(value, around, trace) if self.node else value
        if made is None:
            return _without(out, self.source)
        if _taken(around, self.target):
            detail = f"Two members would have to stand at one place: {self.pointer} and the one of the same name there."
            raise Refused(
                Fault.UNTRANSLATABLE, "A name is taken.", detail, pointer=self.pointer, rule=self.rule
            )
        trace.append(Firing(self.rule, self.pointer, bytes(value), bytes(made)))
        if len(self.source) == len(self.target) == 1:
            old, new = self.source[0], self.target[0]
            return {new if name == old else name: made if name == old else one for name, one in out.items()}
        return _with(_without(out, self.source), self.target, made)


def _reach(members: Mapping[str, Raw], way: Way) -> Raw | None:
    for name in way[:-1]:
        inner = members.get(name)
        if inner is None or kind(inner) is not Kind.OBJECT:
            return None
        members = open_object(inner)
    return members.get(way[-1])


def _taken(members: Mapping[str, Raw], way: Way) -> bool:
    """Whether a value stands at the end of the way, or one that is no object before it."""
    for name in way[:-1]:
        inner = members.get(name)
        if inner is None:
            return False
        if kind(inner) is not Kind.OBJECT:
            return True
        members = open_object(inner)
    return way[-1] in members


def _without(members: dict[str, Raw], way: Way) -> dict[str, Raw]:
    """The members without the one at the end of the way, and without objects that it leaves empty."""
    name, rest = way[0], way[1:]
    if not rest:
        return {one: value for one, value in members.items() if one != name}
    inner = _without(open_object(members[name]), rest)
    return {**members, name: Raw(render(inner))} if inner else _without(members, (name,))


def _with(members: dict[str, Raw], way: Way, value: Raw) -> dict[str, Raw]:
    """The members with a value at the end of the way, objects made as needed."""
    name, rest = way[0], way[1:]
    if not rest:
        return {**members, name: value}
    return {
        **members,
        name: Raw(render(_with(open_object(members[name]) if name in members else {}, rest, value))),
    }
