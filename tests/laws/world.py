"""The mapping under proof: its endpoints, which of them read and write the same record, and driving an exchange."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from proxy.exchange import Asked, Exchange, Reply, exchange
from proxy.mapping import model
from proxy.mapping.api import CompiledMapping, Source, load
from proxy.mapping.contract import Operation, Schema
from proxy.mapping.links import Bases
from proxy.mapping.model import Setting
from proxy.types import Answer, Call
from proxy.wire.target import parameters

PUBLIC = "http://localhost:8080"
PLATFORM = "https://api-engage-eu.sitecorecloud.io"
ALIAS = "https://api.boxever.com"
BASES = Bases(PUBLIC, PLATFORM, PLATFORM, (ALIAS,))
PARENT = "0B8BD2D0-8f14-4f43-a1cf-5f2a9f4c1f9e"
"""The record that all others belong to, where they belong to one."""
HEADERS = [(b"Authorization", b"Basic dTpw"), (b"Content-Type", b"application/json")]

Switches: TypeAlias = tuple[tuple[str, Setting], ...]


@dataclass(frozen=True)
class Side:
    """One endpoint with what both contracts say of it."""

    spec: model.Endpoint
    record: model.Record
    v2: Operation
    native: Operation

    @property
    def method(self) -> str:
        """v2's method."""
        return self.v2.method

    @property
    def single(self) -> bool:
        """Whether it is about one record, which its path names."""
        return self.v2.path.endswith("}")

    @property
    def reads(self) -> bool:
        """Whether it only reads."""
        return self.method == "GET"

    @cached_property
    def shown(self) -> Schema:
        """What v2 promises for a success."""
        return success(self.v2)

    @cached_property
    def stored(self) -> Schema:
        """What v2.1 promises for a success."""
        return success(self.native)


def success(operation: Operation) -> Schema:
    """The body that an operation promises for its first success."""
    return next((one for status, one in sorted(operation.answers.items()) if status < 300 and one), Schema())


@dataclass(frozen=True)
class World:
    """A mapping folder, and the mapping compiled with the switches that a case asks for."""

    source: Source
    maxima: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """The largest value of a v2 query parameter, by operation and name, as the contract states it."""
    ready: dict[Switches, CompiledMapping] = field(default_factory=dict, compare=False)

    def mapping(self, switches: Switches) -> CompiledMapping:
        """The mapping with these switches, compiled once."""
        if switches not in self.ready:
            self.ready[switches] = self.source.compiled(dict(switches), BASES)
        return self.ready[switches]

    @cached_property
    def sides(self) -> dict[str, Side]:
        """Every endpoint that the v2 contract knows, by its id."""
        return {
            one.id: Side(
                one, file.record, self.source.v2.operation(one.v2), self.source.v2_1.operation(one.v2_1)
            )
            for file in self.source.resources
            for one in file.endpoint
            if not one.undocumented
        }

    @cached_property
    def choices(self) -> list[Switches]:
        """The default switches, and each other value of each switch alone."""
        others = [
            ((name, value),)
            for name, switch in self.source.api.compat.items()
            for value in switch.values
            if value != switch.default
        ]
        return [(), *others]

    def heeded(self, side: Side) -> list[Switches]:
        """Those choices that this endpoint's rules and steps, the value tables or the error body read."""
        rules = [one for file in self.source.resources for one in file.rule if side.spec.id in one.on]
        steps = [one for file in self.source.resources for one in file.step if one.on == side.spec.id]
        entries = [one for table in self.source.values.table for one in table.entry]
        claims: list[model.Claim] = [*rules, *steps, *entries]
        names = {name for one in claims for name in one.when}
        names |= {name for one in self.source.api.error.member for name in one.when}
        names |= {name for name in side.spec.status.values() if isinstance(name, str)}
        return [one for one in self.choices if not one or one[0][0] in names]

    def chosen(self, side: Side, switches: Switches) -> set[str]:
        """The rules that refuse a member of a request to this endpoint because the operator chose that they do."""
        rules = [one for file in self.source.resources for one in file.rule if side.spec.id in one.on]
        held = dict(switches).items()
        parted = {one.id for one in self.splits(side)}
        return parted | {one.id for one in rules if one.do == "refuse" and one.when.items() <= held}

    def constants(self, side: Side) -> dict[str, str]:
        """The members that a request to this endpoint can only have one value for, or a record that it answers."""
        rules = [one for file in self.source.resources for one in file.rule if side.spec.id in one.on]
        return {one.place[0].removeprefix("/"): str(one.value) for one in rules if one.do == "constant"}

    def made_up(self, side: Side) -> list[tuple[str, str]]:
        """The members of an answer that may have been made up, each with the one that it is made of first."""
        rules = [one for file in self.source.resources for one in file.rule if side.spec.id in one.on]
        made = [one for one in rules if one.do == "default" and one.sources]
        return [(one.place[0].rpartition("/")[2], one.sources[0]) for one in made]

    def splits(self, side: Side) -> list[model.Step]:
        """The steps that take members of a request to this endpoint to another part of the record."""
        steps = [one for file in self.source.resources for one in file.step if one.on == side.spec.id]
        return [one for one in steps if one.kind == "split"]

    def native_word(self, leaf: str, word: str) -> str:
        """What v2.1 calls a word of v2."""
        entries = [one for table in self.source.values.table if table.type == leaf for one in table.entry]
        both = {one.v2: one.v2_1 for one in entries if one.direction == "both"}
        return both.get(word, word)

    @cached_property
    def renamed(self) -> set[str]:
        """The entries of value tables that v2 itself reads in v2.1's word, since both versions share one store."""
        entries = [one for table in self.source.values.table for one in table.entry]
        return {one.id for one in entries if one.direction == "both"}

    def reader(self, side: Side) -> Side:
        """The endpoint that reads the record which `side` writes."""
        return next(
            one for one in self.sides.values() if one.reads and one.single and one.record == side.record
        )

    def writers(self, side: Side) -> list[Side]:
        """The endpoints that replace the record which `side` reads."""
        return [
            one
            for one in self.sides.values()
            if one.v2.request is not None and one.single and one.record == side.record
        ]

    def policies(self, side: Side) -> frozenset[str]:
        """What a request to this endpoint may say instead of leaving a member out (named once per endpoint)."""
        rules = [one for file in self.source.resources for one in file.rule if side.spec.id in one.on]
        return frozenset(one.do for one in rules if one.do in {"drop-null", "drop-unset"})


def world(folder: Path) -> World:
    """A mapping folder as the laws see it."""
    source = load(folder)
    document = json.loads((folder / source.api.v2.contract).read_text("utf-8"))
    return World(source, dict(_maxima(document)))


def _maxima(
    document: dict[str, dict[str, dict[str, dict[str, list[dict[str, dict[str, int]]]]]]],
) -> Iterator[tuple[tuple[str, str], int]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            for one in operation.get("parameters", ()):
                if "maximum" in one["schema"]:
                    yield (f"{method.upper()} {path}", str(one["name"])), one["schema"]["maximum"]


def asked(
    mapping: CompiledMapping, side: Side, ref: str = "", query: bytes = b"", body: bytes = b""
) -> Asked:
    """A v2 request as traffic would match it."""
    path = side.v2.path.replace("{" + side.record.path + "}", ref)
    found = mapping.paths.match(path.replace("{" + side.record.parent + "}", PARENT).encode())
    assert found is not None, side.v2.path
    methods, held = found
    headers = HEADERS if body else HEADERS[:1]
    return Asked(methods[side.method], held, parameters(query), list(headers), body)


@dataclass
class Drive:
    """One exchange that was driven by hand, with the calls it made."""

    calls: list[Call]
    reply: Reply

    @property
    def carried(self) -> Call:
        """The call that carries the request: the first with a body."""
        return next(one for one in self.calls if one.body)


def drive(mapping: CompiledMapping, request: Asked, platform: Platform) -> Drive:
    """Run an exchange against a platform; raises what the exchange raises."""
    running: Exchange = exchange(mapping, request)
    calls: list[Call] = []
    try:
        call = next(running)
        while True:
            calls.append(call)
            call = running.send(platform.answer(call))
    except StopIteration as end:
        return Drive(calls, end.value)


class Platform:
    """Whoever answers v2.1 calls."""

    def answer(self, call: Call) -> Answer:
        """v2.1's answer."""
        raise NotImplementedError
