"""What a check looks at: one endpoint with its two operations, its rules and steps, and the places of its documents."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING

from proxy.mapping.contract import Contract, Operation, Schema
from proxy.mapping.model import Claim, Endpoint, Resource, Rule, Setting, Step, Switch

if TYPE_CHECKING:
    from proxy.mapping.api import Source

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Places:
    """Every place of a document by pointer, and those that the object they stand in always has."""

    schemas: Mapping[str, Schema]
    required: frozenset[str] = frozenset()

    @classmethod
    def of(cls, schemas: Iterable[Schema | None], prefix: str = "") -> Places:
        """The places of some schemas together; where two have one place, the first describes it."""
        found: dict[str, Schema] = {}
        required: set[str] = set()
        for schema in schemas:
            for pointer, one in schema.walk(prefix) if schema else ():
                found.setdefault(pointer, one)
                required.update(f"{pointer}/{name}" for name in one.required)
        return cls(found, frozenset(required))

    def replaced(self, place: str, other: Places) -> Places:
        """These places with what stands at `place` taken from another document, where it always stands."""
        kept = {pointer: one for pointer, one in self.schemas.items() if not below(pointer, place)}
        required = {pointer for pointer in self.required if not below(pointer, place)}
        return Places(kept | dict(other.schemas), frozenset(required | other.required | {place}))


@dataclass(frozen=True)
class Scope:
    """One endpoint of a resource file whose operations the contracts know (`v2` may be undocumented)."""

    file: str
    resource: Resource
    endpoint: Endpoint
    v2: Operation | None
    v2_1: Operation
    contract: Contract
    """v2.1's, for the calls of steps."""

    @cached_property
    def rules(self) -> Sequence[Rule]:
        """The rules on this endpoint."""
        return [one for one in self.resource.rule if self.endpoint.id in one.on]

    @cached_property
    def steps(self) -> Sequence[Step]:
        """The steps of this endpoint."""
        return [one for one in self.resource.step if one.on == self.endpoint.id]

    @cached_property
    def request(self) -> tuple[Places, Places]:
        """The places of a request body: v2's and v2.1's."""
        return Places.of([self.v2.request] if self.v2 else []), Places.of([self.v2_1.request])

    @cached_property
    def answer_v2(self) -> Places:
        """The places of v2's answers to a success."""
        return Places.of(successes(self.v2))

    def answer_native(self, steps: Iterable[Step]) -> Places:
        """The places of v2.1's answers to a success, with what these steps put into them."""
        found = Places.of(successes(self.v2_1))
        for step in steps:
            called = called_operation(self.contract, step.call)
            if step.kind == "join" and called:
                found = found.replaced(step.place, Places.of(successes(called), step.place))
        return found

    @property
    def cases(self) -> Sequence[str]:
        """The cases of the endpoint; the empty one is the plain case."""
        return ("", *self.endpoint.cases)


def scopes(source: Source) -> Iterator[Scope]:
    """Every endpoint that stands on known operations."""
    for file, resource in zip(source.api.resources, source.resources, strict=True):
        for one in resource.endpoint:
            v2, v2_1 = source.v2.operations.get(one.v2), source.v2_1.operations.get(one.v2_1)
            if v2_1 is not None and (v2 is not None or one.undocumented):
                yield Scope(file, resource, one, v2, v2_1, source.v2_1)


def below(pointer: str, place: str) -> bool:
    """Whether a pointer is a place or stands below it."""
    return pointer == place or pointer.startswith(place + "/")


def successes(operation: Operation | None) -> list[Schema | None]:
    """The answers of an operation that are no errors."""
    return [one for status, one in operation.answers.items() if status < 300] if operation else []


def called_operation(contract: Contract, call: str) -> Operation | None:
    """The operation that a step's call (`GET /path/{name}?query`) is, whatever its placeholders are called."""
    return contract.called(call)


def placeholders(template: str) -> list[str]:
    """The names between braces in a path or call template."""
    return _PLACEHOLDER.findall(template)


def cases_of(claim: Claim, cases: Iterable[str]) -> set[str]:
    """The cases out of these in which a declaration holds."""
    if claim.case.startswith("!"):
        return {case for case in cases if case != claim.case[1:]}
    return {case for case in cases if claim.case in {"", case}}


def compatible(one: Claim, other: Claim) -> bool:
    """Whether some setting of the switches has both declarations in it."""
    return all(other.when.get(name, value) == value for name, value in one.when.items())


def settings(compat: Mapping[str, Switch], claims: Iterable[Claim]) -> Iterator[dict[str, Setting]]:
    """Every setting of the switches that these declarations read."""
    names = sorted({name for claim in claims for name in claim.when if name in compat})
    for values in product(*(compat[name].values for name in names)):
        yield dict(zip(names, values, strict=True))


def active(claim: Claim, case: str, setting: Mapping[str, Setting]) -> bool:
    """Whether a declaration holds in a case under a setting."""
    holds = all(setting.get(name) == value for name, value in claim.when.items())
    return holds and bool(cases_of(claim, [case]))
