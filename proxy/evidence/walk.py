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
from proxy.evidence.match import Keys, by_key, by_position
from proxy.evidence.opened import Native, elements_of, key_of
from proxy.json import Kind, child, kind, open_array, open_object
from proxy.mapping.api import CompiledMapping
from proxy.mapping.codecs import Codec, Plain
from proxy.mapping.contract import Schema
from proxy.mapping.endpoint import Endpoint
from proxy.mapping.nodes import Firing

NODE_BUDGET = 20_000
"""Values that one comparison may look at; beyond that it is given up."""
_SLICE = 100
"""Values between two pauses: a fraction of a millisecond."""

MemberName: TypeAlias = Callable[[str], str]
Pauses: TypeAlias = Generator[None, None, None]
_Excuse: TypeAlias = Literal["", "noise", "race"]
_ANYTHING = Schema()
_PLAIN = Plain()


class TooManyNodes(CrossfadeError):  # noqa: N818 - a state of the documents, as Refused and Untranslatable
    """Two documents with more values than a comparison may look at."""


class Place(msgspec.Struct, frozen=True, gc=False):
    """A place where both answers hold something, and v2.1's own document may not.

    `where` is the pointer with the keys of elements: in memory only, to tell one element from another.
    """

    pointer: str
    where: str
    schema: Schema
    v2: Raw
    ours: Raw
    native: Raw | None
    excuse: _Excuse = ""


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
        self._mapping = mapping
        self._member_name = member_name
        self._stamp = endpoint.record.stamp
        self._error = error
        self._dropped = {
            (one.pointer, one.before): one.rule
            for one in trace
            if one.after is None and one.rule in mapping.losses
        }
        self._waiting: list[Place] = []
        self._nodes = 0
        self._pause = _SLICE

    def run(self, root: Place) -> Pauses:
        """Walk from here, pausing now and then. Raises `TooManyNodes`, and `Refused` for a member that stands twice."""
        waiting = self._waiting
        waiting.append(root)
        while waiting:
            place = waiting.pop()
            if place.v2 == place.ours:
                continue
            what = kind(place.v2)
            if what is not kind(place.ours):
                kinds = side(place.v2), side(place.ours)
                self._note(place.where, Difference(place.pointer, "type", *kinds, None, place.excuse))
            elif what is Kind.OBJECT:
                self._object(place)
            elif what is Kind.ARRAY:
                yield from self._array(place)
            else:
                self._leaf(place)
            if self._due():
                yield

    def _object(self, place: Place) -> None:
        v2, ours, native = open_object(place.v2), open_object(place.ours), Native(place.native)
        self._spend(len(v2) + len(ours))
        excuse = place.excuse or self._race(place.schema, v2, ours, native)
        below: list[Place] = []
        for name, value in v2.items():
            other = ours.get(name)
            if other is not None and (value == other or self._same(place.schema, name, value, other)):
                continue
            pointer, where, schema = self._member(place, name)
            if other is not None:
                why = excuse or ("noise" if schema.volatile else "")
                below.append(Place(pointer, where, schema, value, other, native.get(name), why))
            else:
                rule = self._drop(pointer, schema, value, native.get(name))
                noise = excuse or self._noise(place.schema, name)
                self._note(where, Difference(pointer, "missing", side(value), None, rule, noise))
        for name, value in ours.items():
            if name not in v2:
                noise = excuse or self._noise(place.schema, name)
                pointer, where, _ = self._member(place, name)
                self._note(where, Difference(pointer, "extra", None, side(value), None, noise))
        self._waiting.extend(reversed(below))

    def _same(self, schema: Schema, name: str, v2: Raw, ours: Raw) -> bool:
        """Whether two single values mean the same, as nearly all that have other bytes do: links have other hosts."""
        what = kind(v2)
        if what is Kind.OBJECT or what is Kind.ARRAY or what is not kind(ours):
            return False
        return self._codec(schema.members.get(name, _ANYTHING)).same(bytes(v2), bytes(ours))

    def _array(self, place: Place) -> Pauses:
        v2, ours, native = open_array(place.v2), open_array(place.ours), elements_of(place.native)
        self._spend(len(v2) + len(ours))
        aligned = native if len(native) == len(ours) else [None] * len(ours)
        pointer, schema = f"{place.pointer}/*", place.schema.items or _ANYTHING
        keys = (yield from self._keys(place.schema, v2)), (yield from self._keys(place.schema, ours))
        paired = by_key(*keys) if place.schema.key else by_position(v2, ours)
        for one, two in reversed(paired.pairs):
            if v2[one] != ours[two]:
                where, values = _element(place, keys[0][one]), (v2[one], ours[two], aligned[two])
                self._waiting.append(Place(pointer, where, schema, *values, place.excuse))
        for index in paired.only_v2:
            lost = Difference(pointer, "missing", side(v2[index]), None, None, place.excuse)
            self._note(_element(place, keys[0][index]), lost)
        for index in paired.only_ours:
            lost = Difference(pointer, "extra", None, side(ours[index]), None, place.excuse)
            self._note(_element(place, keys[1][index]), lost)
        how: DifferenceKind
        for differs, how in ((paired.moved, "order"), (paired.length, "length")):
            if differs:
                self._note(place.where, Difference(place.pointer, how, "array", "array", None, place.excuse))

    def _leaf(self, place: Place) -> None:
        codec = self._codec(place.schema)
        how = leaf_kind(place.schema, codec, bytes(place.v2), bytes(place.ours))
        if how is not None:
            rule = self._loss(codec, place.v2, place.native, place.ours)
            excuse = place.excuse or ("noise" if self._error and _free_text(place.schema) else "")
            kinds = side(place.v2), side(place.ours)
            self._note(place.where, Difference(place.pointer, how, *kinds, rule, excuse))

    def _member(self, place: Place, name: str) -> tuple[str, str, Schema]:
        """Pointer, place and schema of a member; a name that the contract does not know can be personal data."""
        schema = place.schema.members.get(name)
        step = f"/{{unknown:{self._member_name(name)}}}" if schema is None else child("", name)
        return place.pointer + step, place.where + step, schema or _ANYTHING

    def _loss(self, codec: Codec, v2: Raw, native: Raw | None, ours: Raw) -> str | None:
        if native is None or not codec.explains(bytes(v2), bytes(native), bytes(ours)):
            return None
        rule = codec.rule_for(bytes(native))
        return rule if rule in self._mapping.losses else None

    def _drop(self, pointer: str, schema: Schema, v2: Raw, native: Raw | None) -> str | None:
        """The declared loss that took away just what v2 says here."""
        if native is None or not self._codec(schema).same(bytes(v2), bytes(native)):
            return None
        return self._dropped.get((pointer, bytes(native)))

    def _race(
        self, schema: Schema, v2: Mapping[str, Raw], ours: Mapping[str, Raw], native: Native
    ) -> _Excuse:
        """Whether the record's stamp says that it changed between the two answers."""
        name = self._stamp
        if name not in schema.members or name not in v2 or name not in ours or v2[name] == ours[name]:
            return ""
        codec = self._codec(schema.members[name])
        if not stamps_differ(codec, bytes(v2[name]), bytes(ours[name])):
            return ""
        return "" if self._loss(codec, v2[name], native.get(name), ours[name]) else "race"

    def _noise(self, schema: Schema, name: str) -> _Excuse:
        if name in schema.members and schema.members[name].volatile:
            return "noise"
        optional = name in schema.members and name not in schema.required
        return "noise" if self._error and optional and _free_text(schema.members[name]) else ""

    def _keys(self, schema: Schema, elements: Sequence[Raw]) -> Generator[None, None, Keys]:
        if not schema.key:
            return [None] * len(elements)
        codec = self._codec(schema.items.members.get(schema.key, _ANYTHING) if schema.items else _ANYTHING)
        keys: list[str | None] = []
        for element in elements:
            self._spend(1)
            found = key_of(element, schema.key)
            keys.append(identity(codec, found) if found else None)
            if self._due():
                yield
        return keys

    def _codec(self, schema: Schema) -> Codec:
        return self._mapping.codecs.get(schema.codec, _PLAIN)

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


def _free_text(schema: Schema) -> bool:
    return schema.types == ("string",) and not schema.enum


def _element(place: Place, key: str | None) -> str:
    return f"{place.where}/*" if key is None else child(place.where, key)
