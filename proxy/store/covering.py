"""What of the contract a comparison has touched: places, enumerated values, statuses. Never a value that a caller chose.

A place counts where v2's contract has it, and a value where the contract itself enumerates it. Whatever else stands in a
body is passed over, so a name in the store is always a name of the contract.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

from proxy.evidence.classify import Verdict
from proxy.evidence.observation import Observation
from proxy.mapping.contract import Schema

Part: TypeAlias = Literal["asked", "answered", "asked_value", "answered_value", "status"]
"""What was touched: a place in a request or an answer, a value of one, a status."""

_SAYS_NOTHING = frozenset({"failed", "skipped"})
_ELEMENTS = 20
"""Elements of one array that are looked at."""


class Touch(NamedTuple):
    """One thing of the contract."""

    part: Part
    name: str


def touched(observation: Observation, verdict: Verdict) -> Iterator[Touch]:
    """Everything that a finished comparison has touched; nothing for one that says nothing. A thing may come twice."""
    if verdict.cls in _SAYS_NOTHING:
        return
    endpoint, answer = observation.endpoint, observation.answer
    if answer.status in endpoint.statuses:
        yield Touch("status", str(answer.status))
    if answer.status < 300:
        yield from _places(endpoint.schemas.get(answer.status), answer.body, "answered", "answered_value")
        if endpoint.check is not None and observation.asked is not None:
            yield from _places(endpoint.check.schema, observation.asked.body, "asked", "asked_value")


def fired(observation: Observation, verdict: Verdict) -> set[str]:
    """The declarations that acted in this comparison, by id: what was changed, explained or hidden."""
    acted = {one.rule for one in observation.trace}
    if verdict.differences or verdict.hidden:
        acted.update(one.rule for one in verdict.differences if one.rule)
        acted.update(verdict.hidden)
    acted.discard("")
    return acted


def _places(schema: Schema | None, body: bytes, part: Part, value: Part) -> Iterator[Touch]:
    if schema is None or not body:
        return
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return
    yield from _below(document, schema, "", part, value)


def _below(found: Any, schema: Schema, pointer: str, part: Part, value: Part) -> Iterator[Touch]:
    yield Touch(part, pointer)
    if schema.members and isinstance(found, dict):
        for name, member in schema.members.items():
            if name in found:
                yield from _below(found[name], member, f"{pointer}/{name}", part, value)
    elif schema.items is not None and isinstance(found, list):
        for one in found[:_ELEMENTS]:
            yield from _below(one, schema.items, f"{pointer}/*", part, value)
    elif isinstance(found, str) and found in schema.enum:
        yield Touch(value, f"{pointer}={found}")


def promised(request: Schema | None, answers: dict[int, Schema | None]) -> Iterator[Touch]:
    """Everything of the contract that one operation could touch: what coverage is out of."""
    for status in answers:
        yield Touch("status", str(status))
    success = [schema for status, schema in answers.items() if status < 300]
    yield from _promised(request, "asked", "asked_value")
    for schema in success:
        yield from _promised(schema, "answered", "answered_value")


def _promised(schema: Schema | None, part: Part, value: Part) -> Iterator[Touch]:
    if schema is None:
        return
    for pointer, place in schema.walk():
        yield Touch(part, pointer)
        for word in place.enum:
            yield Touch(value, f"{pointer}={word}")
