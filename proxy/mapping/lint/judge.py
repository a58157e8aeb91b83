"""The lint of a mapping: everything about it that does not hold together, all at once, in a fixed order.

`faults` are the findings that would make traffic wrong: with one of them a mapping is not loaded. `findings` adds what
traffic would survive but nobody should ship: holes in the coverage of the two contracts, losses without a reason,
declarations that never act. Coverage is judged only where the declarations themselves are right, so that one mistake
makes one finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from proxy.errors import MappingError
from proxy.mapping.compile import Compiler, codecs
from proxy.mapping.faults import ErrorShape
from proxy.mapping.links import Bases, Links
from proxy.mapping.lint.accepted import entry_findings, settled, universe
from proxy.mapping.lint.coverage import Hole, document_holes, query_holes, status_holes
from proxy.mapping.lint.errors import error_holes, operation_holes, template
from proxy.mapping.lint.finding import Finding, FindingKind
from proxy.mapping.lint.matching import matchings
from proxy.mapping.lint.overlap import overlaps
from proxy.mapping.lint.references import (
    ACCEPTED,
    claims,
    endpoint_details,
    record_details,
    references,
    told_apart,
)
from proxy.mapping.lint.rules import arguments, rule_places
from proxy.mapping.lint.scope import Scope, scopes, settings
from proxy.mapping.lint.steps import step_details
from proxy.mapping.lint.values import speaking_types, value_holes, values
from proxy.mapping.model import Claim, Rule

if TYPE_CHECKING:
    from proxy.mapping.api import Source

_BASES = Bases("http://crossfade", "http://v2", "http://v2-1")
"""Addresses for a trial compilation; nothing is sent."""


def faults(source: Source) -> list[Finding]:
    """What would make traffic wrong: names that lead nowhere, operations that do not fit, two rules for one place.

    A place that the contracts do not have is none of it: what they do not list is unknown, not forbidden.
    """
    found = [*references(source), *arguments(source), *template(source)]
    for scope in scopes(source):
        found += _within(source, scope)
    survived = {FindingKind.UNREACHABLE, FindingKind.PLACE}
    return [*dict.fromkeys(one for one in found if one.kind not in survived)]


def findings(source: Source) -> list[Finding]:
    """Every finding, by file in the order in which the mapping names its files."""
    found = [*references(source), *arguments(source), *_losses(source), *values(source), *template(source)]
    every = [*scopes(source)]
    for file, resource in zip(source.api.resources, source.resources, strict=True):
        found += record_details(file, resource, [one for one in every if one.file == file])
    for scope in every:
        found += _within(source, scope)
    known = [*universe(source)]
    found += entry_findings(source.accepted, known)
    found += _trial(source) if not found else []
    found += _coverage(source, every, found, known)
    order = ["api.toml", source.api.values, *source.api.resources]
    unique = [*dict.fromkeys(found)]
    return sorted(unique, key=lambda one: order.index(one.file) if one.file in order else len(order))


def _within(source: Source, scope: Scope) -> Iterator[Finding]:
    yield from endpoint_details(source, scope)
    yield from rule_places(scope)
    yield from overlaps(scope)
    yield from step_details(scope)


def _losses(source: Source) -> Iterator[Finding]:
    for file, one in claims(source):
        if one.loss and not one.reason:
            yield _loss(file, one, "reason", f"loses something ({one.loss}) without a reason", "write why")
        if one.reason and not one.loss:
            yield _loss(
                file, one, "loss", "gives a reason but no loss", "name the loss, or remove the reason"
            )
        elif isinstance(one, Rule) and one.do == "drop" and not one.loss and not _selects(source, one):
            yield _loss(
                file, one, "loss", "drops something without a loss", "name the loss and give its reason"
            )
        if one.quiet and not one.loss:
            yield _loss(file, one, "quiet", "is quiet about no loss", "name the loss, or remove quiet")


def _selects(source: Source, rule: Rule) -> bool:
    """Whether it drops a query parameter that selects a case: the case takes its place."""
    cases = [
        {case.query for case in endpoint.cases.values()}
        for resource in source.resources
        for endpoint in resource.endpoint
        if endpoint.id in rule.on
    ]
    return rule.at == "query" and all(set(rule.place) <= queries for queries in cases)


def _loss(file: str, one: Claim, place: str, message: str, way_out: str) -> Finding:
    return Finding(FindingKind.LOSS, file, place, one.id, message, way_out)


def _coverage(
    source: Source, every: list[Scope], found: Iterable[Finding], known: Iterable[str]
) -> Iterator[Finding]:
    """Holes of both contracts, left out where a declaration about the very thing is wrong already."""
    found = [one for one in found if one.kind not in {FindingKind.LOSS, FindingKind.ACCEPTED}]
    wrong, files = {one.rule for one in found}, {one.file for one in found}
    if any(one.place == "on" or one.file == ACCEPTED for one in found):
        return  # what stands nowhere may be what every hole waits for
    endpoints = {one.id for file in source.resources for one in file.endpoint}
    steps = {one.id for file in source.resources for one in file.step}
    sound = [
        one
        for one in every
        if not wrong & {one.endpoint.id, *(claim.id for claim in (*one.rules, *one.steps))}
    ]
    holes = [*_document_holes(source, sound, with_values=source.api.values not in files)]
    if not wrong & (endpoints | steps):
        holes += operation_holes(source)
    if not files & {"api.toml"}:
        holes += error_holes(source)
    if not files:
        holes += _switch_holes(source)
    yield from settled(source.accepted, holes, known, whole=not files)


def _document_holes(source: Source, sound: list[Scope], *, with_values: bool) -> Iterator[Hole]:
    speaking, compat = speaking_types(source), source.api.compat
    matched = [one for scope in sound for one in matchings(scope, compat)]
    for one in matched:
        yield from document_holes(one, speaking)
    for scope in sound:
        yield from query_holes(scope, compat)
        yield from status_holes(scope, compat)
    if with_values:
        yield from value_holes(source, matched, speaking)


def _switch_holes(source: Source) -> Iterator[Hole]:
    for name, same in told_apart(source):
        message = f"nothing differs between {' and '.join(map(repr, same))}"
        way_out = "write the rule for one of them, or accept it with a reason in accepted.toml"
        yield Hole(f"compat.{name}", "api.toml", "", message, way_out)


def _trial(source: Source) -> Iterator[Finding]:
    """Compile every endpoint under every setting of the switches that it reads."""
    links = Links(_BASES, source.api.v2.prefix, source.api.v2_1.prefix)
    defaults = {name: one.default for name, one in source.api.compat.items()}
    ErrorShape.compiled(source.api.error, defaults)
    table = codecs(source.api, source.values, links, defaults)
    for scope in scopes(source):
        alone = msgspec.structs.replace(scope.resource, endpoint=[scope.endpoint])
        for setting in settings(source.api.compat, [*scope.rules, *scope.steps]):
            try:
                Compiler(source.v2, source.v2_1, {**defaults, **setting}, table).endpoints(alone)
            except MappingError as error:
                message, _, way_out = str(error).partition("; ")
                yield Finding(FindingKind.COMPILE, scope.file, "", scope.endpoint.id, message, way_out)
