"""Listening: sockets, uvicorn behind them, and how they are stopped."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from math import ceil
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Listener:
    """One address and the application behind it."""

    def __init__(
        self,
        app: Any,
        at: tuple[str, int],
        *,
        tls: dict[str, Any] | None = None,
        patience: float = 5.0,
        protocol: type[HttpToolsProtocol] = HttpToolsProtocol,
    ) -> None:
        """Bind the address; raises `OSError` with the address as its file name when it cannot be had.

        `patience` is how many seconds requests in flight are given when it stops.
        """
        host, port = at
        self._socket = _bound(host, port)
        self.host, self.port = self._socket.getsockname()[:2]
        config = uvicorn.Config(
            app,
            http=protocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            proxy_headers=False,
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=ceil(patience),
            **(tls or {}),
        )
        self.server = _Server(config)

    async def run(self) -> None:
        """Serve until told to stop; what is in flight then runs to its end."""
        await self.server.serve(sockets=[self._socket])

    def force(self) -> None:
        """Wait for nothing any more: connections are cut."""
        self.server.should_exit = self.server.force_exit = True
        for connection in list(self.server.server_state.connections):
            cut: Callable[[], None] = getattr(connection, "cut", connection.transport.abort)
            cut()


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
        one.force()  # what is left has had its time
        await asyncio.sleep(0)
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
