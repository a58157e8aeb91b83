"""Reading a request body: whole, within a size and a time, before anything goes upstream (RFC 9112 §6)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from proxy.errors import Fault, Refused
from proxy.types import Headers
from proxy.wire.headers import first

Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]


async def read_body(headers: Headers, receive: Receive, limit: int, seconds: float) -> bytes:
    """The body of a request, at most `limit` bytes; raises `Refused` (408, 413)."""
    length = first(headers, b"content-length")
    if length is None and first(headers, b"transfer-encoding") is None:
        return b""
    if length is not None and int(length) > limit:
        raise too_large(limit)
    try:
        async with asyncio.timeout(seconds):
            return await _read(receive, limit)
    except TimeoutError:
        detail = "The request body did not arrive in time. Send it faster, or raise server.body_timeout."
        raise Refused(Fault.BODY_TIMEOUT, "The request body did not arrive in time.", detail) from None


async def _read(receive: Receive, limit: int) -> bytes:
    message = await receive()
    pieces: list[bytes] = [message.get("body", b"")]
    size = len(pieces[0])
    while size <= limit and message.get("more_body", False):
        message = await receive()
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
    if size > limit:
        raise too_large(limit)
    if message["type"] == "http.disconnect":
        raise Refused(
            Fault.BODY_TIMEOUT, "The request ended early.", "The caller went away before its body was whole."
        )
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def check_uncoded(headers: Headers) -> None:
    """Refuse a body with a content coding (RFC 9110 §8.4): what has to be translated is read as it came."""
    coding = first(headers, b"content-encoding")
    if coding is not None and coding.strip().lower() not in {b"", b"identity"}:
        detail = "A body that has to be translated is read without a content coding. Send it uncompressed."
        raise Refused(Fault.CODING, "Content-Encoding: is not supported.", detail)


def too_large(limit: int) -> Refused:
    """The refusal of a body over the limit."""
    detail = f"The request body is larger than {limit} bytes. Send less, or raise the limit under [server]."
    return Refused(Fault.TOO_LARGE, "The request body is too large.", detail)
