"""What a platform can do wrong, byte by byte (R§1.5, F05 to F30): one script per fault, played on each connection."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from functools import cache
from typing import TypeAlias

from tests.emulator.caller import FIRST_REF, order
from tests.upstream.scripted import Talk

NEVER = b"SMUGGLED"
"""Stands in everything that must not reach a caller."""
ORDER = {"ref": FIRST_REF, "href": f"http://platform.test/v2.1/orders/{FIRST_REF}"} | order()
Play: TypeAlias = Callable[[Talk, bytes], Awaitable[bool]]
"""What happens once a request, given as its raw bytes, has come; whether the connection goes on."""


def answer(raw: bytes, body: bytes | None = None, *fields: bytes, status: bytes = b"") -> bytes:
    """A whole answer to a request; by itself the right one."""
    method = raw.split(b" ", 1)[0]
    creates = method == b"POST" and b"orders HTTP" in raw
    status = status or (
        b"201 Created" if creates else b"204 No Content" if method == b"DELETE" else b"200 OK"
    )
    if body is None:
        body = b"" if status.startswith(b"204") else json.dumps(ORDER).encode()
    lines = [b"HTTP/1.1 " + status, *fields]
    if not any(one.lower().startswith((b"content-type", b"transfer-encoding")) for one in fields):
        lines.append(b"Content-Type: application/json")
    if not any(one.lower().startswith((b"content-length", b"transfer-encoding")) for one in fields):
        lines += [] if status.startswith(b"204") else [b"Content-Length: %d" % len(body)]
    return b"\r\n".join([*lines, b"", body])


async def right(talk: Talk, raw: bytes) -> bool:
    """Do nothing wrong."""
    await talk.send(answer(raw))
    return True


def says(*pieces: bytes) -> Play:
    """Say this, and close the connection."""

    async def play(talk: Talk, _raw: bytes) -> bool:
        for piece in pieces:
            await talk.send(piece)
        return False

    return play


def replies(body: bytes | None = None, *fields: bytes, status: bytes = b"", behind: bytes = b"") -> Play:
    """Answer in proper HTTP; `behind` comes in the same packet."""

    async def play(talk: Talk, raw: bytes) -> bool:
        await talk.send(answer(raw, body, *fields, status=status) + behind)
        return True

    return play


def goes_on(start: bytes, piece: bytes, *, pause: float = 0.0) -> Play:
    """Begin an answer, and go on piece by piece for ever."""

    async def play(talk: Talk, _raw: bytes) -> bool:
        await talk.send(start)
        while not talk.writer.transport.is_closing():
            await talk.send(piece)
            await asyncio.sleep(pause)
        return False

    return play


def resets(start: bytes) -> Play:
    """Begin an answer, let it arrive, and reset the connection."""

    async def play(talk: Talk, _raw: bytes) -> bool:
        await talk.send(start)
        await asyncio.sleep(0.05)
        talk.reset()
        return False

    return play


async def silent(_talk: Talk, _raw: bytes) -> bool:
    """F15: read, and never answer."""
    await asyncio.sleep(30)
    return False


async def unread(talk: Talk) -> None:
    """F05: reset the connection, whatever is in it."""
    await talk.reader.read(1)
    talk.reset()


async def half_read(talk: Talk) -> None:
    """F06: reset it in the middle of a body; one without a body is reset behind its head."""
    await talk.reader.readuntil(b"\r\n\r\n")
    talk.reset()


async def mute(talk: Talk) -> None:
    """Take a connection, and never say a word."""
    await asyncio.sleep(30)


async def races(talk: Talk) -> None:
    """F29: keep a first connection open after one answer, and close it just when the next request comes."""
    await talk.send(answer(await talk.request()))
    while talk.number > 1:
        await talk.send(answer(await talk.request()))
    await talk.request()


@cache
def bomb() -> bytes:
    """F20: 40 MiB of white space in 40 KiB."""
    return gzip.compress(b" " * (40 << 20))


def changed(**members: object) -> bytes:
    """The order with other members; `...` leaves one out."""
    kept = {name: value for name, value in (ORDER | members).items() if value is not ...}
    return json.dumps(kept).encode()
