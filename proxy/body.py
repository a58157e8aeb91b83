"""Reading a request body within a size, a time and a rate (RFC 9112 §6): whole, or as much of it as shall be held."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any, Protocol, TypeAlias

from proxy.config.network import Server
from proxy.errors import Fault, Refused
from proxy.types import Headers
from proxy.wire.headers import first

Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Source(Protocol):
    """The connection that a body comes over."""

    broken: Refused | None
    """Why no more of the body can be read, once that is so."""


class Incoming:
    """A caller's body, piece by piece: a `Rest`. It raises `Refused` (400, 408, 413) where it does not become whole.

    The caller has `server.body_timeout`, and a second more for each `server.min_body_rate` bytes that have come: a body
    may be large, but not slow.
    """

    def __init__(
        self, receive: Receive, server: Server, most: int, length: int | None, source: Source | None
    ) -> None:
        self.length = length
        self.taken = 0
        self.more = True
        self._receive = receive
        self._source = source
        self._most = most
        self._rate = server.min_body_rate
        self._due = asyncio.get_running_loop().time() + server.body_timeout

    async def next(self) -> bytes:
        """The next piece, which may be empty."""
        try:
            async with asyncio.timeout_at(self._due + self.taken / self._rate):
                message = await self._receive()
        except TimeoutError:
            detail = (
                "The request body did not arrive in time. Send it faster, "
                "or raise server.body_timeout or lower server.min_body_rate."
            )
            raise Refused(Fault.BODY_TIMEOUT, "The request body did not arrive in time.", detail) from None
        if self._source is not None and self._source.broken is not None:
            raise self._source.broken
        if message["type"] == "http.disconnect":
            detail = "The caller went away before its body was whole."
            raise Refused(Fault.BODY_TIMEOUT, "The request ended early.", detail)
        piece: bytes = message.get("body", b"")
        self.taken += len(piece)
        self.more = message.get("more_body", False)
        if self.taken > self._most:
            raise too_large(self._most)
        return piece

    async def held(self, hold: int) -> bytes:
        """The body, or its beginning as soon as that is larger than `hold` bytes."""
        piece = await self.next()
        if not self.more:
            return piece
        pieces = [piece]
        while self.more and self.taken <= hold:
            pieces.append(await self.next())
        return b"".join(pieces)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """See `Rest`."""
        while self.more:
            if piece := await self.next():
                yield piece

    async def aclose(self) -> None:
        """Nothing: the connection belongs to the caller."""


async def read_body(
    headers: Headers, receive: Receive, server: Server, most: int, source: Source | None = None
) -> tuple[bytes, Incoming | None]:
    """The body of a request, at most `most` bytes, and what is still to come of one over `server.max_body`.

    Raises `Refused` (400, 408, 413).
    """
    length = first(headers, b"content-length")
    if length is None and first(headers, b"transfer-encoding") is None:
        return b"", None
    size = None if length is None else int(length)
    if size is not None and size > most:
        raise too_large(most)
    incoming = Incoming(receive, server, most, size, source)
    if size is not None and size > server.max_body:
        return b"", incoming
    body = await incoming.held(server.max_body)
    return body, incoming if incoming.more else None


def check_uncoded(coding: bytes | None) -> None:
    """Refuse a body with a `Content-Encoding` (RFC 9110 §8.4): what has to be translated is read as it came."""
    if coding is not None and coding.strip().lower() not in {b"", b"identity"}:
        detail = "A body that has to be translated is read without a content coding. Send it uncompressed."
        raise Refused(Fault.CODING, "Content-Encoding: is not supported.", detail)


def too_large(limit: int) -> Refused:
    """The refusal of a body over the limit."""
    detail = f"The request body is larger than {limit} bytes. Send less, or raise the limit under [server]."
    return Refused(Fault.TOO_LARGE, "The request body is too large.", detail)
