"""A pure model of the platform: one store, read and written through v2.1 by the words of its contract alone.

It is strict where the real one may be lenient: a body or a query that v2.1's contract does not promise to take is a
`Breach`, except for members and parameters that neither contract knows. It reads schemas and the resource's record
declaration; it has never heard of rules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from msgspec.json import decode

from proxy.mapping.contract import Operation, Schema
from proxy.mapping.model import Record
from proxy.types import Answer, Call
from proxy.wire.target import decoded, parameters, split
from tests.laws.documents import token
from tests.laws.known import PART, Terms, checker
from tests.laws.trees import Tree, members, written
from tests.laws.world import PARENT, PLATFORM, Platform, World, success

CREATED = b'"2026-03-01T10:00:00.123Z"'
MODIFIED = b'"2026-03-02T11:30:00.456Z"'
NEW = "5f7a1c2e-0000-4d52-8a8e-00000000abcd"
_FRACTION = re.compile(rb"\.\d+(?=[Z+-])")
_JSON = (b"Content-Type", b"application/json")


class Breach(AssertionError):  # noqa: N818 - the word for it; it is never caught by name
    """A call that v2.1's contract does not allow."""


@dataclass
class State:
    """What the platform holds: records by ref in v2.1's shape, children by ref and relation, the page around a list."""

    records: dict[str, dict[str, Tree]] = field(default_factory=dict)
    children: dict[tuple[str, str], list[dict[str, Tree]]] = field(default_factory=dict)
    page: dict[str, Tree] = field(default_factory=dict)
    parts: dict[str, dict[str, Tree]] = field(default_factory=dict)
    """What v2.1 keeps beside a record, as flat pairs, by the record's ref."""
    whole_seconds: bool = False
    """v2.1 prints no part of a second (F§10.13)."""
    layout: int = 0
    relations: dict[str, Tree] = field(default_factory=dict)
    """What a new record shows for each relation: `{}` or an empty list of links."""
    conflict: bool = False
    """A create of a record that is there is refused with 409."""
    error: Answer | None = None
    """What every call is answered with."""


class Store(Platform):
    """Answers v2.1 calls out of a state, which it changes."""

    def __init__(self, world: World, state: State, record: Record) -> None:
        self._terms = Terms.of(world.source.v2, world.source.v2_1)
        self._record = record
        self._stamps = self._terms.stamps
        own = [one for one in world.sides.values() if one.record == record]
        self._home = next(one.native.path for one in own if one.reads and one.single)
        self._lists = {one.native.path for one in own if one.reads and not one.single}
        self.state = replace(state, records=dict(state.records), parts=dict(state.parts))

    def answer(self, call: Call) -> Answer:
        """v2.1's answer; raises `Breach`."""
        path, query = split(call.target)
        operation, ref = self._operation(call.method, path.decode())
        known = self._queries(operation, query or b"")
        if operation.request is not None:
            self._takes(operation, call.body)
        elif call.body:
            raise Breach(f"{operation.name} takes no body")
        if self.state.error is not None:
            return self.state.error
        if operation.path.endswith(PART) and operation.path != self._home:
            return self._part(operation, ref, call.body)
        if not self._home.endswith("}") and operation.path == self._home:
            ref = next(iter(self.state.records), "")  # there is one of it, which no path names
        if operation.method == "GET":
            return self._read(operation, ref, known)
        return self._changed(operation, ref, call.body)

    def _read(self, operation: Operation, ref: str, known: Mapping[str, str]) -> Answer:
        if operation.path in self._lists:
            return self._list(operation)
        if operation.path == self._home or operation.path.endswith("}"):
            return self._one(operation, ref, 200)
        return self._children(operation, ref, known)

    def _changed(self, operation: Operation, ref: str, body: bytes) -> Answer:
        match operation.method:
            case "POST":
                return self._create(operation, body)
            case "DELETE":
                self.state.records.pop(ref, None)
                return Answer(204, [])
        return self._write(operation, ref, body)

    def _operation(self, method: str, path: str) -> tuple[Operation, str]:
        for pattern, one in self._terms.operations:
            found = pattern.fullmatch(path)
            if found and one.method == method:
                return one, found[1] if found.groups() else ""
        raise Breach(f"v2.1 has no {method} {path}")

    def _queries(self, operation: Operation, query: bytes) -> dict[str, str]:
        """The parameters that v2.1 knows; one that only v2 knows is a breach, as are numbers above v2.1's limit."""
        pairs = {name.decode(): decoded(value or b"") for name, value in parameters(query)}
        for name, value in pairs.items():
            if name in self._terms.queries and name not in operation.query:
                raise Breach(f"{operation.name} has no query parameter {name}")
            if name == "limit" and int(value or 0) > 100:
                raise Breach("a limit above 100")
        return pairs

    def _takes(self, operation: Operation, body: bytes) -> None:
        assert operation.request is not None
        for finding in checker(operation.request).findings(body):
            around = finding.pointer.rpartition("/")[0]
            if finding.kind != "extra" or finding.name in self._terms.spoken(operation.path, around):
                raise Breach(
                    f"{operation.name} does not take {finding.pointer} {finding.name}: {finding.kind}"
                )

    def _create(self, operation: Operation, body: bytes) -> Answer:
        sent = members(body)
        same = [
            ref
            for ref, one in self.state.records.items()
            if self._record.body and one.get(self._record.body) == sent.get(self._record.body)
        ]
        if self.state.conflict and same:
            text = token("The resource already exists.").decode()
            return Answer(409, [_JSON], f'{{"status":409,"code":409,"message":{text}}}'.encode())
        self.state.records[NEW] = dict.fromkeys(self._stamps, CREATED)
        made = self._write(operation, NEW, body)
        return Answer(201, [*made.headers, (b"Location", decode(self._link(NEW)).encode())], made.body)

    def _write(self, operation: Operation, ref: str, body: bytes) -> Answer:
        """A PUT or POST replaces what callers write; a PATCH leaves what it does not name."""
        before, sent = self.state.records[ref], members(body)
        assert operation.request is not None
        answered = success(operation).members
        own = {name for name in answered if name not in operation.request.members or name in self._stamps}
        kept = {name: one for name, one in before.items() if name in own or operation.method == "PATCH"}
        shown = {name: one for name, one in self.state.relations.items() if name in answered}
        self.state.records[ref] = {**shown, **kept, self._record.stamp: MODIFIED, **sent}
        return self._one(operation, ref, 200)

    def _part(self, operation: Operation, ref: str, body: bytes) -> Answer:
        """A part of a record: at most 100 flat pairs whose names are plain words (F§3.7)."""
        there = self.state.parts.get(ref)
        if operation.method != "POST" and there is None:
            return Answer(404, [_JSON], b'{"status":404,"code":404,"message":"Not found"}')
        if body:
            sent = members(body)
            if there is not None and operation.method == "POST":
                raise Breach("the part is there already")
            for name, value in sent.items():
                if (
                    not re.fullmatch(r"[A-Za-z0-9]+", name)
                    or not isinstance(value, bytes)
                    or value == b"null"
                ):
                    raise Breach(f"no pair: {name}")
            if len(sent) > 100:
                raise Breach("more than 100 pairs")
            self.state.parts[ref] = sent
        own = {name: token(one) for name, one in (("name", "ext"), ("key", "default"), ("ref", NEW))}
        stamps = {"createdAt": CREATED, "modifiedAt": MODIFIED, "href": token(f"{PLATFORM}/v2.1/part")}
        made = {**own, **stamps, **self.state.parts[ref]}
        return self._say(made, operation, 201 if operation.method == "POST" else 200)

    def _link(self, ref: str) -> bytes:
        path = self._home.rpartition("/")[0] + f"/{ref}" if self._home.endswith("}") else self._home
        return token(PLATFORM + re.sub(r"\{\w+\}", PARENT, path))

    def _one(self, operation: Operation, ref: str, status: int) -> Answer:
        if ref not in self.state.records:
            return Answer(404, [_JSON], b'{"status":404,"code":404,"message":"Not found"}')
        made = {**self.state.records[ref], "ref": token(ref), "href": self._link(ref)}
        return self._say(made, operation, status)

    def _list(self, operation: Operation) -> Answer:
        items: list[Tree] = [
            {**one, "ref": token(ref), "href": self._link(ref)} for ref, one in self.state.records.items()
        ]
        return self._say({**self.state.page, "items": items}, operation, 200)

    def _children(self, operation: Operation, ref: str, known: Mapping[str, str]) -> Answer:
        name = operation.path.rpartition("/")[2]
        each: list[dict[str, Tree]] = self.state.children.get((ref, name), [])[
            : int(known.get("limit", "10"))
        ]
        if known.get("expand") != "true":
            each = [{"href": one["href"]} for one in each]
        return self._say({**self.state.page, "items": list(each)}, operation, 200)

    def _say(self, made: Tree, operation: Operation, status: int) -> Answer:
        shown = cut(made, success(operation)) if self.state.whole_seconds else made
        return Answer(status, [_JSON], written(shown, self.state.layout))


def cut(made: Tree, schema: Schema) -> Tree:
    """A document whose times carry no part of a second."""
    match made:
        case dict():
            inside = schema.members
            return {
                name: cut(value, inside[name]) if name in inside else value for name, value in made.items()
            }
        case list():
            return [cut(one, schema.items) for one in made] if schema.items else made
    return _FRACTION.sub(b"", made) if schema.codec == "timestamp" else made
