"""Real servers for tests: an ASGI app under uvicorn, the emulator, a scripted TCP upstream.

Everything listens on loopback only, on a port the kernel picks, and is gone when its `with` block ends.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

import uvicorn

from proxy.emulator import Emulator, Platform, make_app
from proxy.emulator.serve import Protocol
from tests.raw import Heard, fetch, parse, read_message, request

__all__ = [
    "Heard",
    "RawUpstream",
    "Reply",
    "Running",
    "emulator",
    "fetch",
    "parse",
    "read_message",
    "request",
    "serve",
]

_PATIENCE = 10.0


@dataclass(frozen=True)
class Running:
    """An ASGI server that is accepting connections."""

    host: str
    port: int
    server: uvicorn.Server = field(repr=False)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


@contextmanager
def serve(app: Any, *, host: str = "127.0.0.1", http: Any = None, **settings: Any) -> Iterator[Running]:
    """`app` under uvicorn in a background thread; `http` is a protocol class, `settings` go to uvicorn."""
    listener = socket.create_server((host, 0))
    config = uvicorn.Config(
        app,
        http=http or "httptools",
        **{
            "ws": "none",
            "log_level": "critical",
            "access_log": False,
            "timeout_graceful_shutdown": 2,
            **settings,
        },
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        until = time.monotonic() + _PATIENCE
        while not server.started:
            if not thread.is_alive() or time.monotonic() > until:
                raise RuntimeError("the server did not start; run it with log_level='debug' to see why")
            time.sleep(0.005)
        yield Running(host, listener.getsockname()[1], server)
    finally:
        server.should_exit = True
        thread.join(_PATIENCE)
        listener.close()


@dataclass(frozen=True)
class Reply:
    """What `RawUpstream` does with one request: wait `delay` seconds, write `data`, and `then` ...

    keep: wait for the next request; close: end the connection; reset: end it with a TCP reset;
    stall: stay open and silent until the test ends.
    """

    data: bytes = b""
    then: Literal["keep", "close", "reset", "stall"] = "keep"
    delay: float = 0.0


Answers = Callable[[bytes], "bytes | Reply | None"] | Iterable["bytes | Reply | None"]


class RawUpstream:
    """A TCP server that answers whole requests with scripted bytes, and remembers every request's bytes.

    `answers` is called with a request's bytes, or is a list used up in order (when it is empty, the
    connection closes). `None` closes without a word. `requests` and `connections` count what arrived.
    """

    def __init__(self, answers: Answers, *, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        canned = iter(()) if callable(answers) else iter(answers)
        self._answer = answers if callable(answers) else (lambda _request: next(canned, None))
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._ending = threading.Event()
        self._threads: list[threading.Thread] = []
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._spawn(self._accept)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._ending.set()
        with suppress(OSError):  # a listener nobody waits on cannot be shut down, only closed
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            with suppress(OSError):  # the caller may have closed it already
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(_PATIENCE)

    def _spawn(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._ending.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.add(connection)
            self._spawn(self._talk, connection)

    def _talk(self, plain: socket.socket) -> None:
        connection = plain
        try:
            if self._tls is not None:
                connection = self._tls.wrap_socket(plain, server_side=True)
                self._open.add(connection)
            pending = b""
            while True:
                request, pending = read_message(connection, pending)
                if not request:
                    return
                self.requests.append(request)
                if not self._act(connection, self._answer(request)):
                    return
        except OSError:
            return  # the other side went away: that is its right in these tests
        finally:
            self._open -= {plain, connection}
            connection.close()

    def _act(self, connection: socket.socket, answer: bytes | Reply | None) -> bool:
        reply = (
            Reply(then="close") if answer is None else Reply(answer) if isinstance(answer, bytes) else answer
        )
        self._ending.wait(reply.delay)
        connection.sendall(reply.data)
        if reply.then == "stall":
            self._ending.wait()
        if reply.then == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return reply.then == "keep"


@contextmanager
def emulator(platform: Platform | None = None, **options: Any) -> Iterator[tuple[str, Emulator]]:
    """The emulator on a free port: its URL, and the app to look into; `options` go to `make_app`."""
    app = make_app(platform, **options)
    with serve(app, http=Protocol, server_header=False, date_header=False) as running:
        yield running.url, app
