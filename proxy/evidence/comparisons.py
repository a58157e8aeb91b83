"""The comparisons that ask: what the other version says to the same read, and what a write has left in both.

    shadow_read      v2 has answered       → the same read through v2.1
    reverse_shadow   v2.1 has answered     → the same read through v2
    read_back        a write was answered  → its record through v2, then through v2.1

Where a difference is left that nothing accounts for, the side that was read first is read once more: what has changed
there in the meantime is a race.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import NamedTuple, TypeVar

from msgspec import Raw
from msgspec.structs import replace

from proxy.errors import Refused, Untranslatable
from proxy.evidence.classify import Reason, Verdict, classify, failed, skipped
from proxy.evidence.compare import Found, steps
from proxy.evidence.contract import untranslatable
from proxy.evidence.difference import Difference
from proxy.evidence.hidden import hidden
from proxy.evidence.observation import Observation
from proxy.evidence.reading import Budget, Ended, Reading, bare, readable
from proxy.evidence.walk import MemberName, TooManyNodes
from proxy.exchange import Asked, Reply
from proxy.json import Kind, kind, open_object
from proxy.mapping.api import CompiledMapping
from proxy.mapping.paths import fill
from proxy.types import Answer
from proxy.wire.headers import first

T = TypeVar("T")

_CONDITIONAL = frozenset({206, 304, 412, 416})
"""Answers to conditions and ranges, which a translated call does not carry (wire.md)."""


class _First(NamedTuple):
    """What was read first of a comparison's two answers, and how to read it once more."""

    answer: Answer
    again: Callable[[], Awaitable[Answer]]


class Comparisons:
    """Makes the reads and judges what they give. Each raises `Ended` where something stands in the way."""

    def __init__(self, budget: Budget, member_name: MemberName) -> None:
        self._budget = budget
        self._member_name = member_name

    async def shadow_read(self, seen: Observation, asked: Asked, mapping: CompiledMapping) -> Verdict:
        """v2's answer against what the caller would have got from v2.1."""
        reading = Reading(self._budget, seen.caller, asked)
        v2 = self._reference(reading, seen.answer)

        async def again() -> Answer:
            return await reading.v2(asked, mapping)

        return await self._through_v2_1(reading, _First(v2, again), asked, mapping)

    async def reverse_shadow(self, seen: Observation, asked: Asked, mapping: CompiledMapping) -> Verdict:
        """v2.1's answer, as the caller got it, against v2's."""
        reading = Reading(self._budget, seen.caller, asked)
        answer = self._reference(reading, seen.answer)
        v2 = await reading.v2(asked, mapping)

        async def again() -> Answer:
            return (await reading.v2_1(asked, mapping)).answer

        reply = Reply(answer, seen.native or answer, list(seen.trace))
        return await self._settled(v2, reply, asked, mapping, _First(answer, again))

    async def read_back(self, seen: Observation, asked: Asked, mapping: CompiledMapping) -> Verdict:
        """The record that a write was about, through both versions."""
        reading = Reading(self._budget, seen.caller, asked)
        self._reference(reading, seen.answer)
        record = record_read(asked, readable(seen.answer, self._budget.settings.max_body), mapping)
        if record is None:
            return skipped("no_record")
        v2 = await reading.v2(record, mapping)

        async def again() -> Answer:
            return await reading.v2(record, mapping)

        return await self._through_v2_1(reading, _First(v2, again), record, mapping)

    def _reference(self, reading: Reading, answer: Answer) -> Answer:
        """The answer that the caller has, readable, if it deserves a call."""
        reason = reading.heed(answer) or _unfit(answer)
        if reason is not None:
            raise Ended(skipped(reason))
        return readable(answer, self._budget.settings.max_body)

    async def _through_v2_1(
        self, reading: Reading, first_read: _First, asked: Asked, mapping: CompiledMapping
    ) -> Verdict:
        v2 = first_read.answer
        try:
            reply = await reading.v2_1(asked, mapping)
        except Untranslatable as error:
            return _untranslatable(v2, error)
        except Refused as error:
            status = error.fault.status
            if v2.status != status:
                return _untranslatable(v2, error)
            own = Answer(status, [], mapping.shape.own(status, error.message, error.detail))
            reply = Reply(own, own, [])
        return await self._settled(v2, reply, asked, mapping, first_read)

    async def _settled(
        self, v2: Answer, reply: Reply, asked: Asked, mapping: CompiledMapping, first_read: _First
    ) -> Verdict:
        """The verdict on two answers, one of which was read first."""
        found = await sliced(steps(v2, reply, asked.endpoint, mapping, self._member_name))
        differences = list(found)
        if any(one.unexpected for one in found):
            try:
                after = await first_read.again()
                same = Reply(after, after, [])
                changed = await sliced(
                    steps(first_read.answer, same, asked.endpoint, mapping, self._member_name)
                )
                differences = raced(found, changed)
            except (Ended, Refused, Untranslatable):
                pass  # nothing shows that it changed
        verdict = classify(differences, (v2.status, reply.answer.status))
        return replace(verdict, hidden=hidden(reply.trace, mapping))


async def sliced(running: Generator[None, None, T]) -> T:
    """Run a comparison, letting others run in each of its pauses. Raises `Ended` where there is no comparing."""
    try:
        while True:
            next(running)
            await asyncio.sleep(0)
    except StopIteration as end:
        result: T = end.value
        return result
    except TooManyNodes:
        raise Ended(skipped("too_large")) from None
    except Refused:
        raise Ended(failed("ambiguous_json")) from None


def raced(found: Found, changed: Found) -> list[Difference]:
    """The differences, of which those are excused that lie where the first side has changed meanwhile, and nowhere else.

    `changed` is how two readings of that side differ: at the same place, or in the stamp of the object around it. An
    element that changed excuses nothing in its neighbours, which are told apart by their keys.
    """
    places = set[str]().union(*changed.values())
    stamps = (at for one, at in changed.items() if one.excuse == "race")
    stamped = tuple(f"{where.rpartition('/')[0]}/" for at in stamps for where in at)

    def accounted(where: str) -> bool:
        return where in places or where.startswith(stamped)

    return [
        replace(one, excuse="race") if one.unexpected and all(map(accounted, at)) else one
        for one, at in found.items()
    ]


def record_read(asked: Asked, answer: Answer, mapping: CompiledMapping) -> Asked | None:
    """The read of the record that a write was about: at the write's own path, or for a create at the answer's own link."""
    record = asked.endpoint.record
    if record.path in asked.parameters:
        found = mapping.paths.match(fill(asked.endpoint.v2_path, asked.parameters))
    else:
        found = mapping.paths.match(_link(answer.body, record.link, mapping))
    if found is None or "GET" not in found[0]:
        return None
    return bare(Asked(found[0]["GET"], found[1], [], asked.headers, b""))


def _link(body: bytes, name: str, mapping: CompiledMapping) -> bytes:
    """The path in v2 of the link that an answer carries as its own; empty where there is none."""
    whole = Raw(body.strip(b" \t\r\n"))
    try:
        own = open_object(whole).get(name) if kind(whole) is Kind.OBJECT else None
        path = None if own is None else mapping.links.path_of(bytes(own))
    except Refused:
        return b""
    return b"" if path is None else mapping.prefix_v2 + path.partition("?")[0].encode()


def _unfit(answer: Answer) -> Reason | None:
    """Why an answer deserves no call."""
    length = first(answer.headers, b"content-length")
    if answer.status in _CONDITIONAL:
        return "conditional"
    if answer.status >= 500:
        return "v2_failed"
    return "no_body" if not answer.body and answer.status != 204 and length not in {None, b"0"} else None


def _untranslatable(v2: Answer, error: Refused | Untranslatable) -> Verdict:
    cause = error.__cause__
    inner = cause if isinstance(cause, Refused | Untranslatable) else error
    found = untranslatable(error.rule or inner.rule or "", error.pointer or inner.pointer)
    return classify([found], (v2.status, None))
