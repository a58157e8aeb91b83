"""The contract check: whether what v2.1 said, translated, is what v2 promises its callers. It costs no call."""

from __future__ import annotations

from collections.abc import Iterator

from proxy.errors import CrossfadeError
from proxy.evidence.difference import Difference, DifferenceKind, side
from proxy.evidence.observation import Observation
from proxy.evidence.walk import MemberName
from proxy.json import check_document
from proxy.mapping.api import CompiledMapping
from proxy.mapping.check import Checker, Finding
from proxy.mapping.nodes import Firing

_BODY = "body"
"""What the exchange says when it cannot name who gave a translation up."""


def contract_differences(
    observation: Observation, mapping: CompiledMapping, member_name: MemberName
) -> list[Difference]:
    """Every breach, each once, and every declared loss that is to be told; empty when the answer fits.

    A loss carries its rule's id, so it is expected; so does what the mapping accepts with a reason. Quiet losses
    are only counted.
    """
    found = dict.fromkeys(_losses(observation, mapping)) if observation.trace else {}
    found.update(dict.fromkeys(_breaches(observation, mapping, member_name)))
    return list(found)


def _breaches(
    observation: Observation, mapping: CompiledMapping, member_name: MemberName
) -> Iterator[Difference]:
    if observation.untranslated:
        yield untranslatable(observation.untranslated)
        return
    status, body = observation.answer.status, observation.answer.body
    endpoint = observation.endpoint
    checker = endpoint.answers.get(status)
    if checker is None and status not in endpoint.statuses.union(endpoint.status.values()):
        yield Difference("", "status", None, status)
    elif checker is None:
        return  # the mapping lets this status through; v2 promises nothing about its body
    elif not checker.fits(body):
        yield from _findings(checker, observation, mapping, member_name)


def _findings(
    checker: Checker, observation: Observation, mapping: CompiledMapping, member_name: MemberName
) -> Iterator[Difference]:
    body = observation.answer.body
    try:
        check_document(body)
        findings = checker.findings(body)
    except CrossfadeError:
        yield Difference("", "type" if body.strip() else "missing", promised(checker.schema.types), None)
        return
    for one in findings:
        yield _difference(one, member_name, _accepted(one, observation, mapping))


def _accepted(finding: Finding, observation: Observation, mapping: CompiledMapping) -> str | None:
    """The entry that accepts a word that v2 does not list, or a member that v2.1 did not give either."""
    if finding.kind == "enum":
        return mapping.accepts_word(finding.codec, finding.name)
    taken = any(one.pointer == finding.pointer and one.after is None for one in observation.trace)
    if finding.kind != "missing" or taken:
        return None
    return mapping.accepts_gap(observation.endpoint, finding.pointer)


def _difference(finding: Finding, member_name: MemberName, accepted: str | None) -> Difference:
    pointer = finding.pointer
    if finding.kind == "extra":
        pointer = pointer.removesuffix("{unknown}") + f"{{unknown:{member_name(finding.name)}}}"
    match finding.kind:
        case "missing":
            return Difference(
                pointer, "missing", promised(tuple(finding.expected.split(" or "))), None, accepted
            )
        case "extra":
            return Difference(pointer, "extra", None, finding.found)
        case "type":
            return Difference(pointer, "type", promised(tuple(finding.expected.split(" or "))), finding.found)
        case _:
            return Difference(pointer, finding.kind, "string", "string", accepted)


def _losses(observation: Observation, mapping: CompiledMapping) -> Iterator[Difference]:
    for one in observation.trace:
        claim = mapping.losses.get(one.rule)
        if claim is not None and not claim.quiet:
            yield Difference(one.pointer, _how(one), side(one.before), side(one.after), one.rule)


def _how(firing: Firing) -> DifferenceKind:
    return "missing" if firing.after is None else "extra" if firing.before is None else "value"


def untranslatable(who: str, pointer: str = "") -> Difference:
    """What has no counterpart on the other side; `who` is the rule or the place that gave up, as far as it is known."""
    if who.startswith("/"):
        return Difference(who, "untranslatable", None, None)
    return Difference(pointer, "untranslatable", None, None, who if who not in {"", _BODY} else None)


def promised(types: tuple[str, ...]) -> str | None:
    """The JSON kind of the first of a contract's types; OpenAPI's integers are JSON's numbers."""
    name = types[0] if types else None
    return "number" if name == "integer" else name
