"""What may stay unclaimed: `accepted.toml`, each entry with its reason, and whether each is still needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from proxy.mapping.contract import Contract, Operation
from proxy.mapping.lint.coverage import Hole
from proxy.mapping.lint.errors import error_members
from proxy.mapping.lint.finding import Finding, FindingKind, nearest
from proxy.mapping.lint.scope import successes
from proxy.mapping.lint.values import OPEN, leaf_words
from proxy.mapping.model import Grade, Setting

if TYPE_CHECKING:
    from proxy.mapping.api import Source

FILE = "accepted.toml"
VALUE = "v2.1 value "
"""How the name of a word of v2.1 begins, as a place; the leaf type and the word follow."""


class Accept(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Places of the contracts that no rule claims, and why that is right. docs/check.md says how they are named."""

    id: str
    place: list[str]
    says: str
    grade: Grade
    reason: str
    when: dict[str, Setting] = {}
    """Switches that must have these values, else it accepts nothing."""


class Accepted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`accepted.toml`: all accepted entries."""

    accept: list[Accept] = []


def accepted(entries: Sequence[Accept], switches: Mapping[str, Setting]) -> dict[str, str]:
    """Every accepted place under these switches, and the id of its entry."""
    held = [one for one in entries if one.when.items() <= switches.items()]
    return {place: one.id for one in held for place in one.place}


def accepted_words(places: Iterable[str]) -> frozenset[str]:
    """The words among accepted places."""
    values = (one.removeprefix(VALUE) for one in places if one.startswith(VALUE))
    return frozenset(one.partition(" ")[2] for one in values)


def entry_findings(entries: Sequence[Accept], universe: Iterable[str]) -> Iterator[Finding]:
    """Entries without a reason, and places that do not exist or stand twice."""
    known = [*universe]
    exists = set(known)
    seen: dict[str, str] = {}
    for one in entries:
        if not one.reason:
            yield Finding(FindingKind.LOSS, FILE, "reason", one.id, "is empty", "write why it may be left")
        for place in one.place:
            if place not in exists:
                message = f"there is no '{place}'"
                yield _finding(one, place, message, nearest(place, known))
            elif place in seen:
                yield _finding(one, place, f"{seen[place]} accepts it already", "remove one of the two")
            seen.setdefault(place, one.id)


def settled(
    entries: Sequence[Accept], holes: Iterable[Hole], universe: Iterable[str], *, whole: bool
) -> Iterator[Finding]:
    """Holes that no entry accepts; when `whole` (every hole was looked for), also entries that accept none."""
    accepting: dict[str, list[Accept]] = {}
    for one in entries:
        for place in one.place:
            accepting.setdefault(place, []).append(one)
    found: set[str] = set()
    open_: dict[str, Hole] = {}
    for hole in holes:
        if any(one.when.items() <= hole.setting.items() for one in accepting.get(hole.place, ())):
            found.add(hole.place)
        else:
            open_.setdefault(hole.place, hole)
    for hole in open_.values():
        yield Finding(FindingKind.UNCOVERED, hole.file, hole.place, hole.rule, hole.message, hole.way_out)
    exists = {*universe}
    for one in entries:
        for place in one.place:
            if whole and place in exists and place not in found:
                yield _finding(one, place, "the mapping claims it anyway", "remove the place")


def _finding(one: Accept, place: str, message: str, way_out: str) -> Finding:
    return Finding(FindingKind.ACCEPTED, FILE, place, one.id, message, way_out)


def universe(source: Source) -> Iterator[str]:
    """Everything that can be accepted, by name."""
    for side, contract in (("v2", source.v2), ("v2.1", source.v2_1)):
        for operation in contract.operations.values():
            yield from _operation_names(side, operation)
        yield from (f"{side} error /{name}" for name in error_members(contract))
        yield from _value_names(side, contract)
    for endpoint in (one for file in source.resources for one in file.endpoint):
        yield from _joined(source, endpoint.id, endpoint.v2_1)
    yield from (f"compat.{name}" for name in source.api.compat)


def _operation_names(side: str, operation: Operation) -> Iterator[str]:
    name = f"{side} {operation.name}"
    yield name
    yield from (f"{name} ?{one}" for one in operation.query)
    yield from (f"{name} {status}" for status in operation.answers)
    for what, schemas in (("request", [operation.request]), ("answer", successes(operation))):
        places = {place: None for schema in schemas if schema for place, _ in schema.walk() if place}
        yield from (f"{name} {what} {place}" for place in places)


def _joined(source: Source, endpoint: str, operation: str) -> Iterator[str]:
    """What the steps of an endpoint put into the answer."""
    for step in (one for file in source.resources for one in file.step):
        called = source.v2_1.operations.get(step.call.partition("?")[0])
        if step.on == endpoint and step.kind == "join":
            for schema in successes(called):
                places = [place for place, _ in schema.walk(step.place)] if schema else []
                yield from (f"v2.1 {operation} answer {place}" for place in places)


def _value_names(side: str, contract: Contract) -> Iterator[str]:
    for kind, words in leaf_words(contract).items():
        yield from (f"{side} value {kind} {word}" for word in (*words.closed, *words.banned, OPEN))
