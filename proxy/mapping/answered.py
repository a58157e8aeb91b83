"""Who answers for each difference between the contracts: a rule, a codec's table, a status row, a step, an accepted entry."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from proxy.errors import MappingError
from proxy.mapping.api import Source
from proxy.mapping.declared import error_id
from proxy.mapping.differences import Difference, Kind, Part, differences
from proxy.mapping.model import Endpoint, Resource, Rule, Step


def answered(source: Source) -> list[tuple[Difference, tuple[str, ...]]]:
    """Every difference with the ids that answer for it; raises `MappingError` naming those that nothing answers for."""
    found = [(one, tuple(dict.fromkeys(_answers(source, one)))) for one in differences(source)]
    open_ones = [one for one, ids in found if not ids]
    if open_ones:
        lines = "\n".join(
            f"{one}: nothing answers for it; write a rule, or accept {one.names[-1]} with a reason in accepted.toml"
            for one in open_ones
        )
        raise MappingError(lines)
    return found


def _answers(source: Source, one: Difference) -> Iterator[str]:
    for file in source.resources:
        for endpoint in file.endpoint:
            if endpoint.id == one.endpoint:
                yield from _declared(source, file, endpoint, one)
        if one.part is Part.CALL:
            yield from (step.id for step in file.step if _bare(one.place) in _called(step))
    if one.kind in {Kind.VALUES_V2, Kind.VALUES_V2_1}:
        yield from _entries(source, one)
    if one.kind in {Kind.TYPE, Kind.NARROWER}:
        yield from (codec.id for codec in source.api.codec if codec.type == one.codec)
    if one.part is Part.ERROR or (
        one.part is Part.STATUS and one.kind is Kind.ONLY_V2 and int(one.place) >= 400
    ):
        yield from _error_members(source, one)
    for entry in source.accepted:
        if any(_within(name, place) for name in one.names for place in entry.place):
            yield entry.id


def _declared(source: Source, file: Resource, endpoint: Endpoint, one: Difference) -> Iterator[str]:
    """What the endpoint itself, and its rules, have to say."""
    match one.part:
        case Part.CALL:
            yield endpoint.id
        case Part.STATUS:
            if one.place in _statuses(source, endpoint):
                yield endpoint.id
        case Part.QUERY:
            yield from _rules(file, one, {"query"}, one.place.removeprefix("?"))
            if any(f"?{case.query}" == one.place for case in endpoint.cases.values()):
                yield endpoint.id
        case Part.REQUEST:
            yield from _rules(file, one, {"request", "both"}, one.place)
            yield from _carries(file, one)
            if one.kind is Kind.REQUIRED_V2:  # the endpoint goes on refusing what v2 refuses
                yield endpoint.id
        case _:
            yield from _rules(file, one, {"answer", "both"}, one.place)
            yield from _carries(file, one)
            if _needs_nobody(one):
                yield endpoint.id


def _rules(file: Resource, one: Difference, at: Iterable[str], place: str) -> Iterator[str]:
    for rule in file.rule:
        held = one.endpoint in rule.on and rule.at in at
        if held and any(_speaks(rule, above, place) for above in rule.place):
            yield rule.id


def _speaks(rule: Rule, above: str, place: str) -> bool:
    """Whether a rule that stands at `above` decides what becomes of `place`."""
    match rule.do:
        case "drop-null" | "drop-unset" | "frozen":
            return False
        case "keep-only":
            return _reduced(rule, above, place)
        case "collection":
            return place == above or (bool(rule.members) and _reduced(rule, f"{above}/*", place))
        case _:
            return _within(place, above)


def _reduced(rule: Rule, above: str, place: str) -> bool:
    """Whether a place lies below a member that the rule leaves out."""
    below = place.removeprefix(f"{above}/")
    return below != place and below.partition("/")[0] not in rule.members


def _needs_nobody(one: Difference) -> bool:
    """Whether whatever v2.1 answers here is what v2 allows as well, so that it passes as it comes."""
    return one.part is Part.ANSWER and one.kind in {Kind.NARROWER, Kind.REQUIRED_V2_1}


def _statuses(source: Source, endpoint: Endpoint) -> set[str]:
    """The statuses that the endpoint's table speaks of, on either side; a switch stands for all that it may hold."""
    held = [
        source.api.compat[one].values if isinstance(one, str) else [one] for one in endpoint.status.values()
    ]
    return {*endpoint.status, *(str(one) for values in held for one in values)}


def _entries(source: Source, one: Difference) -> Iterator[str]:
    words = set(one.details.split(", "))
    entries = [entry for table in source.values.table if table.type == one.codec for entry in table.entry]
    named = {(entry.v2 if one.kind is Kind.VALUES_V2 else entry.v2_1): entry.id for entry in entries}
    if words <= named.keys():
        yield from (named[word] for word in sorted(words))


def _error_members(source: Source, one: Difference) -> Iterator[str]:
    name = one.place.removeprefix("/") if one.part is Part.ERROR else "status"
    for member in source.api.error.member:
        if name == member.name or name in member.source:
            yield error_id(member)


def _called(step: Step) -> set[str]:
    """The calls of a step, whatever fills them."""
    return {_bare(one.partition("?")[0]) for one in (step.call, step.then, step.create)}


def _bare(call: str) -> str:
    return re.sub(r"\{[^{}]*\}", "{}", call)


def _carries(file: Resource, one: Difference) -> Iterator[str]:
    """The steps that take a member to another part of the record, or bring it from there."""
    for step in file.step:
        around = f"{step.place}/*" if step.kind == "gather" and step.place else ""
        if step.on == one.endpoint and any(_within(one.place, f"{around}/{name}") for name in step.members):
            yield step.id


def _within(place: str, around: str) -> bool:
    return place == around or place.startswith(f"{around}/")
