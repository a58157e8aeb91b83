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
    body: bytes = message.get("body", b"")
    if message.get("more_body", False):
        pieces, size = [body], len(body)
        while message.get("more_body", False):
            message = await receive()
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
            if size > limit:
                raise too_large(limit)
        body = b"".join(pieces)
    if message["type"] == "http.disconnect":
        raise Refused(
            Fault.BODY_TIMEOUT, "The request ended early.", "The caller went away before its body was whole."
        )
    if len(body) > limit:
        raise too_large(limit)
    return body


def too_large(limit: int) -> Refused:
    """The refusal of a body over the limit."""
    detail = f"The request body is larger than {limit} bytes. Send less, or raise the limit under [server]."
    return Refused(Fault.TOO_LARGE, "The request body is too large.", detail)
