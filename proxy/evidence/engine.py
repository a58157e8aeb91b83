"""The evidence engine: takes observations after the caller has been answered, and never makes a caller wait.

Every observation is received, is in flight while it waits or is worked on, and ends in exactly one class. What goes
wrong in here ends as `failed` or `skipped`, never as `equal`, and never reaches traffic.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import PurePath
from typing import TypeAlias

from prometheus_client import CollectorRegistry

from proxy.config.model import Ignore, Shadow
from proxy.evidence.classify import Verdict, classify, failed, skipped
from proxy.evidence.contract import contract_differences
from proxy.evidence.counts import Counts
from proxy.evidence.groups import group_ids
from proxy.evidence.ignoring import Ignores
from proxy.evidence.observation import Observation, wants
from proxy.evidence.shadow import ShadowReads
from proxy.log import EventLog
from proxy.mapping.api import CompiledMapping
from proxy.upstream.engine import Engine
from proxy.wire.credentials import member_name

Told: TypeAlias = Callable[[Observation, Verdict], None]
"""Who hears of every verdict, on the event loop: what keeps evidence and what judges it. Quick, and never raises."""

LINE_DIFFERENCES = 50
"""Differences that one line of the log holds at most, unexpected ones first; all of them are classified."""


class Evidence:
    """Compares what traffic offers. Belongs to one event loop, and has a metrics registry to itself.

    `mapping` may be replaced on reload: an observation is compared with the mapping that it was offered under.
    `engine` calls v2.1. `key` is the identity key, `salt` that of samples.
    """

    def __init__(  # noqa: PLR0913 - the parts that the assembly owns, each used as it is
        self,
        settings: Shadow,
        mapping: CompiledMapping,
        engine: Engine,
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
        self._shadow = ShadowReads(engine, settings, self._member_name)
        self._counts = Counts()
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
        self, settings: Shadow, mapping: CompiledMapping, engine: Engine, ignore: Sequence[Ignore] = ()
    ) -> None:
        """Go on with these, after a reload; what waits is still compared with the mapping that it was offered under."""
        self.mapping = mapping
        self._settings = settings
        self._shadow.settle(engine, settings)
        self._ignores = Ignores(ignore, self._log, self._counts.ignore)

    def start(self) -> None:
        """Start the workers on the running event loop."""
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._settings.workers)]

    def offer(self, observation: Observation) -> None:
        """Take a snapshot to compare it later, or drop it and count that. Never blocks, never raises."""
        self._counts.receive()
        size = observation.size
        if not self._workers:
            self._end(observation, skipped("stopped"))
        elif observation.answer.rest or len(observation.answer.body) > self._settings.max_body:
            self._end(observation, skipped("too_large"))
        elif (
            self._queue.qsize() >= self._settings.queue_items
            or self._held + size > self._settings.queue_bytes
        ):
            self._end(observation, skipped("dropped"))
        else:
            self._held += size
            self._queue.put_nowait((observation, self.mapping, size))

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
        while not self._queue.empty():
            observation, _, size = self._queue.get_nowait()
            self._finish(observation, size, skipped("stopped"))

    async def _work(self) -> None:
        while True:
            observation, mapping, size = await self._queue.get()
            verdict = skipped("stopped")
            try:
                verdict = await self._judge(observation, mapping)
            except Exception as error:  # noqa: BLE001 - the comparer's own bug: the next comparison must go on
                verdict = failed("compare_error")
                self._report(observation, error)
            finally:
                self._finish(observation, size, verdict)
            await asyncio.sleep(0)

    async def _judge(self, observation: Observation, mapping: CompiledMapping) -> Verdict:
        if observation.asked is not None and observation.evidence == "shadow_read":
            return await self._shadow.judge(
                observation.caller, observation.asked, observation.answer, mapping
            )
        return self._checked(observation, mapping)

    def _checked(self, observation: Observation, mapping: CompiledMapping) -> Verdict:
        if not observation.endpoint.answers:
            return skipped("no_contract")
        self._counts.lose(one.rule for one in observation.trace if one.rule in mapping.losses)
        status = observation.answer.status
        if (status == 429 or status >= 500) and not observation.untranslated:
            # The platform is in trouble or has had enough: that says nothing about the two versions.
            return failed("rate_limited" if status == 429 else "v2_1_failed")
        found = contract_differences(observation, mapping, self._member_name)
        return classify(found, (None, status))

    def _finish(self, observation: Observation, size: int, verdict: Verdict) -> None:
        self._held -= size
        self._queue.task_done()
        self._end(observation, verdict)

    def _end(self, observation: Observation, verdict: Verdict) -> None:
        verdict = self._ignores.applied(observation.endpoint.id, verdict)
        self._counts.end(observation.endpoint.id, observation.evidence, verdict)
        for told in self._told:
            told(observation, verdict)
        if verdict.cls != "equal":
            self._write(observation, verdict)

    def _write(self, observation: Observation, verdict: Verdict) -> None:
        shown = sorted(verdict.differences, key=lambda one: not one.unexpected)[:LINE_DIFFERENCES]
        why = {} if verdict.reason is None else {"reason": verdict.reason}
        self._log.write(
            "divergence",
            request_id=observation.request_id,
            endpoint=observation.endpoint.id,
            stage=observation.stage,
            evidence=observation.evidence,
            caller=observation.caller,
            record=observation.record or None,
            groups=group_ids(observation.endpoint.id, verdict)[:LINE_DIFFERENCES],
            differences=[
                {"pointer": one.pointer, "kind": one.kind, "v2": one.v2, "v2_1": one.v2_1, "rule": one.rule}
                for one in shown
            ],
            **{"class": verdict.cls},
            **why,
        )

    def _report(self, observation: Observation, error: Exception) -> None:
        place = traceback.extract_tb(error.__traceback__)[-1]
        self._log.write(
            "internal_error",
            exception=type(error).__name__,
            place=f"{PurePath(place.filename).name}:{place.lineno}",
            request_id=observation.request_id,
            endpoint=observation.endpoint.id,
        )
