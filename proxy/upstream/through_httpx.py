"""The httpx engine, for deployments that need an outbound proxy: httpx's transport, never its client.

The transport keeps no cookies, follows nothing, adds no field. What it cannot do: say whether a request has
left (so everything but connecting is UNKNOWN), bound the number of interim answers (the total time does), and
stay fast.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from functools import partial

import httpx

from proxy.errors import ConfigError, Fault, Refused, UpstreamFailed
from proxy.types import Answer, Call, Headers, Outcome
from proxy.upstream.answer import unframed
from proxy.upstream.attempts import Attempts, Reason, pauses
from proxy.upstream.request import READS, outgoing_headers, request_head
from proxy.upstream.settings import SLOWEST, UpstreamSettings, tls_context
from proxy.upstream.through_httpx_parts import Body, Coming, Target

_NOT_SENT, _UNKNOWN = Outcome.NOT_SENT, Outcome.UNKNOWN
_ENDINGS: tuple[tuple[type[Exception], Outcome, Fault, str], ...] = (
    (httpx.ConnectTimeout, _NOT_SENT, Fault.TIMEOUT, "connecting took too long"),
    (httpx.PoolTimeout, _NOT_SENT, Fault.OVERLOADED, "all connections stayed busy (pool_size)"),
    (httpx.ConnectError, _NOT_SENT, Fault.UNREACHABLE, "connecting failed"),
    (httpx.ProxyError, _NOT_SENT, Fault.UNREACHABLE, "the outbound proxy did not connect"),
    (httpx.TimeoutException, _UNKNOWN, Fault.TIMEOUT, "time is up"),
    (TimeoutError, _UNKNOWN, Fault.TIMEOUT, "time is up"),
    (httpx.RemoteProtocolError, _UNKNOWN, Fault.BAD_ANSWER, "the answer is not proper HTTP/1.1"),
    (httpx.TransportError, _UNKNOWN, Fault.BROKEN, "the connection was closed or reset"),
)
"""The first line that fits decides."""

_SILENT_CLOSE = "Server disconnected without sending a response."
_CLOSED = (_SILENT_CLOSE, "peer closed connection", "peer unexpectedly closed connection")
"""How httpcore 1.0 and h11 0.16 begin to say that the upstream closed; they have no types for it."""


class HttpxEngine:
    """An `Engine` over `httpx.AsyncHTTPTransport`."""

    def __init__(self, settings: UpstreamSettings, attempts: Attempts) -> None:
        # At lower levels these print targets and header lists.
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._settings = settings
        self._attempts = attempts
        self._origin = settings.origin
        self._host = self._origin.authority.encode("ascii")
        self._url = httpx.URL(f"{self._origin}/")
        self._transport = _transport(settings)
        self._in_flight = 0
        self._closed = False

    async def send(self, call: Call, *, room: int | None = None) -> Answer:
        """See `Engine.send`; an answer that comes before a streamed body was sent has to wait for that."""
        headers = outgoing_headers(call, self._host)
        request_head(call, self._origin, headers)
        if self._closed:
            raise UpstreamFailed(_NOT_SENT, Fault.OVERLOADED, f"{self._origin}: the engine is closed")
        self._in_flight += 1
        self._attempts.begin()
        answer = None
        try:
            # A body that is still coming has the time that its caller is given.
            async with asyncio.timeout(self._settings.total_timeout if call.rest is None else None):
                answer = await self._send(call, headers, room)
        except TimeoutError as error:
            raise self._failed(error) from error
        finally:
            if answer is None or answer.rest is None:
                await self._over()
        return answer

    async def _send(self, call: Call, headers: Headers, room: int | None) -> Answer:
        """Try, and again as far as R§1.4 lets this method."""
        once = call.method not in READS or call.rest is not None
        for pause in pauses(write=once):
            try:
                return await self._attempt(call, headers, room)
            except httpx.TransportError as error:
                failed = self._failed(error)
                silent = not once and str(error) == _SILENT_CLOSE
                reason: Reason = "stale" if silent else "not_connected"
                if not silent and failed.fault is not Fault.UNREACHABLE:
                    raise failed from error
                if not self._attempts.again(reason):
                    raise failed from error
            await asyncio.sleep(0 if silent else pause)
        try:
            return await self._attempt(call, headers, room)
        except httpx.TransportError as error:
            raise self._failed(error) from error

    async def _attempt(self, call: Call, headers: Headers, room: int | None) -> Answer:
        request = httpx.Request(
            call.method,
            self._url,
            headers=headers,
            stream=Body(call),
            extensions={"timeout": self._timeouts()},
        )
        request.url = Target(self._url, self._origin.prefix + call.target)
        try:
            response = await self._transport.handle_async_request(request)
        except Refused as broke_off:
            raise UpstreamFailed(_UNKNOWN, broke_off.fault, broke_off.detail) from None
        pieces = self._pieces(response)
        parted = False
        try:
            self._check_head(response)
            body, parted = await self._read(pieces, room)
        finally:
            if not parted:
                await response.aclose()
        self._attempts.ended[Outcome.ANSWERED] += 1
        fields = unframed(response.headers.raw, response.status_code)
        reason = response.extensions.get("reason_phrase", b"")
        rest = Coming(pieces, partial(self._over, response)) if parted else None
        return Answer(response.status_code, fields, body, reason, rest)

    def _timeouts(self) -> dict[str, float]:
        settings = self._settings
        return {
            "connect": settings.connect_timeout,
            "read": settings.read_timeout,
            "write": settings.read_timeout,
            "pool": settings.pool_wait,
        }

    def _check_head(self, response: httpx.Response) -> None:
        fields = response.headers
        coded = b"transfer-encoding" in {name.lower() for name, _ in fields.raw}
        size = sum(len(name) + len(value) + 4 for name, value in fields.raw)
        if not 200 <= response.status_code <= 599:
            self._refuse("its status code is not a final one")
        if coded and ("content-length" in fields or response.extensions["http_version"] != b"HTTP/1.1"):
            self._refuse("it has a transfer coding next to a length or in HTTP/1.0")
        if size > self._settings.max_header_bytes:
            self._refuse(f"its header section is larger than {self._settings.max_header_bytes} bytes")

    async def _pieces(self, response: httpx.Response) -> AsyncIterator[bytes]:
        """What comes of an answer's body. Raises UpstreamFailed where it breaks off behind the first part."""
        stream = aiter(response.stream)  # type: ignore[arg-type]  # the transport's streams are async
        now, left = asyncio.get_running_loop().time, self._settings.total_timeout
        try:
            while True:
                begun = now()
                async with asyncio.timeout(left):
                    piece = await anext(stream, None)
                if piece is None:
                    break
                left += len(piece) / SLOWEST + begun - now()
                yield piece
        except (httpx.TransportError, TimeoutError) as error:
            raise self._failed(error) from error
        if _left_over(response):
            await response.extensions["network_stream"].aclose()

    async def _read(self, coming: AsyncIterator[bytes], room: int | None) -> tuple[bytes, bool]:
        """The body; or as much of it as there is room for, and that there may be more."""
        pieces = []
        size = 0
        async for piece in coming:
            size += len(piece)
            pieces.append(piece)
            if room is not None and size > room:
                return b"".join(pieces), True
            if room is None and size > self._settings.max_answer:
                self._refuse(f"its body is larger than {self._settings.max_answer} bytes")
        return b"".join(pieces), False

    def _refuse(self, reason: str) -> None:
        raise UpstreamFailed(_UNKNOWN, Fault.BAD_ANSWER, f"{self._origin}: {reason}")

    def _failed(self, error: Exception) -> UpstreamFailed:
        if isinstance(error, httpx.RemoteProtocolError) and str(error).startswith(_CLOSED):
            return UpstreamFailed(_UNKNOWN, Fault.BROKEN, f"{self._origin}: the connection was closed")
        outcome, fault, reason = next(ending[1:] for ending in _ENDINGS if isinstance(error, ending[0]))
        self._attempts.ended[outcome] += 1
        return UpstreamFailed(outcome, fault, f"{self._origin}: {reason}")

    async def _over(self, response: httpx.Response | None = None) -> None:
        """A call has ended, and with it the rest of its answer."""
        self._in_flight -= 1
        if response is not None:
            await response.aclose()
        await self._close_if_last()

    async def close(self) -> None:
        """See `Engine.close`."""
        self._closed = True
        await self._close_if_last()

    async def _close_if_last(self) -> None:
        if self._closed and not self._in_flight:
            await self._transport.aclose()


def _left_over(response: httpx.Response) -> bool:
    """Whether bytes came behind the answer: httpcore would give them to the next call, another caller's.

    Nothing public tells; where the private way has moved, no connection is used twice.
    """
    try:
        state = response.stream._httpcore_stream._stream._connection._h11_state  # type: ignore[union-attr] # noqa: SLF001
        return bool(state.trailing_data[0])
    except AttributeError:
        return True


def _transport(settings: UpstreamSettings) -> httpx.AsyncHTTPTransport:
    limits = httpx.Limits(
        max_connections=settings.pool_size,
        max_keepalive_connections=settings.pool_size,
        # One age for all: httpx cannot tell a write from a read.
        keepalive_expiry=min(settings.keepalive, settings.write_idle),
    )
    try:
        return httpx.AsyncHTTPTransport(
            # Where there is no TLS, a context that trusts nobody: reading the system's authorities takes 70 ms.
            verify=tls_context(settings) or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            http1=True,
            http2=False,
            limits=limits,
            trust_env=False,
            proxy=settings.proxy,
        )
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        # Not chained: the text of the cause may show the proxy's password.
        reason = (
            "SOCKS needs the package socksio" if isinstance(error, ImportError) else "http, https or socks5"
        )
        raise ConfigError(f"proxy of an upstream cannot be used; it must be a URL ({reason}).") from None
