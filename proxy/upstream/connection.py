"""One connection to an upstream: one exchange at a time, its deadlines, and the naming of what went wrong."""

from __future__ import annotations

import asyncio
import select
from typing import TypeAlias, cast

from proxy.errors import Fault, UpstreamFailed
from proxy.outbox import Outbox
from proxy.types import Answer, Outcome
from proxy.upstream.answer import AnswerReader, BadAnswer
from proxy.upstream.coming import Coming
from proxy.upstream.settings import SLOWEST, UpstreamSettings, said_goodbye

Ending: TypeAlias = Answer | UpstreamFailed
"""How an exchange ended. A failure travels as a value: a cancelled call leaves no unread exception behind."""

_ONE_WRITE = 64 * 1024
"""Up to this size joining head and body is cheaper than a second system call."""


class Connection(asyncio.Protocol):
    """A transport, an answer reader and one lazy timer."""

    def __init__(self, loop: asyncio.AbstractEventLoop, settings: UpstreamSettings, outbox: Outbox) -> None:
        self._loop, self._outbox = loop, outbox
        self._unsent: tuple[bytes, ...] = ()
        self._read_timeout = settings.read_timeout
        self._total_timeout = settings.total_timeout
        self._upstream = str(settings.origin)
        self._reader = AnswerReader(settings.max_answer, settings.max_header_bytes)
        self._transport: asyncio.Transport | None = None
        self._poll = select.poll()
        self._waiter: asyncio.Future[Ending] | None = None
        self._coming: Coming | None = None
        self._blocked: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._heard = self._deadline = self._since = 0.0
        self._closed = self._paused = False
        self.idle_since = 0.0
        """When the last exchange ended, in the loop's time."""

    @property
    def usable(self) -> bool:
        """Whether another exchange may follow."""
        idle = self._waiter is None and self._coming is None
        return not self._closed and idle and self._reader.reusable

    @property
    def unanswered(self) -> bool:
        """Whether not one byte came since the last request."""
        return self._reader.received == 0

    def exchange(
        self, method: str, head: bytes, body: bytes, deadline: float, room: int | None = None
    ) -> asyncio.Future[Ending]:
        """Send a request; the future ends with the answer or the failure, and raises nothing.

        `deadline` is in the loop's time. With `room`, an answer whose body is larger than so many bytes comes with its
        rest behind it, which has as long again, and a second more for each `SLOWEST` bytes of it. Cancelling the future
        leaves the connection unusable.
        """
        loop = self._loop
        waiter = self._waiter = loop.create_future()
        self._unsent = (head + body,) if len(body) <= _ONE_WRITE else (head, body)
        if self._transport is None or self._closed:
            self._fail(Fault.BROKEN, "the connection was closed before the request could be written")
            return waiter
        self._reader.begin(method, room)
        self._heard = loop.time()
        self._deadline = deadline
        if self._timer is None:
            self._timer = loop.call_at(min(self._heard + self._read_timeout, deadline), self._tick)
        self._outbox.add(loop, self)
        return waiter

    def flush(self) -> None:
        """See `Sender.flush`. What cannot leave any more stays, so that the failure says that it has not.

        The loop is up to a turn behind. So the kernel is asked whether an idle connection has met its end, or a stray byte,
        since (1 µs): a write must not depend on that (R§1.4, stale keep-alive). A fresh one may hold the end of a handshake.
        """
        if not self._unsent or self._transport is None or self._transport.is_closing():
            return
        if self.idle_since and self._poll.poll(0):
            self._fail(Fault.BROKEN, "the connection was closed, or bytes came that nobody had asked for")
            return
        unsent, self._unsent = self._unsent, ()
        for piece in unsent:
            self._transport.write(piece)

    async def send_more(self, piece: bytes) -> bool:
        """Send on in the body of a request, no faster than the upstream reads; whether the connection still stands."""
        self.flush()
        if self._closed or self._transport is None:
            return False
        self._transport.write(piece)
        if self._blocked is not None:
            await self._blocked
        self._heard = self._loop.time()
        return not self._closed

    def sent(self, deadline: float, *, whole: bool) -> None:
        """Nothing more of the request follows; the answer has until `deadline`, which is in the loop's time."""
        self._deadline = deadline
        if not whole:
            self._reader.reusable = False

    def abort(self) -> None:
        """Close at once, whatever is going on."""
        if self._closed:
            return
        self._closed, self._unsent = True, ()
        self._waiter = self._coming = None
        self.resume_writing()
        self._reader.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.abort()

    # What follows is called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport, unless the caller has gone away meanwhile."""
        self._transport = cast("asyncio.Transport", transport)
        if self._closed:
            self._transport.abort()
        else:
            self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Read on; bytes that nobody asked for close the connection, also under a request that has not left yet."""
        if self._unsent:
            self._fail(Fault.BROKEN, "bytes came that nobody had asked for")
        if self._waiter is None and self._coming is None:
            self.abort()
            return
        self._heard = self._loop.time()
        try:
            answer = self._reader.feed(data)
        except BadAnswer as bad:
            self._fail(Fault.BAD_ANSWER, str(bad))
        else:
            if answer is not None:
                self._finish(answer)
            elif self._reader.parted:
                self._hand_on()

    def pause_writing(self) -> None:
        """The upstream does not read as fast as we write."""
        self._blocked = self._loop.create_future()

    def resume_writing(self) -> None:
        """It has caught up, or will never."""
        blocked, self._blocked = self._blocked, None
        if blocked is not None and not blocked.done():
            blocked.set_result(None)

    def eof_received(self) -> None:
        """Take an orderly end: a FIN, in TLS a close_notify."""
        tls = None if self._transport is None else self._transport.get_extra_info("ssl_object")
        self._ended(clean=tls is None or said_goodbye(tls))

    def connection_lost(self, _exc: Exception | None) -> None:
        """Take any other end."""
        self._ended(clean=False)

    def _ended(self, *, clean: bool) -> None:
        if self._waiter is not None or self._coming is not None:
            answer = self._reader.end() if clean else None
            if answer is not None:
                self._finish(answer)
            else:
                self._fail(Fault.BROKEN, "the connection was closed or reset")
        self.abort()

    def _tick(self) -> None:
        """Look whether time is up. The timer is moved on only here: most answers never touch it."""
        self._timer = None
        if self._waiter is None and self._coming is None:
            return
        if self._paused:
            self._wait_for_us()
        due = min(self._heard + self._read_timeout, self._deadline)
        if self._loop.time() < due - 0.001:
            self._timer = self._loop.call_at(due, self._tick)
        else:
            self._fail(Fault.TIMEOUT, "time is up")

    def _hand_on(self) -> None:
        """Give what has come of an answer in parts: the first with the head, the others to its rest."""
        part = self._reader.part()
        if self._coming is not None:
            self._deadline += len(part.body) / SLOWEST
            self._coming.add(part.body)
            return
        coming = self._coming = Coming(self._pace, self.abort)
        self._deadline = self._heard + self._total_timeout
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(Answer(part.status, part.headers, part.body, part.reason, coming))

    def _pace(self, on: bool) -> None:
        transport = self._transport
        if transport is None or transport.is_closing() or self._paused is not on:
            return
        self._paused = not on
        if on:
            self._wait_for_us()
            transport.resume_reading()
        else:
            self._since = self._loop.time()
            transport.pause_reading()

    def _wait_for_us(self) -> None:
        """Count no time in which the upstream was told to pause: neither as silence nor as slowness."""
        now = self._loop.time()
        self._deadline += now - self._since
        self._heard = self._since = now

    def _finish(self, answer: Answer) -> None:
        waiter, self._waiter = self._waiter, None
        coming, self._coming = self._coming, None
        self.idle_since = self._heard
        if not self._reader.reusable or cast("asyncio.Transport", self._transport).get_write_buffer_size():
            self.abort()
        if coming is not None:
            coming.add(answer.body)
            self._pace(on=True)
            coming.end()
        elif waiter is not None and not waiter.done():
            waiter.set_result(answer)

    def _fail(self, fault: Fault, reason: str) -> None:
        phase = "before the first byte of an answer" if self.unanswered else "in the middle of the answer"
        outcome = Outcome.NOT_SENT if self._unsent else Outcome.UNKNOWN
        waiter, self._waiter = self._waiter, None
        coming, self._coming = self._coming, None
        self.abort()
        failed = UpstreamFailed(outcome, fault, f"{self._upstream}: {reason}, {phase}")
        if coming is not None:
            coming.end(failed)
        elif waiter is not None and not waiter.done():
            waiter.set_result(failed)
