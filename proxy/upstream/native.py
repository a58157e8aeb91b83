"""The native engine: HTTP/1.1 over asyncio and httptools; it knows whether a request has left."""

from __future__ import annotations

import asyncio
import socket
import ssl
from functools import partial
from math import inf

import msgspec

from proxy.errors import Fault, UpstreamFailed
from proxy.types import Answer, Call, Outcome, Rest
from proxy.upstream.attempts import Attempts, pauses
from proxy.upstream.coming import Coming
from proxy.upstream.connection import Connection, Ending
from proxy.upstream.pool import Pool
from proxy.upstream.request import READS, outgoing_headers, request_head
from proxy.upstream.settings import UpstreamSettings, tls_context
from proxy.upstream.upload import uploaded
from proxy.wire.framing import chunk

_CONNECT_ENDINGS: tuple[tuple[type[OSError], Fault, str], ...] = (
    (TimeoutError, Fault.TIMEOUT, "connecting took too long"),
    (socket.gaierror, Fault.UNREACHABLE, "its name could not be resolved"),
    (ssl.SSLCertVerificationError, Fault.UNREACHABLE, "its certificate was not accepted"),
    (ssl.SSLError, Fault.UNREACHABLE, "the TLS handshake failed"),
    (ConnectionRefusedError, Fault.UNREACHABLE, "the connection was refused"),
    (OSError, Fault.UNREACHABLE, "connecting failed"),
)
"""The first line that fits decides."""


class _Turn(msgspec.Struct, frozen=True, gc=False):
    """What all attempts of one `send` have in common."""

    call: Call
    head: bytes
    deadline: float
    room: int | None


class NativeEngine:
    """An `Engine` over its own connections; made outside a loop, used inside one."""

    def __init__(self, settings: UpstreamSettings, attempts: Attempts) -> None:
        self._settings = settings
        self._attempts = attempts
        self._origin = settings.origin
        self._host = self._origin.authority.encode("ascii")
        self._tls = tls_context(settings)
        self._pool: Pool | None = None
        self._closed = False

    async def send(self, call: Call, *, room: int | None = None) -> Answer:
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
        self._attempts.begin()
        coming = None
        try:
            answer, connection = await self._send(_Turn(call, head, deadline, room), pool)
            coming = answer.rest
        finally:
            if coming is None:
                pool.leave()
        if isinstance(coming, Coming):
            coming.when_ended(partial(_give_back, pool, connection))
        return answer

    async def _send(self, turn: _Turn, pool: Pool) -> tuple[Answer, Connection]:
        """Try an idle connection and then a fresh one, as far as R§1.4 lets this method."""
        once = turn.call.method not in READS or turn.call.rest is not None
        connection = pool.take(write=once)
        if connection is not None:
            ending = await self._exchange(connection, turn, pool)
            if not isinstance(ending, UpstreamFailed):
                return ending, connection
            stale = ending.fault is Fault.BROKEN and connection.unanswered
            unsent = ending.outcome is Outcome.NOT_SENT and turn.call.rest is None
            if unsent:
                # The upstream has not seen anything of it, so it costs no budget.
                self._attempts.retried["stale"] += 1
            elif once or not stale or not self._attempts.again("stale"):
                raise ending
        connection = await self._connected(turn.deadline, pool, write=once)
        ending = await self._exchange(connection, turn, pool)
        if isinstance(ending, UpstreamFailed):
            raise ending
        return ending, connection

    async def _exchange(self, connection: Connection, turn: _Turn, pool: Pool) -> Ending:
        """One attempt; its connection is back in the pool, closed, or still bringing the rest of the answer."""
        ended = self._attempts.ended
        call = turn.call
        try:
            if call.rest is None:
                ending = await connection.exchange(
                    call.method, turn.head, call.body, turn.deadline, turn.room
                )
            else:
                ending = await self._upload(connection, turn, call.rest)
        except BaseException:
            ended[Outcome.UNKNOWN] += 1
            connection.abort()
            raise
        if isinstance(ending, UpstreamFailed):
            ended[ending.outcome] += 1
        else:
            ended[Outcome.ANSWERED] += 1
            if ending.rest is not None:
                return ending
        pool.put(connection)
        return ending

    async def _upload(self, connection: Connection, turn: _Turn, rest: Rest) -> Ending:
        """An exchange whose body is still coming; the time for the answer begins when the body has been sent."""
        call = turn.call
        body = chunk(call.body) if rest.length is None and call.body else call.body
        answered = connection.exchange(call.method, turn.head, body, inf, turn.room)
        whole = await uploaded(connection, rest, answered)
        now = asyncio.get_running_loop().time()
        connection.sent(now + self._settings.total_timeout, whole=whole)
        return await answered

    async def _connected(self, deadline: float, pool: Pool, *, write: bool) -> Connection:
        """Connect; again where that failed and was no question of time: nothing has been sent (R§1.4)."""
        for pause in pauses(write=write):
            try:
                return await self._connect(deadline, pool)
            except UpstreamFailed as failed:
                if failed.fault is not Fault.UNREACHABLE or not self._attempts.again("not_connected"):
                    raise
            await asyncio.sleep(pause)
        return await self._connect(deadline, pool)

    async def _connect(self, deadline: float, pool: Pool) -> Connection:
        loop = asyncio.get_running_loop()
        connection = Connection(loop, self._settings, pool.outbox)
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
                self._attempts.ended[Outcome.NOT_SENT] += 1
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


def _give_back(pool: Pool, connection: Connection) -> None:
    pool.put(connection)
    pool.leave()
