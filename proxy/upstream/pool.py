"""Who may use a connection, and which: a bounded number of places, and a stack of idle connections."""

from __future__ import annotations

import asyncio
from collections import deque

from proxy.errors import Fault, UpstreamFailed
from proxy.outbox import Outbox
from proxy.types import Outcome
from proxy.upstream.connection import Connection
from proxy.upstream.settings import UpstreamSettings


class Pool:
    """`pool_size` places; a call holds one from before it connects until its connection is back or closed.

    A place is not a connection. Handing on places only, which cannot be broken or stale, is what keeps
    a storm of cancelled calls from leaking any.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, settings: UpstreamSettings) -> None:
        self.outbox = Outbox()
        """Through which the requests of all its connections leave."""
        self._loop = loop
        self._settings = settings
        self._free = settings.pool_size
        self._waiting: dict[asyncio.Future[bool], None] = {}
        self._idle: deque[Connection] = deque()
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    def try_enter(self) -> bool:
        """Take a free place, if there is one and nobody waits for it."""
        if not self._free or self._waiting:
            return False
        self._free -= 1
        return True

    async def enter(self, patience: float) -> None:
        """Wait for a place, at most `patience` seconds; raises UpstreamFailed (NOT_SENT, OVERLOADED)."""
        waiter: asyncio.Future[bool] = self._loop.create_future()
        self._waiting[waiter] = None
        timer = self._loop.call_later(patience, _give_up, waiter)
        try:
            granted = await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled() and waiter.result():
                self.leave()
            raise
        finally:
            timer.cancel()
            self._waiting.pop(waiter, None)
        if not granted:
            detail = (
                f"{self._settings.origin}: all {self._settings.pool_size} connections stayed busy (pool_size)"
            )
            raise UpstreamFailed(Outcome.NOT_SENT, Fault.OVERLOADED, detail)

    def leave(self) -> None:
        """Give a place back, to the one who waits longest."""
        while self._waiting:
            waiter = next(iter(self._waiting))
            del self._waiting[waiter]
            if not waiter.done():
                waiter.set_result(True)
                return
        self._free += 1

    def take(self, *, write: bool) -> Connection | None:
        """The idle connection that was used last, if it is young enough; None asks for a fresh one.

        What the loop does not know of it yet (its end, a stray byte) shows before the request leaves (`Connection.flush`).
        """
        settings = self._settings
        youngest = self._loop.time() - (settings.write_idle if write else settings.keepalive)
        while self._idle and self._idle[-1].idle_since >= youngest:
            connection = self._idle.pop()
            if connection.usable:
                return connection
            connection.abort()
        # The fresh one must not be one too many: every place that is taken is, or will be, a connection.
        if self._idle and settings.pool_size - self._free + len(self._idle) > settings.pool_size:
            self._idle.popleft().abort()
        return None

    def put(self, connection: Connection) -> None:
        """Keep a connection for the next call, or close it."""
        if not connection.usable or self._closed:
            connection.abort()
            return
        self._idle.append(connection)
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(self._settings.keepalive, self._sweep)

    def close(self) -> None:
        """Close what is idle now, and the rest when it comes back."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        while self._idle:
            self._idle.pop().abort()

    def _sweep(self) -> None:
        self._sweeper = None
        oldest = self._loop.time() - self._settings.keepalive
        while self._idle and (self._idle[0].idle_since <= oldest or not self._idle[0].usable):
            self._idle.popleft().abort()
        if self._idle:
            due = self._idle[0].idle_since + self._settings.keepalive
            self._sweeper = self._loop.call_at(due, self._sweep)


def _give_up(waiter: asyncio.Future[bool]) -> None:
    if not waiter.done():
        waiter.set_result(False)
