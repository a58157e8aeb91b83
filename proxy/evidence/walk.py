"""Two JSON documents walked side by side under v2's contract, and a third one along with them.

The documents are v2's answer, ours (v2.1's in the caller's dialect), and v2.1's own. The third is what makes an
explanation narrow: a difference is a declared loss only when, at this very place, v2.1 said what the rule is about and
v2 says what the rule takes away. Where two places hold the same bytes, nothing below them is looked at.

The walk keeps its own stack, so depth costs no recursion, and pauses every few values.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec
from msgspec import Raw

from proxy.errors import CrossfadeError
from proxy.evidence.difference import Difference, DifferenceKind, side
from proxy.evidence.leaves import identity, leaf_kind, stamps_differ
from proxy.evidence.losses import PLAIN, Losses
from proxy.evidence.match import Keys, by_key, by_position
from proxy.evidence.opened import Native, key_reader, only_text
from proxy.evidence.point import ANYTHING, Point
from proxy.json import Kind, child, kind, open_array, open_object
from proxy.mapping.api import CompiledMapping
from proxy.mapping.codecs import Codec
from proxy.mapping.contract import Schema
from proxy.mapping.endpoint import Endpoint
from proxy.mapping.nodes import Firing

NODE_BUDGET = 20_000
"""Values that one comparison may look at; beyond that it is given up."""
_SLICE = 100
"""Values between two pauses: a fraction of a millisecond."""

MemberName: TypeAlias = Callable[[str], str]
Pauses: TypeAlias = Generator[None, None, None]
_How: TypeAlias = Literal[Kind.OBJECT, Kind.ARRAY] | DifferenceKind
_Excuse: TypeAlias = Literal["", "noise", "race"]
_NOTHING = Native()


class TooManyNodes(CrossfadeError):  # noqa: N818 - a state of the documents, as Refused and Untranslatable
    """Two documents with more values than a comparison may look at."""


class Place(msgspec.Struct, frozen=True, gc=False):
    """A place where the two answers hold something else, and v2.1's own document may hold nothing.

    `where` is the pointer with the keys of elements: in memory only, to tell one element from another. `how` is how they
    differ, or the kind of both where that is found inside of them.
    """

    point: Point
    where: str
    how: _How
    v2: Raw
    ours: Raw
    native: Native
    excuse: _Excuse


class Walk:
    """One walk. `found` holds the differences, each once, with the places where it was found (`Place.where`).

    In an `error`, optional and free texts are noise: each version words its messages as it likes. So is whatever the
    contract calls volatile, and everything below it.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        mapping: CompiledMapping,
        trace: Sequence[Firing],
        member_name: MemberName,
        *,
        error: bool,
    ) -> None:
        self.found: dict[Difference, set[str]] = {}
        self._codecs = mapping.codecs
        self._member_name = member_name
        self._stamp = endpoint.record.stamp
        self._error = error
        self._losses = Losses(mapping, trace)
        self._waiting: list[Place] = []
        self._nodes = 0
        self._pause = _SLICE

    def run(self, schema: Schema, v2: Raw, ours: Raw, native: Native = _NOTHING) -> Pauses:
        """Walk two documents, pausing now and then.

        Raises `TooManyNodes`, and `Refused` for a member that stands twice.
        """
        waiting = self._waiting
        how = None if v2 == ours else self._how(schema, v2, ours)
        if how is not None:
            root = Point("", "", schema, self._member_name)
            waiting.append(Place(root, "", how, v2, ours, native, ""))
        while waiting:
            place = waiting.pop()
            how = place.how
            if how is Kind.OBJECT:
                self._object(place)
            elif how is Kind.ARRAY:
                yield from self._array(place)
            else:
                self._leaf(place, how)
            if self._due():
                yield

    def _object(self, place: Place) -> None:
        v2, ours = open_object(place.v2), open_object(place.ours)
        self._spend(len(v2) + len(ours))
        point, excuse = place.point, place.excuse or self._race(place, v2, ours)
        schemas = point.schema.members
        below: list[Place] = []
        for name, value in v2.items():
            other = ours.get(name)
            if other is None:
                self._missing(place, name, value, excuse)
            elif value != other:
                how = self._how(schemas.get(name, ANYTHING), value, other)
                if how is not None:
                    member, native = point.member(name), Native(place.native, name)
                    why = excuse or ("noise" if member.schema.volatile else "")
                    where = place.where + member.step
                    below.append(Place(member, where, how, value, other, native, why))
        for name, value in ours.items():
            if name not in v2:
                member = point.member(name)
                noise = excuse or self._noise(member)
                extra = Difference(member.pointer, "extra", None, side(value), None, noise)
                self._note(place.where + member.step, extra)
        self._waiting.extend(reversed(below))

    def _missing(self, place: Place, name: str, value: Raw, excuse: _Excuse) -> None:
        member = place.point.member(name)
        codec, native = self._codec(member.schema), Native(place.native, name)
        rule = self._losses.of_member(member.pointer, codec, value, native)
        lost = Difference(member.pointer, "missing", side(value), None, rule, excuse or self._noise(member))
        self._note(place.where + member.step, lost)

    def _array(self, place: Place) -> Pauses:
        v2, ours, schema = open_array(place.v2), open_array(place.ours), place.point.schema
        self._spend(len(v2) + len(ours))
        element = place.point.element()
        keys = (yield from self._keys(schema, v2)), (yield from self._keys(schema, ours))
        paired = by_key(*keys) if schema.key else by_position(v2, ours)
        for one, two in reversed(paired.pairs):
            values = v2[one], ours[two]
            how = None if values[0] == values[1] else self._how(element.schema, *values)
            if how is not None:
                where, native = _element(place, keys[0][one]), Native(place.native, two, len(ours))
                self._waiting.append(Place(element, where, how, *values, native, place.excuse))
            if self._due():
                yield
        for index in paired.only_v2:
            lost = Difference(element.pointer, "missing", side(v2[index]), None, None, place.excuse)
            self._note(_element(place, keys[0][index]), lost)
        for index in paired.only_ours:
            lost = Difference(element.pointer, "extra", None, side(ours[index]), None, place.excuse)
            self._note(_element(place, keys[1][index]), lost)
        kinds: DifferenceKind
        for differs, kinds in ((paired.moved, "order"), (paired.length, "length")):
            if differs:
                moved = Difference(place.point.pointer, kinds, "array", "array", None, place.excuse)
                self._note(place.where, moved)

    def _how(self, schema: Schema, v2: Raw, ours: Raw) -> _How | None:
        """How two values differ; `None` when they mean the same, as most that have other bytes do: links have other hosts."""
        what = kind(v2)
        if what is not kind(ours):
            return "type"
        if what is Kind.ARRAY:
            return what
        if what is Kind.OBJECT:
            return None if self._same_text(schema, v2, ours) else what
        return leaf_kind(what, schema, self._codec(schema), bytes(v2), bytes(ours))

    def _same_text(self, schema: Schema, v2: Raw, ours: Raw) -> bool:
        """Whether two objects have one and the same text in them, and nothing else: the link to a record's children."""
        left = only_text(v2)
        right = left and only_text(ours)
        if left is None or right is None or left[0] != right[0]:
            return False
        same = self._codec(schema.members.get(left[0], ANYTHING)).same(left[1], right[1])
        self._spend(2 if same else 0)
        return same

    def _leaf(self, place: Place, how: DifferenceKind) -> None:
        point, excuse, rule = place.point, place.excuse, None
        one = other = side(place.v2)
        if how == "type":
            other = side(place.ours)
        else:
            rule = self._losses.between(self._codec(point.schema), place.v2, place.native, place.ours)
            excuse = excuse or ("noise" if self._error and point.free_text else "")
        self._note(place.where, Difference(point.pointer, how, one, other, rule, excuse))

    def _race(self, place: Place, v2: Mapping[str, Raw], ours: Mapping[str, Raw]) -> _Excuse:
        """Whether the record's stamp says that it changed between the two answers."""
        name, schemas = self._stamp, place.point.schema.members
        if name not in v2 or name not in ours or v2[name] == ours[name] or name not in schemas:
            return ""
        codec = self._codec(schemas[name])
        if not stamps_differ(codec, bytes(v2[name]), bytes(ours[name])):
            return ""
        return "" if self._losses.between(codec, v2[name], Native(place.native, name), ours[name]) else "race"

    def _noise(self, member: Point) -> _Excuse:
        """Whether it is noise that one side has this member and the other has not."""
        text = self._error and member.optional and member.free_text
        return "noise" if text or member.schema.volatile else ""

    def _keys(self, schema: Schema, elements: Sequence[Raw]) -> Generator[None, None, Keys]:
        if not schema.key:
            return [None] * len(elements)
        codec = self._codec(schema.items.members.get(schema.key, ANYTHING) if schema.items else ANYTHING)
        keys: list[str | None] = []
        key_of = key_reader(schema.key)
        for start in range(0, len(elements), _SLICE):
            some = elements[start : start + _SLICE]
            self._spend(len(some))
            keys += [identity(codec, one) if one else None for one in map(key_of, some)]
            if self._due():
                yield
        return keys

    def _codec(self, schema: Schema) -> Codec:
        return self._codecs.get(schema.codec, PLAIN)

    def _note(self, where: str, difference: Difference) -> None:
        self.found.setdefault(difference, set()).add(where)

    def _due(self) -> bool:
        """Whether it is time for a pause."""
        if self._nodes < self._pause:
            return False
        self._pause = self._nodes + _SLICE
        return True

    def _spend(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > NODE_BUDGET:
            raise TooManyNodes(f"More than {NODE_BUDGET} values stand in the two answers.")


def _element(place: Place, key: str | None) -> str:
    return f"{place.where}/*" if key is None else child(place.where, key)
