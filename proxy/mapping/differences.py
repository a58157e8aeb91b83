"""Every difference between the two contracts, found by comparing them: operations, queries, members, values, statuses.

A member that only one version has is one difference, whatever stands below it. Answers to successes are compared with each
other, and so are error bodies; which status carries them is a difference of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum

import msgspec

from proxy.mapping.api import Source
from proxy.mapping.contract import Operation, Schema
from proxy.mapping.model import Endpoint, Rule, Step


class Part(Enum):
    """Where a difference is; the values are the headings of the guide."""

    CALL = "Method and path"
    QUERY = "Query"
    REQUEST = "Request body"
    ANSWER = "Answer"
    STATUS = "Status"
    ERROR = "Error body"


class Kind(Enum):
    """In what way the versions differ."""

    CALL = "call"
    ONLY_V2 = "only v2 has it"
    ONLY_V2_1 = "only v2.1 has it"
    REQUIRED_V2 = "only v2 requires it"
    REQUIRED_V2_1 = "only v2.1 requires it"
    TYPE = "type"
    NARROWER = "narrower type in v2.1"
    VALUES_V2 = "values of v2 only"
    VALUES_V2_1 = "values of v2.1 only"
    STORED = "v2.1 stores it, v2 does not"


class Difference(msgspec.Struct, frozen=True):
    """One difference. `place` is a pointer, `?name`, a status or an operation; `details` are what the sentences need.

    `names` are the places that it concerns as accepted.toml names them.
    """

    endpoint: str
    part: Part
    kind: Kind
    place: str
    details: str = ""
    names: tuple[str, ...] = ()
    codec: str = ""

    def __str__(self) -> str:
        """Its name in messages."""
        where = f"{self.endpoint} " if self.endpoint else ""
        details = f" ({self.details})" if self.details else ""
        return f"{where}{self.part.name.lower()} {self.place}: {self.kind.value}{details}"


def differences(source: Source) -> list[Difference]:
    """All of them, in the order of the mapping files; what concerns no endpoint stands at the end."""
    found: dict[Difference, None] = {}
    mapped: set[str] = set()
    for file in source.resources:
        for one in file.endpoint:
            mapped.update({f"v2 {one.v2}", f"v2.1 {one.v2_1}"})
            v2 = source.v2.operations.get(one.v2)
            renames = [rule for rule in file.rule if rule.do == "rename" and one.id in rule.on]
            joins = [
                (step.place, _joined(source, step))
                for step in file.step
                if step.on == one.id and step.kind == "join"
            ]
            pair = _Pair(one, v2, source.v2_1.operation(one.v2_1), renames, joins)
            found.update(dict.fromkeys(pair.all()))
    errors = [one for one in found if one.part is Part.ERROR]
    rest = [*_unmapped(source, mapped), *errors]
    return [*(one for one in found if one.part is not Part.ERROR), *rest]


class _Pair(msgspec.Struct, frozen=True):
    """One endpoint with its operation on either side; v2's is missing where v2 does not document it."""

    endpoint: Endpoint
    v2: Operation | None
    v2_1: Operation
    renames: Sequence[Rule]
    joins: Sequence[tuple[str, Schema]]
    """What further calls put into the answer, and where."""

    def all(self) -> Iterator[Difference]:
        id_, v2_1 = self.endpoint.id, self.v2_1
        names = (f"v2 {self.endpoint.v2}", f"v2.1 {v2_1.name}")
        yield Difference(id_, Part.CALL, Kind.CALL, self.endpoint.v2, v2_1.name, names)
        if self.v2 is None:
            return
        yield from self._query(self.v2)
        if self.v2.request is not None and v2_1.request is not None:
            yield from self._bodies(Part.REQUEST, self.v2.request, v2_1.request)
        ours, theirs = _success(self.v2), _success(v2_1)
        if ours is not None and theirs is not None:
            yield from self._bodies(Part.ANSWER, ours, theirs)
        yield from self._statuses(self.v2)
        for status, schema in self.v2.answers.items():
            other = v2_1.answers.get(status)
            if status >= 400 and schema is not None and other is not None:
                yield from self._bodies(Part.ERROR, schema, other)

    def _query(self, v2: Operation) -> Iterator[Difference]:
        for name in dict.fromkeys((*v2.query, *self.v2_1.query)):
            ours, theirs = v2.query.get(name), self.v2_1.query.get(name)
            place = f"?{name}"
            names = (f"v2 {v2.name} {place}", f"v2.1 {self.v2_1.name} {place}")
            if ours is None or theirs is None:
                kind = Kind.ONLY_V2 if theirs is None else Kind.ONLY_V2_1
                yield Difference(self.endpoint.id, Part.QUERY, kind, place, names=names)
            elif ours.schema.types != theirs.schema.types:
                details = f"{_types(ours.schema)} in v2, {_types(theirs.schema)} in v2.1"
                yield Difference(self.endpoint.id, Part.QUERY, Kind.TYPE, place, details, names)

    def _statuses(self, v2: Operation) -> Iterator[Difference]:
        for status in sorted(v2.answers.keys() ^ self.v2_1.answers.keys()):
            kind = Kind.ONLY_V2 if status in v2.answers else Kind.ONLY_V2_1
            names = (f"v2 {v2.name} {status}", f"v2.1 {self.v2_1.name} {status}")
            yield Difference(self.endpoint.id, Part.STATUS, kind, str(status), names=names)

    def _bodies(self, part: Part, v2: Schema, v2_1: Schema) -> Iterator[Difference]:
        moved = {one.native: one.place[0] for one in self.renames}
        ours = dict(v2.walk())
        theirs = {moved.get(place, place): one for place, one in v2_1.walk()}
        for place, schema in self.joins if part is Part.ANSWER else ():
            theirs.update((place + below, one) for below, one in schema.walk() if below)
        for place in dict.fromkeys((*ours, *theirs)):
            parent = place.rpartition("/")[0]
            if place and (parent not in ours or parent not in theirs):
                continue
            for kind, details in _unlike(place, ours, theirs):
                yield self._difference(part, kind, place, details, (ours.get(place) or theirs[place]).codec)

    def _difference(self, part: Part, kind: Kind, place: str, details: str, codec: str) -> Difference:
        document = "request" if part is Part.REQUEST else "answer"
        names = (
            f"v2 {self.endpoint.v2} {document} {place}",
            f"v2.1 {self.v2_1.name} {document} {place}",
            f"v2 error {place}",
            f"v2.1 error {place}",
        )
        if part is Part.ERROR:
            return Difference("", part, kind, place, details, names[2:], codec)
        return Difference(self.endpoint.id, part, kind, place, details, names[:2], codec)


def _unlike(place: str, ours: dict[str, Schema], theirs: dict[str, Schema]) -> Iterator[tuple[Kind, str]]:
    """In which ways one place differs."""
    v2, v2_1 = ours.get(place), theirs.get(place)
    if v2 is None or v2_1 is None:
        yield (Kind.ONLY_V2 if v2_1 is None else Kind.ONLY_V2_1), ""
        return
    if set(v2.types) != set(v2_1.types):
        narrower = {*v2_1.types} <= {*v2.types, *(("integer",) if "number" in v2.types else ())}
        yield (Kind.NARROWER if narrower else Kind.TYPE), f"{_types(v2)} in v2, {_types(v2_1)} in v2.1"
    for kind, words in ((Kind.VALUES_V2, _more(v2, v2_1)), (Kind.VALUES_V2_1, _more(v2_1, v2))):
        if words:
            yield kind, ", ".join(words)
    if v2.read_only and not v2_1.read_only:
        yield Kind.STORED, ""
    parent, _, name = place.rpartition("/")
    if place and name != "*" and (name in ours[parent].required) != (name in theirs[parent].required):
        yield (Kind.REQUIRED_V2 if name in ours[parent].required else Kind.REQUIRED_V2_1), ""


def _more(one: Schema, other: Schema) -> list[str]:
    return [word for word in one.enum if other.enum and word not in other.enum]


def _types(schema: Schema) -> str:
    return " or ".join(schema.types) or "anything"


def _success(operation: Operation) -> Schema | None:
    return next((one for status, one in sorted(operation.answers.items()) if one and status < 300), None)


def _joined(source: Source, step: Step) -> Schema:
    """What the further call of a step answers."""
    return _success(source.v2_1.operation(step.call.partition("?")[0])) or Schema()


def _unmapped(source: Source, mapped: set[str]) -> Iterator[Difference]:
    for version, contract in (("v2", source.v2), ("v2.1", source.v2_1)):
        for name in contract.operations:
            if f"{version} {name}" not in mapped:
                kind = Kind.ONLY_V2 if version == "v2" else Kind.ONLY_V2_1
                yield Difference("", Part.CALL, kind, name, names=(f"{version} {name}",))
