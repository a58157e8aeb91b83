"""The evidence engine: takes observations after the caller has been answered, and never makes a caller wait.

Every observation is received, is in flight while it waits or is worked on, and ends in exactly one class. What goes
wrong in here ends as `failed` or `skipped`, never as `equal`, and never reaches traffic.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias, assert_never

from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from proxy.config.model import Ignore, Shadow
from proxy.evidence.classify import Verdict, classify, failed, skipped
from proxy.evidence.comparisons import Comparisons, sliced
from proxy.evidence.conflict import makes_record, matched
from proxy.evidence.contract import contract_differences
from proxy.evidence.counts import Counts
from proxy.evidence.hidden import hidden
from proxy.evidence.ignoring import Ignores
from proxy.evidence.lag import Lag
from proxy.evidence.lines import Lines, write_mistake
from proxy.evidence.observation import Observation, wants
from proxy.evidence.reading import Budget, Ended
from proxy.evidence.reads import Reads
from proxy.evidence.translate_only import translate_only
from proxy.log import EventLog
from proxy.mapping.api import CompiledMapping
from proxy.mapping.endpoint import Endpoint
from proxy.types import Answer
from proxy.wire.credentials import member_name

Told: TypeAlias = Callable[[Observation, Verdict], None]
"""Who hears of every verdict, on the event loop: what keeps evidence and what judges it. Quick."""

AT_ONCE = 8 << 10
"""Bytes of an answer whose contract check needs no call and less time than waiting in a queue does."""


class Evidence:
    """Compares what traffic offers. Belongs to one event loop, and has a metrics registry to itself.

    `mapping` may be replaced on reload: an observation is compared with the mapping that it was offered under.
    `reads` asks both versions. `key` is the identity key, `salt` that of samples.
    """

    def __init__(  # noqa: PLR0913 - the parts that the assembly owns, each used as it is
        self,
        settings: Shadow,
        mapping: CompiledMapping,
        reads: Reads,
        log: EventLog,
        *,
        key: bytes,
        salt: bytes,
        registry: CollectorRegistry,
        told: Sequence[Told] = (),
        ignore: Sequence[Ignore] = (),
    ) -> None:
        self.mapping = mapping
        self._told = tuple(told)
        self._settings = settings
        self._log = log
        self._member_name = partial(member_name, key)
        self._salt = salt
        self._budget = Budget(reads, settings, self._state)
        self._comparisons = Comparisons(self._budget, self._member_name)
        self._lag = Lag(settings.max_lag)
        self._lines = Lines(log)
        self._counts = Counts(self._budget.breakers)
        self._ignores = Ignores(ignore, log, self._counts.ignore)
        self._queue: asyncio.Queue[tuple[Observation, CompiledMapping, int]] = asyncio.Queue()
        self._held = 0
        self._workers: list[asyncio.Task[None]] = []
        registry.register(self._counts)

    def wants(self, name: str) -> bool:
        """Whether the call with this record name or request id is in the sample; ask before copying anything."""
        return wants(self._salt, name, self._settings.sample)

    def listen(self, told: Told) -> None:
        """Tell one more of every verdict from now on."""
        self._told = (*self._told, told)

    def settle(
        self, settings: Shadow, mapping: CompiledMapping, reads: Reads, ignore: Sequence[Ignore] = ()
    ) -> None:
        """Go on with these, after a reload; what waits is still compared with the mapping that it was offered under."""
        self.mapping = mapping
        self._settings = settings
        self._budget.settle(reads, settings)
        self._lag.most = settings.max_lag
        self._ignores = Ignores(ignore, self._log, self._counts.ignore)

    def start(self) -> None:
        """Start the workers on the running event loop."""
        self._lag.start()
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._settings.workers)]

    def offer(self, observation: Observation) -> None:
        """Take a snapshot to compare it later, or drop it and count that. Never blocks, never raises."""
        self._counts.receive()
        if not self._workers:
            self._end(observation, skipped("stopped"))
        elif self._lag.late():
            self._end(observation, skipped("lag"))
        elif observation.answer.rest or len(observation.answer.body) > self._settings.max_body:
            self._end(observation, skipped("too_large"))
        elif observation.evidence == "contract" and len(observation.answer.body) <= AT_ONCE:
            self._end(observation, self._checked_at_once(observation))
        else:
            self._put(observation)

    def _put(self, observation: Observation) -> None:
        size = observation.size
        full = self._queue.qsize() >= self._settings.queue_items
        if full or self._held + size > self._settings.queue_bytes:
            self._end(observation, skipped("dropped"))
        else:
            self._held += size
            self._queue.put_nowait((observation, self.mapping, size))

    def conflicted(self, observation: Observation) -> None:
        """Count a create that met a record which was there already (see `meets`); v2.1 would have refused it."""
        self._counts.meet(observation.endpoint.id)
        self._log.write(
            "would_conflict",
            request_id=observation.request_id,
            endpoint=observation.endpoint.id,
            stage=observation.stage,
            caller=observation.caller,
            record=observation.record or None,
        )

    def meets(self, endpoint: Endpoint, answer: Answer, seconds: float) -> bool:
        """Whether v2's answer, after so many seconds, is that to a create which met a record that was there already."""
        return makes_record(endpoint, answer) and matched(endpoint, answer, seconds, self._settings.max_body)

    @property
    def met(self) -> dict[str, int]:
        """Creates so far that met a record in v2, by endpoint."""
        return self._counts.met

    async def drain(self, timeout: float) -> bool:  # noqa: ASYNC109 - how long to wait, not when to cancel the work
        """Wait until all that was offered is compared, at most so many seconds; says whether it is."""
        try:
            async with asyncio.timeout(timeout):
                await self._queue.join()
        except TimeoutError:
            return False
        return True

    async def stop(self) -> None:
        """End the workers; what still waits is counted as skipped."""
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        await self._lag.stop()
        while not self._queue.empty():
            observation, _, size = self._queue.get_nowait()
            self._finish(observation, size, skipped("stopped"))

    async def _work(self) -> None:
        while True:
            observation, mapping, size = await self._queue.get()
            verdict = skipped("stopped")
            try:
                verdict = await self._judge(observation, mapping)
            except Ended as end:
                verdict = end.verdict
            except Exception as error:  # noqa: BLE001 - the comparer's own bug: the next comparison must go on
                verdict = failed("compare_error")
                write_mistake(self._log, observation, error)
            finally:
                self._finish(observation, size, verdict)
            await asyncio.sleep(0)

    async def _judge(self, observation: Observation, mapping: CompiledMapping) -> Verdict:
        if observation.evidence == "contract":
            return self._checked(observation, mapping)
        assert observation.asked is not None  # noqa: S101 - whoever offers these kinds says what was asked
        match observation.evidence:
            case "shadow_read":
                return await self._comparisons.shadow_read(observation, observation.asked, mapping)
            case "reverse_shadow":
                return await self._comparisons.reverse_shadow(observation, observation.asked, mapping)
            case "read_back":
                return await self._comparisons.read_back(observation, observation.asked, mapping)
            case "translate_only":
                v2 = observation.answer
                met = self.meets(observation.endpoint, v2, observation.seconds)
                return await sliced(
                    translate_only(observation.asked, v2, mapping, self._member_name, met=met)
                )
            case _:
                assert_never(observation.evidence)

    def _checked_at_once(self, observation: Observation) -> Verdict:
        try:
            return self._checked(observation, self.mapping)
        except Exception as error:  # noqa: BLE001 - the comparer's own bug must not reach the caller's next request
            write_mistake(self._log, observation, error)
            return failed("compare_error")

    def _checked(self, observation: Observation, mapping: CompiledMapping) -> Verdict:
        lost = [one.rule for one in observation.trace if one.rule in mapping.losses]
        if lost:
            self._counts.lose(lost)
        status = observation.answer.status
        if (status == 429 or status >= 500) and not observation.untranslated:
            # The platform is in trouble or has had enough: that says nothing about the two versions.
            return failed("rate_limited" if status == 429 else "v2_1_failed")
        if not observation.endpoint.answers:
            return skipped("no_contract")
        found = contract_differences(observation, mapping, self._member_name)
        verdict = classify(found, (None, status))
        # Looking behind the translation costs ten times what the check does: the sample has to do for it.
        behind = hidden(observation.trace, mapping) if self.wants(observation.request_id) else ()
        return replace(verdict, hidden=behind) if behind else verdict

    def _finish(self, observation: Observation, size: int, verdict: Verdict) -> None:
        self._held -= size
        self._queue.task_done()
        self._end(observation, verdict)

    def _end(self, observation: Observation, verdict: Verdict) -> None:
        verdict = self._ignores.applied(observation.endpoint.id, verdict)
        self._counts.end(observation.endpoint.id, observation.evidence, verdict)
        for told in self._told:
            try:
                told(observation, verdict)
            except Exception as error:  # noqa: BLE001 - a listener's bug costs it this verdict, nobody else anything
                write_mistake(self._log, observation, error)
        if verdict.cls != "equal":
            self._lines.write(observation, verdict)

    @property
    def held(self) -> int:
        """Bytes that comparisons hold, waiting or at work."""
        return self._held

    def _state(self, part: str, state: str) -> None:
        self._log.write("degraded", part=part, state=state)
