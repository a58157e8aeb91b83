"""The recorder: hears what traffic and evidence say, and writes it once a second from a thread of its own.

Nothing here waits for the store. While it cannot be written, what comes in is still added up, in bounded memory; what
finds no room is counted as lost. Every second it is tried again, so that a store that works again is in use within
seconds. The recorder belongs to the process, not to one configuration: a reload hands it on.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from proxy.errors import StoreError
from proxy.evidence.classify import Verdict
from proxy.evidence.observation import Observation
from proxy.log import EventLog
from proxy.store.database import Database
from proxy.store.fold import Batch, CallKey, Fold
from proxy.store.keeping import Keep, retain
from proxy.store.rows import Reopened
from proxy.store.writing import write

FLUSH = 1.0
"""Seconds between two batches."""
_TIDY = 600.0
"""Seconds between two looks at what is too old or too much."""
_TIDYING = 60
"""Seconds that one step of that may take."""
_LAST = 10.0
"""Seconds that the last batch is given when the process ends."""


class Recorder(Collector):
    """Adds up on the event loop, writes in a thread. `clock` gives Unix time in seconds."""

    def __init__(
        self,
        address: str,
        keep: Keep,
        log: EventLog,
        registry: CollectorRegistry,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`address` is `store.url`. Nothing is opened yet. Raises `ConfigError` for a driver that is missing."""
        self.keep = keep
        self.failure = ""
        """A word for why the store cannot be written; empty while it can."""
        self._database = Database(address)
        self._log = log
        self._clock = clock
        self._fold = Fold()
        self._id = secrets.token_hex(8)
        self._number = 0
        self._waiting: Batch | None = None
        self._tidied = 0.0
        self._reopened = 0
        self._set_aside = 0
        self._thread = ThreadPoolExecutor(1, "store")
        self._task: asyncio.Task[None] | None = None
        registry.register(self)

    def told(self, observation: Observation, verdict: Verdict) -> None:
        """Hear of a verdict."""
        self._fold.compared(observation, verdict, self._clock())

    def called(self, key: CallKey, *, failed: bool, seconds: float) -> None:
        """Hear of a call that was answered, `seconds` after it was handed on."""
        self._fold.called(key, failed=failed, seconds=seconds, now=self._clock())

    def start(self) -> None:
        """Begin to write, on the running event loop."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Write what is left, within a few seconds, and end."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            with suppress(TimeoutError):
                async with asyncio.timeout(_LAST):
                    while (self._waiting or self._fold.batch.rows) and await self.flush():
                        pass
        self._thread.shutdown(wait=False)
        self._database.close()

    async def flush(self) -> bool:
        """Write what has been added up; says whether nothing is left behind."""
        if self._waiting is None:
            self._waiting = self._fold.take()
            self._number += 1
        loop = asyncio.get_running_loop()
        failure = "failed"
        try:
            back = await loop.run_in_executor(self._thread, self._write, self._number, self._waiting)
        except StoreError as error:
            failure = error.trouble
        except OSError:
            failure = "unwritable"
        except Exception as error:  # noqa: BLE001 - a mistake of ours in the store must not end recording
            self._log.write("internal_error", exception=type(error).__name__, place="store")
        else:
            self._waiting, failure = None, ""
            self._tell(back)
        self._state(failure)
        return not failure

    def collect(self) -> Iterator[Metric]:
        """The metrics; docs/store.md explains them."""
        waiting = self._waiting.rows if self._waiting is not None else 0
        yield GaugeMetricFamily(
            "crossfade_store_degraded", "1 while the store cannot be written.", float(bool(self.failure))
        )
        yield GaugeMetricFamily(
            "crossfade_store_waiting_rows", "Rows that wait to be written.", waiting + self._fold.batch.rows
        )
        yield CounterMetricFamily(
            "crossfade_store_lost", "Comparisons and calls that found no room.", self._fold.lost
        )
        yield CounterMetricFamily("crossfade_store_set_aside", "Stores that were set aside.", self._set_aside)
        yield CounterMetricFamily(
            "crossfade_groups_reopened", "Closed divergence groups that came back.", self._reopened
        )

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(FLUSH)
            if not self._idle():
                await self.flush()

    def _idle(self) -> bool:
        """Whether there is nothing to write, and nothing to look after."""
        waits = self._waiting is not None or self._fold.batch.rows
        return not waits and self._clock() - self._tidied < _TIDY

    def _write(self, number: int, batch: Batch) -> list[Reopened]:
        """In the thread: one transaction; a file that is broken is set aside first."""
        try:
            return self._written(number, batch)
        except StoreError as error:
            if error.trouble not in {"corrupt", "older_schema"}:
                raise
        self._database.set_aside()
        self._set_aside += 1
        return self._written(number, batch)

    def _written(self, number: int, batch: Batch) -> list[Reopened]:
        now = self._clock()
        with self._database.writing() as connection:
            back = write(connection, self._id, number, batch, int(now * 1000))
        if now - self._tidied >= _TIDY:
            self._tidied = now
            with suppress(StoreError):  # the batch is safe; tidying up is tried again next time
                self._tidy(now)
        return back

    def _tidy(self, now: float) -> None:
        with self._database.writing(patience=_TIDYING) as connection:
            retain(connection, self.keep, now)

    def _tell(self, back: list[Reopened]) -> None:
        self._reopened += len(back)
        for one in back:
            self._log.write(
                "reopened", endpoint=one.endpoint, group=one.group, was=one.state, owner=one.owner
            )

    def _state(self, failure: str) -> None:
        if failure == self.failure:
            return
        state = "degraded" if failure else "recovered"
        self._log.write("degraded", part="store", state=state, **({"reason": failure} if failure else {}))
        self.failure = failure
