"""Writing an answer to a caller's connection: in one piece, or as it comes and no faster than the caller reads."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from proxy.types import Answer, Rest
from proxy.upstream.request import READS
from proxy.wire.framing import chunk
from proxy.wire.headers import first
from proxy.wire.phrases import status_line

_PATIENCE = 30.0
"""Seconds that the rest of an answer to a write is still taken when its caller has left."""


def head_of(answer: Answer, *, keep_alive: bool, chunked: bool = False) -> bytes:
    """Status line and header section of an answer (RFC 9112 §4)."""
    lines = [status_line(answer), *map(b": ".join, answer.headers)]
    if chunked:
        lines.append(b"Transfer-Encoding: chunked")
    if not keep_alive:
        lines.append(b"Connection: close")
    return b"\r\n".join([*lines, b"", b""])


async def send_parts(cycle: RequestResponseCycle, answer: Answer, rest: Rest) -> None:
    """Write an answer as it comes; raises `CrossfadeError` where it breaks off.

    Without a length it is chunked (RFC 9112 §7.1), and to an HTTP/1.0 caller ends with the connection. What still comes
    when the caller has left is taken for a while, so that a write runs to its end.
    """
    unsized = first(answer.headers, b"content-length") is None
    chunked = unsized and cycle.scope["http_version"] == "1.1"
    cycle.keep_alive = cycle.keep_alive and (chunked or not unsized)
    transport, flow = cycle.transport, cycle.flow
    head = head_of(answer, keep_alive=cycle.keep_alive, chunked=chunked)
    transport.write(head + (chunk(answer.body) if chunked and answer.body else answer.body))
    now, left = asyncio.get_running_loop().time, 0.0
    async for piece in rest:
        if flow.write_paused:
            await flow.drain()
        if cycle.disconnected:
            left = left or now()
            if now() - left > _PATIENCE:
                return
            continue
        transport.write(chunk(piece) if chunked else piece)
    if chunked and not cycle.disconnected:
        transport.write(chunk(b""))


async def let_go(rest: Rest, method: str) -> None:
    """Take the rest of an answer whose caller has left: to a write, so that it runs to its end; to a read, not at all."""
    try:
        if method not in READS:
            async with asyncio.timeout(_PATIENCE):
                async for _ in rest:
                    pass
    except TimeoutError:
        return
    finally:
        await rest.aclose()
