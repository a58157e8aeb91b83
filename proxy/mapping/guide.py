"""The migration guide, written from the mapping files: what an integration changes to call v2.1 itself.

Everything in it comes from the contracts, the rules and their sentences, so it cannot say anything that the program does
not do. `crossfade guide` writes it; a test fails when the page in docs/ is not what would be written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from proxy.mapping.answered import answered
from proxy.mapping.api import Source
from proxy.mapping.differences import Difference, Kind, Part
from proxy.mapping.guide_tables import accepted, losses, switches, table, ticked, when
from proxy.mapping.model import Claim, Endpoint, Resource, Step

_HEAD = """\
# Calling v2.1 yourself

This page says what an integration changes when it stops calling v2 and calls v2.1 without crossfade, what crossfade does
for it until then, and what crossfade cannot carry. It is written by `crossfade guide` from the files under `mappings/`;
change those, not this page. Names in `code` are ids of the mapping files: `crossfade explain` and the divergence log use the
same ones. Pointers name places in a JSON body; `*` stands for each element of an array. F§ and a number name a section of
the fact sheet that the mapping files cite.
"""

_WORDS: Mapping[tuple[Part, Kind], str] = {
    (Part.QUERY, Kind.ONLY_V2): "No longer accepted: {places}.",
    (Part.QUERY, Kind.ONLY_V2_1): "New: {places}.",
    (Part.QUERY, Kind.TYPE): "Of another type: {places} ({details}).",
    (Part.REQUEST, Kind.ONLY_V2): "No longer accepted: {places}.",
    (Part.REQUEST, Kind.ONLY_V2_1): "New: {places}.",
    (Part.REQUEST, Kind.REQUIRED_V2): "No longer required: {places}.",
    (Part.REQUEST, Kind.REQUIRED_V2_1): "Now required: {places}.",
    (Part.REQUEST, Kind.TYPE): "Of another type: {places} ({details}).",
    (Part.REQUEST, Kind.NARROWER): "Of a narrower type: {places} ({details}).",
    (Part.REQUEST, Kind.VALUES_V2): "Values that {places} no longer has: {details}.",
    (Part.REQUEST, Kind.VALUES_V2_1): "Values that {places} may also have: {details}.",
    (Part.REQUEST, Kind.STORED): "Leave out what v2 ignored and v2.1 stores: {places}.",
    (Part.ANSWER, Kind.ONLY_V2): "No longer there: {places}.",
    (Part.ANSWER, Kind.ONLY_V2_1): "New: {places}.",
    (Part.ANSWER, Kind.REQUIRED_V2): "Always there in v2, perhaps missing now: {places}.",
    (Part.ANSWER, Kind.REQUIRED_V2_1): "Now always there: {places}.",
    (Part.ANSWER, Kind.TYPE): "Of another type: {places} ({details}).",
    (Part.ANSWER, Kind.NARROWER): "Of a narrower type, which needs no change: {places} ({details}).",
    (Part.ANSWER, Kind.VALUES_V2): "Values that no longer occur in {places}: {details}.",
    (Part.ANSWER, Kind.VALUES_V2_1): "Be ready for new values in {places}: {details}.",
    (Part.STATUS, Kind.ONLY_V2): "Documented by v2 only, to be handled all the same: {places}.",
    (Part.STATUS, Kind.ONLY_V2_1): "Be ready for {places}.",
}


def guide(source: Source) -> str:
    """The whole page; raises `MappingError` naming each difference that nothing answers for."""
    rows = answered(source)
    parts = [
        _HEAD,
        *(_endpoint(file, one, rows) for file in source.resources for one in file.endpoint),
        _other_calls(rows),
        _values(source),
        _errors(source, rows),
        "## What crossfade cannot carry\n\n" + losses(source),
        "## Switches\n\nOpen questions about the platform are switches under `[compat]` in the configuration.\n\n"
        + switches(source),
        "## Accepted differences\n\nNo rule bridges these, on purpose.\n\n" + accepted(source),
        "## Every difference between the two contracts\n\n" + _all(rows),
    ]
    return "\n".join(part.rstrip() + "\n" for part in parts)


def _endpoint(file: Resource, endpoint: Endpoint, rows: Iterable[tuple[Difference, tuple[str, ...]]]) -> str:
    own = [one for one, _ in rows if one.endpoint == endpoint.id]
    lines = [f"## `{endpoint.id}`", "", endpoint.says, ""]
    lines += [f"`{endpoint.v2}` becomes `{endpoint.v2_1}`.", ""]
    for part in (Part.QUERY, Part.REQUEST, Part.ANSWER, Part.STATUS):
        said = list(_said([one for one in own if one.part is part]))
        if said:
            lines += [f"**{part.value}**", "", *said, ""]
    lines += ["**Until then crossfade does this for you**", "", *_done(file, endpoint)]
    return "\n".join(lines)


def _said(found: Sequence[Difference]) -> Iterator[str]:
    """One sentence for all places that differ in the same way."""
    alike: dict[tuple[Part, Kind, str], list[str]] = {}
    for one in found:
        alike.setdefault((one.part, one.kind, one.details), []).append(one.place)
    for (part, kind, details), places in alike.items():
        words = _WORDS[Part.ANSWER if part is Part.ERROR else part, kind]
        yield "- " + words.format(places=ticked(places), details=details)


def _done(file: Resource, endpoint: Endpoint) -> Iterator[str]:
    """The rules, steps, cases and statuses of an endpoint, in the words of the mapping files."""
    yield f"- Sends the call as `{endpoint.v2_1}`. (`{endpoint.id}`)"
    if endpoint.refuse is not None:
        yield f"- Refuses the call: {endpoint.refuse.detail}. (`{endpoint.id}`{when(endpoint.refuse.when)})"
    for native, status in endpoint.status.items():
        shown = f"the value of `compat.{status}`" if isinstance(status, str) else f"{status}"
        yield f"- Answers {native} as {shown}. (`{endpoint.id}`)"
    for rule in file.rule:
        if endpoint.id in rule.on:
            yield f"- {rule.says} (`{rule.id}`{_held(rule, endpoint)})"
    for step in file.step:
        if step.on == endpoint.id:
            yield f"- {step.says}{_calls(step)} (`{step.id}`{_held(step, endpoint)})"


def _calls(step: Step) -> str:
    calls = ticked(one for one in (step.call, step.then, step.create) if one)
    return f" It calls {calls}." if calls else ""


def _held(claim: Claim, endpoint: Endpoint) -> str:
    """Under which query and which switches a declaration holds."""
    case = endpoint.cases.get(claim.case.removeprefix("!"))
    without = "without" if claim.case.startswith("!") else "with"
    asked = f", {without} `?{case.query}={case.equals}`" if case else ""
    return asked + when(claim.when)


def _other_calls(rows: Iterable[tuple[Difference, tuple[str, ...]]]) -> str:
    lines = ["## Other calls", ""]
    for one, ids in rows:
        if one.part is Part.CALL and not one.endpoint:
            lines.append(f"- `{one.place}`: {one.kind.value}. ({ticked(ids)})")
    return "\n".join(lines)


def _values(source: Source) -> str:
    lines = ["## Links, times and values", ""]
    lines += [f"- {one.says} (`{one.id}`)" for one in source.api.codec]
    lines += [
        "",
        f"Paths and links begin with `{source.api.v2_1.prefix}` instead of `{source.api.v2.prefix}`.",
        "",
    ]
    entries = [(name.type, one) for name in source.values.table for one in name.entry]
    rows = [
        (f"`{kind}`", f"`{one.v2_1}`", f"`{one.v2}`", f"`{one.id}`{when(one.when)}") for kind, one in entries
    ]
    return "\n".join(lines) + "\n" + table(("values", "v2.1", "as v2 callers read it", "by"), rows)


def _errors(source: Source, rows: Iterable[tuple[Difference, tuple[str, ...]]]) -> str:
    said = _said([one for one, _ in rows if one.part is Part.ERROR])
    members = ticked(one.name for one in source.api.error.member)
    return "\n".join(
        ["## Errors", "", *said, f"- Until then crossfade answers errors with the members of v2: {members}."]
    )


def _all(rows: Iterable[tuple[Difference, tuple[str, ...]]]) -> str:
    cells = [
        (
            f"`{one.endpoint}`" if one.endpoint else "all",
            one.part.value,
            f"`{one.place}`",
            f"`{one.details}` in v2.1" if one.kind is Kind.CALL else one.kind.value + _details(one),
            ticked(ids),
        )
        for one, ids in rows
    ]
    return table(("endpoint", "part", "place", "difference", "answered by"), cells)


def _details(one: Difference) -> str:
    return f": {one.details}" if one.details else ""
