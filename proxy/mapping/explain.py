"""Which declaration made which value: two documents, the firings between them, and every value accounted for.

A value is what has no members of its own: a scalar, or an empty object or array. Each value of the document that was made
gets one line: its place, where it comes from, what stood there, and the declarations that acted on it, none for what went
through as it came. Whatever stood in the source and did not arrive gets a line as well. The documents are what a plan was
given and what it made; nothing is translated here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
from msgspec import Raw

from proxy.errors import Refused
from proxy.json import Kind, child, kind, open_array, open_object
from proxy.mapping.declared import Catalogue, Declared
from proxy.mapping.watch import Placed


class Act(msgspec.Struct, frozen=True):
    """One declaration at work: what it found and what it left, as tokens (`None`: nothing)."""

    declared: Declared
    before: bytes | None
    after: bytes | None


class Value(msgspec.Struct, frozen=True):
    """One value: from where it came to where it stands, and what acted on it.

    `place` is `None` for what did not arrive, `source` for what was made up. `answer` is the number of the upstream answer
    that `source` is in, counted from 1; 0 for the caller's own request.
    """

    place: str | None
    after: bytes | None
    source: str | None
    before: bytes | None
    acts: tuple[Act, ...] = ()
    answer: int = 0

    @property
    def losses(self) -> tuple[Declared, ...]:
        """The declarations that lose something here."""
        return tuple(one.declared for one in self.acts if one.declared.loss)


@dataclass(frozen=True)
class _Acting:
    """A placed firing, with its place on either side."""

    act: Act
    source: str
    out: str
    neighbours: tuple[str, ...]


def explained(
    source: bytes, made: bytes, placed: Sequence[Placed], declared: Catalogue, *, forward: bool
) -> list[Value]:
    """Account for every value of `made`, in its order, and then for what did not arrive."""
    before, after = dict(_places(source)), dict(_places(made))
    sides = _Sides(before, after, _acting(placed, before, after, declared, forward=forward))
    lines = [sides.line(place, token) for place, token in after.items() if _is_value(token)]
    return lines + sides.lost({one.source for one in lines if one.source is not None})


@dataclass(frozen=True)
class _Sides:
    """Every place of both documents, and what acted between them."""

    before: Mapping[str, Raw]
    after: Mapping[str, Raw]
    acting: Sequence[_Acting]

    def line(self, place: str, token: Raw) -> Value:
        """The line of one value that was made."""
        on = [one for one in self.acting if one.act.after is not None and _within(place, one.out)]
        if not on and bytes(token) in {b"{}", b"[]"}:
            on = [one for one in self.acting if one.act.after is None and _within(one.out, place)]
        source = next((found for one in on if (found := self._neighbour(one))), None)
        if source is None:
            source = _swapped(place, [(one.out, one.source) for one in on if one.out != one.source])
        there = self.before.get(source)
        acts = tuple(dict.fromkeys(one.act for one in on))
        if there is None:
            return Value(place, bytes(token), None, None, acts)
        return Value(place, bytes(token), source, bytes(there), acts)

    def lost(self, used: set[str]) -> list[Value]:
        """The lines of what stood in the source and did not arrive, by what took it away."""
        lines = [self._gone(one.source, one.act) for one in self.acting if one.act.after is None]
        done = [one.source for one in lines if one.source is not None]
        for place, token in self.before.items():
            filled = place in self.after and kind(token) in {Kind.OBJECT, Kind.ARRAY}
            if place in used or filled or not _is_value(token) or any(_within(place, one) for one in done):
                continue
            by = next((one for one in self.acting if _within(place, one.source)), None)
            if by is None:
                lines.append(self._gone(place))
            else:
                lines.append(self._gone(by.source, by.act))
                done.append(by.source)
        return lines

    def _gone(self, place: str, *acts: Act) -> Value:
        there = self.before.get(place)
        return Value(None, None, place, bytes(there) if there is not None else acts[0].before, acts)

    def _neighbour(self, one: _Acting) -> str | None:
        """The neighbour out of which a place was made."""
        parent = one.source.rpartition("/")[0]
        for name in one.neighbours:
            there = self.before.get(child(parent, name))
            if there is not None and kind(there) is not Kind.NULL:
                return child(parent, name)
        return None


def _acting(
    placed: Sequence[Placed],
    before: Mapping[str, Raw],
    after: Mapping[str, Raw],
    declared: Catalogue,
    *,
    forward: bool,
) -> list[_Acting]:
    moves = [
        (one.place, _beside(one, native)) if forward else (_beside(one, native), one.place)
        for one in placed
        if (native := declared[one.firing.rule].native)
    ]
    found: list[_Acting] = []
    gone = {one.place for one in placed}
    for one in placed:
        act = Act(declared[one.firing.rule], one.firing.before, one.firing.after)
        source = one.place
        if act.declared.native and not forward:
            source = _beside(one, act.declared.native)
        if source.endswith("/{unknown}"):
            source = _unknown(source, one.firing.before, before, after, gone)
            gone.add(source)
        found.append(_Acting(act, source, _swapped(source, moves), one.sources))
    return found


def _beside(one: Placed, native: str) -> str:
    """v2.1's place of a firing that names v2's: the same array places, as far as both go through arrays."""
    numbers = iter(part for part in one.place.split("/") if part.isdigit())
    return "/".join(next(numbers, "*") if part == "*" else part for part in native.split("/"))


def _unknown(
    place: str, token: bytes | None, before: Mapping[str, Raw], after: Mapping[str, Raw], gone: set[str]
) -> str:
    """The member that a firing leaves unnamed: the next one of this value that did not arrive."""
    parent = place.rpartition("/")[0]
    members = (
        one for one in before if one.rpartition("/")[0] == parent and one not in after and one not in gone
    )
    return next((one for one in members if bytes(before[one]) == token), place)


def _swapped(place: str, moves: Sequence[tuple[str, str]]) -> str:
    for old, new in moves:
        if _within(place, old):
            return new + place[len(old) :]
    return place


def _within(place: str, around: str) -> bool:
    return place == around or place.startswith(around + "/")


def _is_value(token: Raw) -> bool:
    if kind(token) not in {Kind.OBJECT, Kind.ARRAY}:
        return True
    return not _inside("", token)


def _places(text: bytes) -> Iterator[tuple[str, Raw]]:
    """Every place of a document, a parent before its children; nothing for a document that is empty."""
    waiting = [("", Raw(text.strip(b" \t\r\n")))] if text.strip(b" \t\r\n") else []
    while waiting:
        place, value = waiting.pop()
        yield place, value
        if kind(value) in {Kind.OBJECT, Kind.ARRAY}:
            waiting.extend(reversed(_inside(place, value)))


def _inside(place: str, value: Raw) -> list[tuple[str, Raw]]:
    """What stands in an object or array; nothing where a name stands twice, since pointers cannot tell them apart."""
    try:
        if kind(value) is Kind.ARRAY:
            return [(f"{place}/{number}", one) for number, one in enumerate(open_array(value))]
        return [(child(place, name), one) for name, one in open_object(value).items()]
    except Refused:
        return []
