"""The whole mapping: read from a folder once, compiled with an operator's switches, asked for each request."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from proxy.errors import ConfigError, MappingError
from proxy.mapping.codecs import Codec
from proxy.mapping.compile import Compiler, codecs
from proxy.mapping.contract import Contract
from proxy.mapping.endpoint import Endpoint
from proxy.mapping.faults import ErrorShape
from proxy.mapping.links import Bases, Links
from proxy.mapping.lint import faults
from proxy.mapping.lint.accepted import FILE as ACCEPTED
from proxy.mapping.lint.accepted import VALUE, Accept, Accepted, accepted, accepted_words
from proxy.mapping.lint.finding import Finding
from proxy.mapping.lint.form import Reader
from proxy.mapping.lint.values import OPEN
from proxy.mapping.model import Api, Claim, Resource, Setting, Values
from proxy.mapping.paths import Paths

SHIPPED = Path(__file__).parents[2] / "mappings"
"""The mappings that come with the program."""


@dataclass(frozen=True)
class Source:
    """The mapping files, read and checked for their form, not yet compiled."""

    api: Api
    values: Values
    resources: Sequence[Resource]
    v2: Contract
    v2_1: Contract
    accepted: Sequence[Accept] = ()
    """What may stay unclaimed, with reasons."""

    def switches(self, chosen: Mapping[str, Setting]) -> dict[str, Setting]:
        """Every `[compat]` switch with its value: the operator's, else the default.

        Raises `ConfigError` for a switch or a value that does not exist, naming the nearest one.
        """
        for name, value in chosen.items():
            switch = self.api.compat.get(name)
            if switch is None:
                raise ConfigError(f"compat.{name}: there is no such switch{_nearest(name, self.api.compat)}")
            if value not in switch.values or isinstance(value, bool):
                allowed = ", ".join(map(repr, switch.values))
                raise ConfigError(f"compat.{name}: {value!r} is not allowed; choose one of {allowed}")
        return {name: chosen.get(name, switch.default) for name, switch in self.api.compat.items()}

    @property
    def writes(self) -> dict[str, bool]:
        """Every endpoint's id, and whether it writes."""
        return {one.id: not one.v2.startswith("GET ") for file in self.resources for one in file.endpoint}

    def compiled(self, chosen: Mapping[str, Setting], bases: Bases) -> CompiledMapping:
        """The mapping, ready for traffic, with the operator's switches and addresses."""
        compat = self.switches(chosen)
        links = Links(bases, self.api.v2.prefix, self.api.v2_1.prefix)
        table = codecs(self.api, self.values, links, compat)
        left = accepted(self.accepted, compat)
        compiler = Compiler(self.v2, self.v2_1, compat, table, accepted_words(left))
        endpoints = [one for file in self.resources for one in compiler.endpoints(file)]
        return CompiledMapping(
            endpoints={one.id: one for one in endpoints},
            paths=_by_path(self.resources, endpoints),
            shape=ErrorShape.compiled(self.api.error, compat),
            links=links,
            codecs=table,
            prefix_v2=self.api.v2.prefix.encode(),
            prefix_v2_1=self.api.v2_1.prefix.encode(),
            family=tuple(one.encode() for one in self.api.family),
            losses={one.id: one for one in self.claims() if one.loss},
            accepted=left,
        )

    def claims(self) -> Iterator[Claim]:
        """Every declaration of the mapping: codecs, table entries, rules, steps."""
        yield from self.api.codec
        for table in self.values.table:
            yield from table.entry
        for file in self.resources:
            yield from (*file.rule, *file.step)


@dataclass(frozen=True)
class CompiledMapping:
    """A compiled mapping. `paths` gives the endpoints at a raw v2 path by method."""

    endpoints: Mapping[str, Endpoint]
    paths: Paths[Mapping[str, Endpoint]]
    shape: ErrorShape
    links: Links
    codecs: Mapping[str, Codec]
    prefix_v2: bytes
    prefix_v2_1: bytes
    family: tuple[bytes, ...]
    losses: Mapping[str, Claim]
    """The declarations that lose something, by id: a rule, a codec, a table entry."""
    accepted: Mapping[str, str]
    """What callers may meet although v2 does not promise it: accepted places, and the ids of their entries."""

    def accepts_word(self, leaf_type: str, word: str) -> str | None:
        """The entry that accepts a word of v2.1 which v2 does not list; `None` when none does."""
        name = f"{VALUE}{leaf_type} "
        return self.accepted.get(name + word) or self.accepted.get(name + OPEN)

    def accepts_gap(self, endpoint: Endpoint, pointer: str) -> str | None:
        """The entry that accepts an answer without this member; `None` when none does."""
        return self.accepted.get(f"v2 {endpoint.v2_method} {endpoint.v2_path} answer {pointer}")


def load(folder: Path) -> Source:
    """Read a mapping folder; raises `MappingError` with a line for each finding: file, place, rule, way out."""
    source = read(folder)
    found = source if isinstance(source, list) else faults(source)
    if isinstance(source, list) or found:
        raise MappingError("\n".join(map(str, found)))
    return source


def read(folder: Path) -> Source | list[Finding]:
    """The files of a folder as they are, or every mistake of form in them. What they say is not judged."""
    reader = Reader(folder)
    api = reader.toml("api.toml", Api)
    if api is None:
        return reader.found
    values = reader.toml(api.values, Values)
    resources = [reader.toml(name, Resource) for name in api.resources]
    v2, v2_1 = reader.contract(api.v2.contract), reader.contract(api.v2_1.contract)
    left = reader.toml(ACCEPTED, Accepted) if (folder / ACCEPTED).exists() else Accepted()
    ready = [one for one in resources if one is not None]
    if values is None or v2 is None or v2_1 is None or left is None or reader.found:
        return reader.found
    return Source(api=api, values=values, resources=ready, v2=v2, v2_1=v2_1, accepted=left.accept)


def _by_path(resources: Sequence[Resource], endpoints: Sequence[Endpoint]) -> Paths[Mapping[str, Endpoint]]:
    ready = {one.id: one for one in endpoints}
    table: dict[str, dict[str, Endpoint]] = {}
    for file in resources:
        for one in file.endpoint:
            method, _, path = one.v2.partition(" ")
            table.setdefault(path, {})[method] = ready[one.id]
    return Paths(table)


def _nearest(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"; did you mean '{near[0]}'?" if near else f"; there are {', '.join(known)}"
