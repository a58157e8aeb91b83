"""Engines that a reload has replaced: each is closed when the last request that sees it has ended."""

from __future__ import annotations

import time
import weakref

from proxy.evidence.reads import Reads
from proxy.snapshot import Snapshot
from proxy.upstream import Engine


class Retired:
    """Belongs to one gateway. It knows snapshots weakly: one that no request holds any more is gone by itself."""

    def __init__(self) -> None:
        self._alive: list[weakref.ref[Snapshot]] = []
        self._engines: list[tuple[Engine | Reads, float]] = []

    def seen(self, snapshot: Snapshot) -> None:
        """Requests may see this snapshot from now on."""
        self._alive = [one for one in self._alive if one() is not None] + [weakref.ref(snapshot)]

    def replaced(self, old: Snapshot, new: Snapshot) -> None:
        """Close what only the old one has, once comparisons and requests are done with it."""
        kept = {id(one) for one in _engines(new)}
        due = time.monotonic() + old.config.shadow.timeout
        self._engines += [(one, due) for one in _engines(old) if id(one) not in kept]

    async def close(self) -> None:
        """Close those that nobody uses any more."""
        if not self._engines:
            return
        used = {id(engine) for one in self._alive if (snapshot := one()) for engine in _engines(snapshot)}
        now = time.monotonic()
        over = [one for one, due in self._engines if id(one) not in used and due <= now]
        self._engines = [(one, due) for one, due in self._engines if one not in over]
        for one in over:
            await one.close()

    async def close_all(self) -> None:
        """Close everything that is left, at the end of the process."""
        engines, self._engines = self._engines, []
        for one, _ in engines:
            await one.close()


def _engines(snapshot: Snapshot) -> tuple[Engine | Reads, ...]:
    return snapshot.v2, snapshot.v2_1, snapshot.shadow
