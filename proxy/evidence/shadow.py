"""A shadow read: the same read through v2.1, in the background, compared with what v2 has answered."""

from __future__ import annotations

import asyncio

from proxy.config.model import Shadow
from proxy.errors import CrossfadeError, Refused, Untranslatable, UpstreamFailed
from proxy.evidence.classify import Reason, Verdict, classify, failed, skipped
from proxy.evidence.compare import steps
from proxy.evidence.contract import untranslatable
from proxy.evidence.difference import Difference
from proxy.evidence.limits import Limits, pause_asked
from proxy.evidence.walk import MemberName, TooManyNodes
from proxy.exchange import Asked, Reply, exchange
from proxy.mapping.api import CompiledMapping
from proxy.mapping.endpoint import Endpoint
from proxy.types import Answer
from proxy.upstream.engine import Engine
from proxy.wire.coding import Undecodable, decode_body
from proxy.wire.headers import first

_DENIED = frozenset({401, 403})
_CONDITIONAL = frozenset({206, 304, 412, 416})
"""Answers to conditions and ranges, which a translated call does not carry (wire.md)."""
_FAULTS: dict[str, Reason] = {
    "UNREACHABLE": "unreachable",
    "BROKEN": "broken",
    "TIMEOUT": "timeout",
    "OVERLOADED": "overloaded",
}
"""Why a call failed; every other fault of an upstream is a bad answer."""


class _Ended(CrossfadeError):  # noqa: N818 - carries how the comparison ended
    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.cls)
        self.verdict = verdict


class ShadowReads:
    """Makes shadow reads and judges them."""

    def __init__(self, engine: Engine, settings: Shadow, member_name: MemberName) -> None:
        self._engine = engine
        self._settings = settings
        self._member_name = member_name
        self._limits = Limits(settings.max_calls_per_second)

    def settle(self, engine: Engine, settings: Shadow) -> None:
        """Read with these from now on; callers and credentials that wait go on waiting while the rate stays the same."""
        if settings.max_calls_per_second != self._settings.max_calls_per_second:
            self._limits = Limits(settings.max_calls_per_second)
        self._engine, self._settings = engine, settings

    async def judge(self, caller: str, asked: Asked, answer: Answer, mapping: CompiledMapping) -> Verdict:
        """Read through v2.1 and compare. What deserves no call, or may not be called, is skipped with its reason."""
        authorization = first(asked.headers, b"authorization") or b""
        try:
            v2 = self._reference(caller, authorization, answer)
            reply = await self._reply(caller, authorization, asked, v2, mapping)
        except _Ended as end:
            return end.verdict
        return await self._compared(v2, reply, asked.endpoint, mapping)

    def _reference(self, caller: str, authorization: bytes, answer: Answer) -> Answer:
        """v2's answer, readable."""
        reason = self._unfit(caller, authorization, answer)
        if reason is not None:
            raise _Ended(skipped(reason))
        try:
            body = decode_body(answer.headers, answer.body, self._settings.max_body)
        except Undecodable:
            raise _Ended(skipped("coding")) from None
        return Answer(answer.status, answer.headers, body)

    async def _reply(
        self, caller: str, authorization: bytes, asked: Asked, v2: Answer, mapping: CompiledMapping
    ) -> Reply:
        """What the caller would have got from v2.1."""
        try:
            async with asyncio.timeout(self._settings.timeout):
                return await self._read(caller, authorization, asked, mapping)
        except UpstreamFailed as error:
            raise _Ended(failed(_FAULTS.get(error.fault.name, "bad_answer"))) from None
        except TimeoutError:
            raise _Ended(failed("timeout")) from None
        except Untranslatable as error:
            raise _Ended(_untranslatable(v2, error)) from None
        except Refused as error:
            status = error.fault.status
            if v2.status != status:
                raise _Ended(_untranslatable(v2, error)) from None
            own = Answer(status, [], mapping.shape.own(status, error.message, error.detail))
            return Reply(own, own, [])

    def _unfit(self, caller: str, authorization: bytes, answer: Answer) -> Reason | None:
        """Why v2's answer deserves no call, or the call may not be made."""
        self._heed(caller, authorization, answer)
        length = first(answer.headers, b"content-length")
        table: tuple[tuple[bool, Reason], ...] = (
            (self._limits.credential_paused(authorization), "credentials"),
            (self._limits.caller_paused(caller), "paused"),
            (answer.status in _CONDITIONAL, "conditional"),
            (answer.status >= 500, "v2_failed"),
            (not answer.body and length not in {None, b"0"}, "no_body"),
        )
        return next((reason for unfit, reason in table if unfit), None)

    async def _read(self, caller: str, authorization: bytes, asked: Asked, mapping: CompiledMapping) -> Reply:
        running = exchange(mapping, asked)
        call = next(running)
        if self._limits.wait(caller):
            raise _Ended(skipped("rate"))
        while True:
            answer = await self._engine.send(call)
            self._heed(caller, authorization, answer)
            if answer.status == 429 or (answer.status == 503 and pause_asked(answer)):
                raise _Ended(failed("rate_limited"))
            if answer.status >= 500:
                raise _Ended(failed("v2_1_failed"))
            if len(answer.body) > self._settings.max_body:
                raise _Ended(skipped("too_large"))
            try:
                call = running.send(answer)
            except StopIteration as end:
                reply: Reply = end.value
                return reply
            await self._turn(caller)

    async def _turn(self, caller: str) -> None:
        """Let a further step of a read that was begun wait until it may be sent."""
        while wait := self._limits.wait(caller):  # noqa: ASYNC110 - the time is known; there is no event to wait for
            await asyncio.sleep(wait)

    def _heed(self, caller: str, authorization: bytes, answer: Answer) -> None:
        """Do what an answer asks for, whichever version gave it: they share the caller's quota and its lock-outs."""
        if answer.status in _DENIED:
            self._limits.pause_credential(authorization)
        if seconds := pause_asked(answer):
            self._limits.pause_caller(caller, seconds)

    async def _compared(
        self, v2: Answer, reply: Reply, endpoint: Endpoint, mapping: CompiledMapping
    ) -> Verdict:
        if len(reply.answer.body) > self._settings.max_body:
            return skipped("too_large")
        running = steps(v2, reply, endpoint, mapping, self._member_name)
        try:
            while True:
                next(running)
                await asyncio.sleep(0)
        except StopIteration as end:
            differences: list[Difference] = end.value
            return classify(differences, (v2.status, reply.answer.status))
        except TooManyNodes:
            return skipped("too_large")
        except Refused:
            return failed("ambiguous_json")


def _untranslatable(v2: Answer, error: Refused | Untranslatable) -> Verdict:
    cause = error.__cause__
    inner = cause if isinstance(cause, Refused | Untranslatable) else error
    found = untranslatable(error.rule or inner.rule or "", error.pointer or inner.pointer)
    return classify([found], (v2.status, None))
