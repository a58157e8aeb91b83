"""One comparison's reads: within the caller's budget, its credential's welcome, the versions' health and a deadline.

Whatever stands in the way ends the comparison: `Ended` carries how.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from proxy.config.model import Shadow
from proxy.errors import CrossfadeError, Fault, UpstreamFailed
from proxy.evidence.breaker import Breaker
from proxy.evidence.classify import Reason, Verdict, failed, skipped
from proxy.evidence.limits import Limits, pause_asked
from proxy.evidence.reads import Reads
from proxy.exchange import Asked, Reply, exchange
from proxy.mapping.api import CompiledMapping
from proxy.mapping.paths import fill
from proxy.steps import MAX_DECODED
from proxy.types import Answer, Call, Version
from proxy.wire.coding import Undecodable, decode_body
from proxy.wire.headers import first
from proxy.wire.target import join

State: TypeAlias = Callable[[str, str], None]
"""Told when a breaker opens or closes: the part, `degraded` or `recovered`."""

_DENIED = frozenset({401, 403})
_FAULTS: dict[Fault, Reason] = {
    Fault.UNREACHABLE: "unreachable",
    Fault.BROKEN: "broken",
    Fault.TIMEOUT: "timeout",
    Fault.OVERLOADED: "overloaded",
}
"""Why a call failed; every other fault of an upstream is a bad answer."""
_FAILING: dict[Version, Reason] = {Version.V2: "v2_failed", Version.V2_1: "v2_1_failed"}


class Ended(CrossfadeError):  # noqa: N818 - carries how the comparison ended
    """A comparison that ends here."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.cls)
        self.verdict = verdict


class Budget:
    """What all comparisons share: the two versions, their breakers, and what each caller has left."""

    def __init__(self, reads: Reads, settings: Shadow, state: State) -> None:
        self.reads = reads
        self.settings = settings
        self.limits = Limits(settings.max_calls_per_second)
        self.breakers = {version: Breaker() for version in Version}
        self.state = state

    def settle(self, reads: Reads, settings: Shadow) -> None:
        """Go on with these; callers and credentials that wait go on waiting while the rate stays the same."""
        if settings.max_calls_per_second != self.settings.max_calls_per_second:
            self.limits = Limits(settings.max_calls_per_second)
        self.reads, self.settings = reads, settings

    def heed(self, caller: str, authorization: bytes, answer: Answer) -> None:
        """Do what an answer asks for, whichever version gave it: they share the caller's quota and its lock-outs."""
        if answer.status in _DENIED:
            self.limits.pause_credential(authorization)
        if seconds := pause_asked(answer):
            self.limits.pause_caller(caller, seconds)

    def paused(self, caller: str, authorization: bytes) -> Reason | None:
        """Why nothing may be sent for this caller."""
        if self.limits.credential_paused(authorization):
            return "credentials"
        return "paused" if self.limits.caller_paused(caller) else None


class Reading:
    """The reads of one comparison, with the credential of the call that it is about."""

    def __init__(self, budget: Budget, caller: str, asked: Asked) -> None:
        self._budget = budget
        self._caller = caller
        self._authorization = first(asked.headers, b"authorization") or b""
        self._deadline = asyncio.get_running_loop().time() + budget.settings.timeout
        self._begun = False

    def heed(self, answer: Answer) -> Reason | None:
        """Take note of what the caller was answered; gives why nothing may be sent."""
        self._budget.heed(self._caller, self._authorization, answer)
        return self._budget.paused(self._caller, self._authorization)

    async def v2(self, asked: Asked, mapping: CompiledMapping) -> Answer:
        """v2's answer to a read, without content coding. Raises `Ended`."""
        target = fill(asked.endpoint.v2_path, asked.parameters)
        if asked.pairs:
            target += b"?" + join(asked.pairs)
        call = Call("GET", mapping.links.returned(target), bare(asked).headers)
        return readable(await self._send(Version.V2, call), self._budget.settings.max_body)

    async def v2_1(self, asked: Asked, mapping: CompiledMapping) -> Reply:
        """v2.1's answer to a read, as the caller would have got it. Raises `Ended`, `Refused` and `Untranslatable`."""
        running = exchange(mapping, asked, max(MAX_DECODED, self._budget.settings.max_body))
        call = next(running)
        while True:
            answer = await self._send(Version.V2_1, call)
            try:
                call = running.send(answer)
            except StopIteration as end:
                reply: Reply = end.value
                if len(reply.answer.body) > self._budget.settings.max_body:
                    raise Ended(skipped("too_large")) from None
                return reply

    async def _send(self, version: Version, call: Call) -> Answer:
        await self._admitted(version)
        breaker = self._budget.breakers[version]
        most = self._budget.settings.max_body
        try:
            async with asyncio.timeout_at(self._deadline):
                answer = await self._budget.reads.send(version, call, most)
        except UpstreamFailed as error:
            if error.fault is not Fault.OVERLOADED:
                self._note(version, failing=True)
            raise Ended(failed(_FAULTS.get(error.fault, "bad_answer"))) from None
        except TimeoutError:
            self._note(version, failing=True)
            raise Ended(failed("timeout")) from None
        if answer.rest is not None:
            await answer.rest.aclose()
        if answer.rest is not None or len(answer.body) > most:
            breaker.answered()
            raise Ended(skipped("too_large"))
        return self._usable(version, answer)

    def _usable(self, version: Version, answer: Answer) -> Answer:
        """The answer, if it says anything about the two versions."""
        self._budget.heed(self._caller, self._authorization, answer)
        if answer.status == 429 or (answer.status == 503 and pause_asked(answer)):
            raise Ended(failed("rate_limited"))
        self._note(version, failing=answer.status >= 500)
        if answer.status >= 500:
            raise Ended(failed(_FAILING[version]))
        return answer

    async def _admitted(self, version: Version) -> None:
        """Wait for the turn of a further read; the first one has its turn now or never."""
        limits = self._budget.limits
        paused = self._budget.paused(self._caller, self._authorization)
        if paused is not None:
            raise Ended(skipped(paused))
        while wait := limits.wait(self._caller):
            if not self._begun or asyncio.get_running_loop().time() + wait > self._deadline:
                raise Ended(skipped("rate"))
            await asyncio.sleep(wait)
        self._begun = True
        if not self._budget.breakers[version].passes():
            raise Ended(skipped("breaker"))

    def _note(self, version: Version, *, failing: bool) -> None:
        breaker = self._budget.breakers[version]
        if failing and breaker.failed():
            self._budget.state("breaker", "degraded")
        elif not failing and breaker.answered():
            self._budget.state("breaker", "recovered")


def bare(asked: Asked) -> Asked:
    """What was asked, as a call without a body."""
    headers = [one for one in asked.headers if one[0].lower() != b"content-type"]
    return Asked(asked.endpoint, asked.parameters, asked.pairs, headers, b"")


def readable(answer: Answer, most: int) -> Answer:
    """An answer without content coding, at most so many bytes. Raises `Ended`."""
    try:
        body = decode_body(answer.headers, answer.body, most)
    except Undecodable:
        raise Ended(skipped("coding")) from None
    return Answer(answer.status, answer.headers, body)
