"""The native engine: HTTP/1.1 over asyncio and httptools; it knows whether a request has left."""

from __future__ import annotations

import asyncio
import socket
import ssl

from proxy.errors import Fault, UpstreamFailed
from proxy.types import Answer, Call, Outcome
from proxy.upstream.connection import Connection
from proxy.upstream.pool import Pool
from proxy.upstream.request import READS, outgoing_headers, request_head
from proxy.upstream.settings import UpstreamSettings, tls_context

_BREATH = 0.05
"""Seconds before a failed connect is tried once more."""

_CONNECT_ENDINGS: tuple[tuple[type[OSError], Fault, str], ...] = (
    (TimeoutError, Fault.TIMEOUT, "connecting took too long"),
    (socket.gaierror, Fault.UNREACHABLE, "its name could not be resolved"),
    (ssl.SSLCertVerificationError, Fault.UNREACHABLE, "its certificate was not accepted"),
    (ssl.SSLError, Fault.UNREACHABLE, "the TLS handshake failed"),
    (ConnectionRefusedError, Fault.UNREACHABLE, "the connection was refused"),
    (OSError, Fault.UNREACHABLE, "connecting failed"),
)
"""The first line that fits decides."""


class NativeEngine:
    """An `Engine` over its own connections; made outside a loop, used inside one."""

    def __init__(self, settings: UpstreamSettings) -> None:
        self._settings = settings
        self._origin = settings.origin
        self._host = self._origin.authority.encode("ascii")
        self._tls = tls_context(settings)
        self._pool: Pool | None = None
        self._closed = False

    async def send(self, call: Call) -> Answer:
        """See `Engine.send`."""
        head = request_head(call, self._origin, outgoing_headers(call, self._host))
        loop = asyncio.get_running_loop()
        pool = self._pool
        if pool is None:
            pool = self._pool = Pool(loop, self._settings)
        if self._closed:
            raise UpstreamFailed(Outcome.NOT_SENT, Fault.OVERLOADED, f"{self._origin}: the engine is closed")
        deadline = loop.time() + self._settings.total_timeout
        if not pool.try_enter():
            await pool.enter(min(self._settings.pool_wait, self._settings.total_timeout))
        try:
            return await self._send(call, head, pool, deadline)
        finally:
            pool.leave()

    async def _send(self, call: Call, head: bytes, pool: Pool, deadline: float) -> Answer:
        """Try an idle connection and then a fresh one, as far as R§1.4 lets this method."""
        read = call.method in READS
        connection = pool.take(write=not read)
        if connection is not None:
            ending = await _exchange(connection, call, head, pool, deadline)
            if not isinstance(ending, UpstreamFailed):
                return ending
            if not (read and ending.fault is Fault.BROKEN and connection.unanswered):
                raise ending
        connection = await self._connect_twice(deadline)
        ending = await _exchange(connection, call, head, pool, deadline)
        if isinstance(ending, UpstreamFailed):
            raise ending
        return ending

    async def _connect_twice(self, deadline: float) -> Connection:
        """Connect; once more where that failed and was no question of time: nothing has been sent (R§1.4)."""
        try:
            return await self._connect(deadline)
        except UpstreamFailed as failed:
            if failed.fault is not Fault.UNREACHABLE:
                raise
        await asyncio.sleep(_BREATH)
        return await self._connect(deadline)

    async def _connect(self, deadline: float) -> Connection:
        loop = asyncio.get_running_loop()
        connection = Connection(loop, self._settings)
        origin, tls = self._origin, self._tls
        try:
            async with asyncio.timeout(min(self._settings.connect_timeout, deadline - loop.time())):
                await loop.create_connection(
                    lambda: connection,
                    origin.host,
                    origin.port,
                    ssl=tls,
                    server_hostname=origin.host if tls else None,
                )
        except BaseException as error:
            connection.abort()
            if isinstance(error, OSError):
                raise self._unreachable(error) from error
            raise
        return connection

    def _unreachable(self, error: OSError) -> UpstreamFailed:
        fault, reason = next(ending[1:] for ending in _CONNECT_ENDINGS if isinstance(error, ending[0]))
        return UpstreamFailed(Outcome.NOT_SENT, fault, f"{self._origin}: {reason}")

    async def close(self) -> None:
        """See `Engine.close`."""
        self._closed = True
        if self._pool is not None:
            self._pool.close()
            # An aborted transport closes its socket in the next turn of the loop.
            await asyncio.sleep(0)


async def _exchange(
    connection: Connection, call: Call, head: bytes, pool: Pool, deadline: float
) -> Answer | UpstreamFailed:
    try:
        return await connection.exchange(call.method, head, call.body, deadline)
    finally:
        pool.put(connection)
