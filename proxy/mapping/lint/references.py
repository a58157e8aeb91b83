"""Names that must lead somewhere: ids, endpoints, operations, cases, switches, the record's members, faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from proxy.errors import Fault
from proxy.mapping.lint.finding import Finding, FindingKind, nearest
from proxy.mapping.lint.scope import Scope, placeholders
from proxy.mapping.model import Claim, Endpoint, Resource, Setting

if TYPE_CHECKING:
    from proxy.mapping.api import Source

API = "api.toml"
ACCEPTED = "accepted.toml"


def claims(source: Source) -> Iterator[tuple[str, Claim]]:
    """Every codec, table entry, rule and step, with its file."""
    yield from ((API, one) for one in source.api.codec)
    yield from ((source.api.values, one) for table in source.values.table for one in table.entry)
    for file, resource in zip(source.api.resources, source.resources, strict=True):
        yield from ((file, one) for one in (*resource.rule, *resource.step))


def references(source: Source) -> Iterator[Finding]:
    """Everything whose name leads nowhere, or that has the name of something else."""
    yield from _ids(source)
    for file, claim in claims(source):
        yield from _switches(source, file, claim.id, claim.when)
    for one in source.accepted:
        yield from _switches(source, ACCEPTED, one.id, one.when)
    for member in source.api.error.member:
        for name, values in member.when.items():
            for value in values:
                yield from _switches(source, API, f"error.{member.name}", {name: value})
    seen: dict[str, str] = {}
    for file, resource in zip(source.api.resources, source.resources, strict=True):
        for endpoint in resource.endpoint:
            yield from _endpoint(source, file, endpoint, seen)
        for rule in resource.rule:
            yield from _on(file, resource, rule, rule.on)
        for step in resource.step:
            yield from _on(file, resource, step, [step.on])
        yield from _reads(file, resource)


def _refer(file: str, rule: str, place: str, message: str, way_out: str) -> Finding:
    return Finding(FindingKind.REFERENCE, file, place, rule, message, way_out)


def _ids(source: Source) -> Iterator[Finding]:
    known = [(file, one.id) for file, one in claims(source)]
    for file, resource in zip(source.api.resources, source.resources, strict=True):
        known += [(file, one.id) for one in resource.endpoint]
    known += [(ACCEPTED, one.id) for one in source.accepted]
    seen: dict[str, str] = {}
    for file, name in known:
        if name in seen:
            yield _refer(
                file, name, "id", f"the id stands in {seen[name]} already", "give each its own, logs name it"
            )
        seen.setdefault(name, file)


def _switches(source: Source, file: str, rule: str, when: Mapping[str, Setting]) -> Iterator[Finding]:
    for name, value in when.items():
        switch = source.api.compat.get(name)
        if switch is None:
            yield _refer(file, rule, "when", f"there is no switch '{name}'", nearest(name, source.api.compat))
        elif value not in switch.values:
            allowed = " or ".join(map(repr, switch.values))
            yield _refer(
                file, rule, "when", f"compat.{name} is never {value!r}, so it never holds", f"write {allowed}"
            )


def _on(file: str, resource: Resource, claim: Claim, on: Sequence[str]) -> Iterator[Finding]:
    cases = {one.id: one.cases for one in resource.endpoint}
    for name in on:
        if name not in cases:
            yield _refer(file, claim.id, "on", f"there is no endpoint '{name}'", nearest(name, cases))
        elif claim.case.removeprefix("!") not in {"", *cases[name]}:
            wrong = claim.case.removeprefix("!")
            yield _refer(
                file, claim.id, "case", f"endpoint {name} has no case '{wrong}'", nearest(wrong, cases[name])
            )


def _endpoint(source: Source, file: str, one: Endpoint, seen: dict[str, str]) -> Iterator[Finding]:
    if one.v2 in seen:
        yield _refer(
            file,
            one.id,
            "v2",
            f"endpoint {seen[one.v2]} answers {one.v2} already",
            "keep one of the two",
        )
    seen.setdefault(one.v2, one.id)
    if one.v2 not in source.v2.operations and not one.undocumented:
        yield _refer(
            file,
            one.id,
            "v2",
            f"the v2 contract has no operation '{one.v2}'",
            nearest(one.v2, source.v2.operations),
        )
    if one.v2 in source.v2.operations and one.undocumented:
        yield _refer(
            file, one.id, "undocumented", f"the v2 contract has {one.v2}", "remove undocumented = true"
        )
    if one.v2_1 not in source.v2_1.operations:
        known = nearest(one.v2_1, source.v2_1.operations)
        yield _refer(file, one.id, "v2-1", f"the v2.1 contract has no operation '{one.v2_1}'", known)
    for name in placeholders(one.v2_1):
        if name not in placeholders(one.v2):
            way_out = nearest(name, placeholders(one.v2))
            yield _refer(file, one.id, "v2-1", f"nothing in v2's path fills {{{name}}}", way_out)
    yield from _refusal(source, file, one)


def _reads(file: str, resource: Resource) -> Iterator[Finding]:
    """Reads that would write to v2.1: reads are repeated to compare the two versions, and nothing may be written twice."""
    calls = [(one.id, one.id, "v2-1", one.v2_1) for one in resource.endpoint]
    calls += [
        (one.on, one.id, place, call)
        for one in resource.step
        for place, call in (("call", one.call), ("then", one.then), ("create", one.create))
    ]
    reads = {one.id for one in resource.endpoint if one.v2.startswith("GET ")}
    for endpoint, name, place, call in calls:
        if endpoint in reads and call and not call.startswith("GET "):
            message = f"{endpoint} reads in v2, and in v2.1 it would be a {call.partition(' ')[0]}"
            yield _refer(
                file, name, place, message, "call GET, since reads are repeated to compare the versions"
            )


def _refusal(source: Source, file: str, one: Endpoint) -> Iterator[Finding]:
    if one.refuse is None:
        return
    yield from _switches(source, file, one.id, one.refuse.when)
    codes = [fault.code for fault in Fault]
    if one.refuse.fault not in codes:
        yield _refer(
            file,
            one.id,
            "refuse.fault",
            f"'{one.refuse.fault}' is no code of docs/errors.md",
            nearest(one.refuse.fault, codes),
        )


def endpoint_details(source: Source, scope: Scope) -> Iterator[Finding]:
    """Cases and status rows of an endpoint whose operations are known."""
    one, file = scope.endpoint, scope.file
    known = scope.v2.query if scope.v2 else {}
    chosen: dict[tuple[str, str], str] = {}
    for name, case in one.cases.items():
        if case.query not in known:
            message = f"case '{name}' is never selected, v2 has no query parameter '{case.query}'"
            yield _refer(file, one.id, f"cases.{name}", message, nearest(case.query, known))
        if (case.query, case.equals) in chosen:
            message = f"never selected, case '{chosen[case.query, case.equals]}' has the same condition"
            place = f"cases.{name}"
            yield Finding(FindingKind.UNREACHABLE, file, place, one.id, message, "remove one of the two")
        elif not any(claim.case.removeprefix("!") == name for claim in (*scope.rules, *scope.steps)):
            message = f"no rule and no step reads case '{name}'"
            place = f"cases.{name}"
            yield Finding(FindingKind.UNREACHABLE, file, place, one.id, message, "remove it, or name it")
        chosen.setdefault((case.query, case.equals), name)
    for native, status in one.status.items():
        place = f"status.{native}"
        if native not in map(str, scope.v2_1.answers):
            answers = [*map(str, scope.v2_1.answers)]
            yield _refer(
                file, one.id, place, f"{scope.v2_1.name} has no status {native}", nearest(native, answers)
            )
        if isinstance(status, str):
            yield from _status_switch(source, file, one.id, place, status)


def _status_switch(source: Source, file: str, rule: str, place: str, name: str) -> Iterator[Finding]:
    switch = source.api.compat.get(name)
    if switch is None:
        yield _refer(file, rule, place, f"there is no switch '{name}'", nearest(name, source.api.compat))
    elif not all(isinstance(value, int) for value in switch.values):
        yield _refer(
            file, rule, place, f"compat.{name} has values that are no status", "name a switch of numbers"
        )


def record_details(file: str, resource: Resource, found: list[Scope]) -> Iterator[Finding]:
    """The record's members: in a path, a request body, a query and an answer of some endpoint."""
    answered = {name.rpartition("/")[2] for one in found for name in one.answer_v2.schemas}
    known = {
        "path": {name for one in resource.endpoint for name in placeholders(one.v2)},
        "body": {name for one in found if one.v2 and one.v2.request for name in one.v2.request.members},
        "query": {name for one in found if one.v2 for name in one.v2.query},
        "stamp": answered,
    }
    known |= dict.fromkeys(("created", "link"), answered) | {"parent": known["path"]}
    optional = {"body", "query", "parent", "created", "link"}
    for key, names in known.items():
        value = getattr(resource.record, key)
        if value not in names and (value or key not in optional):
            what = f"v2 has no '{value}' there in any endpoint"
            yield _refer(file, "", f"record.{key}", what, nearest(value, sorted(names)))


def told_apart(source: Source) -> Iterator[tuple[str, list[Setting]]]:
    """Switches with values between which nothing makes a difference: name and those values."""
    conditions = [one.when for _, one in claims(source)]
    endpoints = [one for file in source.resources for one in file.endpoint]
    conditions += [one.refuse.when for one in endpoints if one.refuse]
    direct = {status for one in endpoints for status in one.status.values()}
    listed = [one.when for one in source.api.error.member]
    for name, switch in source.api.compat.items():
        groups: dict[tuple[bool, ...], list[Setting]] = {}
        for value in switch.values:
            exact = [when[name] == value for when in conditions if name in when]
            among = [value in when[name] for when in listed if name in when]
            groups.setdefault((*exact, *among), []).append(value)
        if name not in direct:
            yield from ((name, values) for values in groups.values() if len(values) > 1)
