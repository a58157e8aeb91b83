"""The answering half of a caller's connection: whole answers and streamed ones, and callers that do not read them.

* A request that is answered before its body has come ends its connection (RFC 9112 §9.3).
* A caller that takes nothing of its answer for `server.send_timeout` is cut off.
* An answer that breaks off cuts the connection: it never looks whole (RFC 9112 §8).
"""

from __future__ import annotations

import asyncio
import socket
import struct
from array import array
from collections.abc import Callable
from contextlib import suppress
from fcntl import ioctl
from termios import TIOCOUTQ
from typing import Any, Protocol, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from proxy.config.network import Server
from proxy.errors import Fault, Refused
from proxy.outbox import Outbox
from proxy.owed import Owed
from proxy.sending import head_of, let_go, send_parts
from proxy.types import Answer, Rest

_EARLY = 0.001
"""Seconds that a timer may be early."""
_LINGER = 2.0
"""Seconds in which what still comes is taken and dropped, so that a caller that still sends can read its answer."""


class App(Protocol):
    """What a connection asks of the application behind it."""

    @property
    def limits(self) -> Server:
        """What requests have to keep to."""
        ...

    @property
    def outbox(self) -> Outbox:
        """Through which answers leave."""
        ...

    @property
    def draining(self) -> bool:
        """Whether callers shall go elsewhere: a connection ends behind its answer."""
        ...

    def refusal(self, fault: Fault) -> bytes:
        """The whole answer to what never became a request."""
        ...


class Replying(HttpToolsProtocol):
    """A caller's connection, as far as answers go."""

    gone = False
    """Whether the caller has left, or was left."""
    broken: Refused | None = None
    """Why no more of the body that is being read can be read: its request is answered with that, or its answer is cut."""
    leaving: Callable[[], object] | None = None
    """What to do when the caller leaves while this is set: end a read that nobody waits for any more."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn narrows it too
        """A caller has connected."""
        super().connection_made(transport)
        self._app = cast("App", self.app)
        self._limits = self._app.limits
        self._owed = Owed(self.loop, transport)
        self._stall: asyncio.TimerHandle | None = None
        self._deaf = self._ended = False
        self._open = True
        self._idle_since = 0.0
        self._unsent = b""

    def flush(self) -> None:
        """See `Sender.flush`."""
        unsent, self._unsent = self._unsent, b""
        if unsent and self.transport.is_closing():
            self._owed.settle(handed=False)
        elif unsent:
            self.transport.write(unsent)
            self._owed.sent()

    def shutdown(self) -> None:
        """The server stops: the connection ends behind its answer."""
        self.flush()
        super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        self.gone = True
        self.resume_writing()
        super().connection_lost(exc)
        # asyncio ends a connection without an exception once all is written that it knows of
        self._owed.settle(handed=exc is None and not self._unsent)
        if self.leaving is not None:
            self.leaving()

    def when_handed(self, told: Callable[[bool], None]) -> None:
        """Tell whether the kernel has taken all that was sent: soon, or when the caller reads on or is gone.

        A caller that says no more may have gone altogether, and the kernel takes an answer all the same: that is no.
        """
        self._owed.add(told, gone=self.gone or self._ended, unsent=bool(self._unsent))

    def cut(self) -> None:
        """End at once: what has not been handed over never will be."""
        self._owed.settle(handed=False)
        self.transport.abort()

    async def answer(self, answer: Answer, *, head: bool) -> None:
        """Write a whole answer in one piece, names and reason as they are, or as it comes; nothing where the caller has left.

        Raises `CrossfadeError` for an answer that breaks off: the connection is cut then, never ended.
        """
        cycle = self._current
        if self.flow.write_paused and not cycle.disconnected:
            await self.flow.drain()
        if not cycle.disconnected and not self.transport.is_closing():
            cycle.response_started = True
            cycle.waiting_for_100_continue = False
            ending = cycle.more_body or (self._app.draining and not self.pipeline)
            cycle.keep_alive = cycle.keep_alive and not ending
            if answer.rest is None:
                body = b"" if head else answer.body
                self._send(head_of(answer, keep_alive=cycle.keep_alive) + body)
            else:
                self.flush()
                await self._stream(cycle, answer, answer.rest)
            self._finish(cycle)
            return
        cycle.disconnected = (
            True  # else uvicorn logs an error: its own notice of a leaving caller may come later
        )
        if answer.rest is not None:
            await let_go(answer.rest, cycle.scope["method"])

    async def _stream(self, cycle: RequestResponseCycle, answer: Answer, rest: Rest) -> None:
        try:
            await send_parts(cycle, answer, rest)
        except BaseException:
            self._reset()
            cycle.disconnected = True
            raise
        finally:
            await rest.aclose()

    def _finish(self, cycle: RequestResponseCycle) -> None:
        """The answer is written, and the connection goes on, or ends behind it."""
        cycle.response_complete = True
        cycle.message_event.set()
        if cycle.more_body:
            self._deaf = True
            self.flow.resume_reading()
            self.loop.call_later(_LINGER, self._close)
        elif not cycle.keep_alive:
            self._close()
        cycle.on_response()

    def _send(self, data: bytes) -> None:
        """Write at the end of this turn, behind what waits already; who writes or closes at once flushes first."""
        if not self._unsent:
            self._app.outbox.add(self.loop, self)
        self._unsent += data

    def pause_writing(self) -> None:
        """The caller does not read as fast as we write; it has to read something, though."""
        super().pause_writing()
        self._watch_reader()

    def resume_writing(self) -> None:
        """It has caught up."""
        super().resume_writing()
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._current = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """The next request may begin, or the caller is idle from now on. One timer serves many requests."""
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            due = self._idle_since + self._limits.keepalive
            self.timeout_keep_alive_task = self.loop.call_at(due, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        """The caller may have been idle for long enough. While it is not, the end of its answer sets the timer again."""
        self.timeout_keep_alive_task = None
        if self._open or not self.cycle.response_complete:
            return
        due = self._idle_since + self._limits.keepalive
        if self.loop.time() < due - _EARLY:
            self.timeout_keep_alive_task = self.loop.call_at(due, self.timeout_keep_alive_handler)
        else:
            self._close()

    def _close(self) -> None:
        """End the connection behind what is written, but do not wait for ever until that is read."""
        self.flush()
        if not self.transport.is_closing():
            waiting = self.transport.get_write_buffer_size()
            self.transport.close()
            if waiting:
                self._watch_reader()

    def _look(self, before: int) -> None:
        """Cut the connection of a caller that has taken nothing since."""
        left = self._unread()
        if left < before:
            self._watch_reader()
        else:
            self._reset()

    def _watch_reader(self) -> None:
        self._stall = self.loop.call_later(self._limits.send_timeout, self._look, self._unread())

    def _reset(self) -> None:
        """Cut with a reset: to a caller of HTTP/1.0 an orderly end would make the answer whole (RFC 9112 §8)."""
        line = self.transport.get_extra_info("socket")
        with suppress(OSError, ValueError):  # it may be closed already
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.cut()

    def _unread(self) -> int:
        """Bytes that the caller has not taken: here, and in the kernel, which asks for more only now and then."""
        waiting = array("i", [0])
        with suppress(OSError, ValueError):  # it may be closed already
            ioctl(self.transport.get_extra_info("socket").fileno(), TIOCOUTQ, waiting)
        return self.transport.get_write_buffer_size() + waiting[0]
