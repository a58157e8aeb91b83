"""Listening: uvicorn with httptools, and the few things that a gateway needs of them differently.

* The request target is kept as it came; uvicorn's own scope drops a lone `?` and hides an absolute form's authority.
* Trailer fields are not merged into the header section (RFC 9110 §6.5.1): a late `Authorization` must not count.
* What is no HTTP at all is answered in v2's error shape and the connection is closed (RFC 9112 §2.2). So are a header
  section without an end, a request without its one `Host`, and a transfer coding that two servers could read differently.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from math import ceil
from typing import Any, Protocol

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from proxy.serve import LINE, RAW_TARGET
from proxy.types import Headers
from proxy.wire.headers import first


class Application(Protocol):
    """An ASGI application that can also say what it thinks of bytes that are no request."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        ...

    def unreadable(self) -> bytes:
        """The whole answer, head and body, to bytes that are no HTTP request."""
        ...


MAX_FIELDS = 200
"""Field lines of one request; real callers send about twenty."""
MAX_SECTION = 64 * 1024
"""Bytes of one request's header section."""
_AGAIN = 0.05
"""Seconds between two looks at an answer that its caller is slow to read."""


class GatewayProtocol(HttpToolsProtocol):
    """One connection of a caller."""

    head_seconds = 10.0
    """How long a header section may take to arrive, counted from the connection or from its first byte."""
    gone = False
    """Whether the caller has left, or was left."""
    leaving: Callable[[], object] | None = None
    """What to do when the caller leaves while this is set: end a read that nobody waits for any more."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn narrows it too
        """A caller has connected, and has to say something soon."""
        super().connection_made(transport)
        self._owed: list[Callable[[bool], None]] = []
        self._open = True
        self._left = MAX_SECTION
        self._deadline: asyncio.TimerHandle | None = None
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Bytes have come; a timer runs only while a header section is unfinished, so most requests need none."""
        super().data_received(data)
        self._watch()

    def eof_received(self) -> None:
        """The caller says no more: the connection ends after what has been written, and nothing more is taken."""
        super().eof_received()
        self.gone = True

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended, and its timer with it."""
        self._open = False
        self.gone = True
        self._watch()
        super().connection_lost(exc)
        self._settle(handed=exc is None)  # asyncio ends a connection without an exception once all is written
        if self.leaving is not None:
            self.leaving()

    def when_handed(self, told: Callable[[bool], None]) -> None:
        """Tell whether the kernel has taken all that was sent: soon, or when the caller reads on or is gone."""
        if self.gone:
            told(False)
            return
        self._owed.append(told)
        self.loop.call_soon(self._look)  # uvloop writes at the end of a turn of its loop

    def _look(self) -> None:
        if not self._owed:
            return
        if self.transport.get_write_buffer_size():
            self.loop.call_later(_AGAIN, self._look)
        else:
            self._settle(handed=True)

    def _settle(self, *, handed: bool) -> None:
        owed, self._owed = self._owed, []
        for told in owed:
            told(handed)

    def _watch(self) -> None:
        if self._open and self._deadline is None:
            self._deadline = self.loop.call_later(self.head_seconds, self.transport.close)
        elif not self._open and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def on_message_begin(self) -> None:
        """A new request begins: its header section is open again."""
        super().on_message_begin()
        self._open = True
        self._left = MAX_SECTION

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field line; those behind the body are trailers and stop here. Raises ValueError for too many."""
        self._left -= len(name) + len(value)
        if self._left < 0 or len(self.headers) >= MAX_FIELDS:
            raise ValueError
        if self._open:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The header section is whole: keep the target's own bytes for the gateway.

        Raises ValueError, which httptools turns into a refusal, where the framing is not what RFC 9112 §3.2 and §6.1 ask for.
        """
        self._open = False
        check_framing(self.parser.get_http_version(), self.headers)
        self.scope[RAW_TARGET] = self.url  # type: ignore[literal-required] # a key of ours beside ASGI's
        self.scope[LINE] = self  # type: ignore[literal-required] # see above
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are no request, and close."""
        answer: Callable[[], bytes] | None = getattr(self.app, "unreadable", None)
        if answer is not None:
            self.transport.write(answer())
        self.transport.close()


def check_framing(version: str, headers: Headers) -> None:
    """Raises ValueError: HTTP/1.1 without `Host`, a transfer coding other than `chunked`, any of them before HTTP/1.1."""
    coding = first(headers, b"transfer-encoding")
    known = coding is None or (version == "1.1" and coding.lower() == b"chunked")
    if not known or version not in {"1.0", "1.1"} or (version == "1.1" and first(headers, b"host") is None):
        raise ValueError


class Listener:
    """One address and the application behind it."""

    def __init__(self, app: Any, host: str, port: int, tls: dict[str, Any], patience: float = 5.0) -> None:
        """Bind the address; raises `OSError` with the address as its file name when it cannot be had.

        `patience` is how many seconds requests in flight are given when it stops.
        """
        self._socket = _bound(host, port)
        self.host, self.port = self._socket.getsockname()[:2]
        config = uvicorn.Config(
            app,
            http=GatewayProtocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            proxy_headers=False,
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=ceil(patience),
            **tls,
        )
        self.server = _Server(config)

    async def run(self) -> None:
        """Serve until told to stop; what is in flight then runs to its end."""
        await self.server.serve(sockets=[self._socket])


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Signals are heard in one place for all listeners, see `run_all`."""
        yield


async def run_all(listeners: list[Listener], stopping: asyncio.Event, started: Callable[[], None]) -> None:
    """Run listeners until `stopping` is set, then stop them one after the other: callers first, operators last."""
    tasks = [asyncio.create_task(one.run()) for one in listeners]
    while not all(one.server.started for one in listeners):
        if any(task.done() for task in tasks):
            break
        await asyncio.sleep(0.005)
    started()
    waiting = asyncio.create_task(stopping.wait())
    await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for one, task in zip(listeners, tasks, strict=True):
        one.server.should_exit = True
        await task
    waiting.cancel()
    with suppress(asyncio.CancelledError):
        await waiting


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise OSError(
            error.errno, error.strerror or "the name cannot be resolved", f"{host}:{port}"
        ) from None
