"""Sending a request whose body is still coming: no faster than the upstream reads, and only until it has answered."""

from __future__ import annotations

import asyncio

from proxy.errors import Refused, UpstreamFailed
from proxy.types import Outcome, Rest
from proxy.upstream.connection import Connection, Ending
from proxy.wire.framing import chunk


async def uploaded(connection: Connection, rest: Rest, answered: asyncio.Future[Ending]) -> bool:
    """Send `rest` until it ends or the upstream has `answered`; whether all of it was sent.

    Raises UpstreamFailed (UNKNOWN) with the caller's own fault where its body broke off: a part of it has left.
    """
    pump = asyncio.create_task(_pumped(connection, rest))
    try:
        await asyncio.wait((pump, answered), return_when=asyncio.FIRST_COMPLETED)
        return pump.done() and pump.result()
    except Refused as broke_off:
        raise UpstreamFailed(Outcome.UNKNOWN, broke_off.fault, broke_off.detail) from None
    finally:
        if not pump.done():
            pump.cancel()
            await asyncio.wait((pump,))


async def _pumped(connection: Connection, rest: Rest) -> bool:
    chunked = rest.length is None
    async for piece in rest:
        if not await connection.send_more(chunk(piece) if chunked else piece):
            return False
    return not chunked or await connection.send_more(chunk(b""))
