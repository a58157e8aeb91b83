"""What the tests of the RFC's rules share: raw bytes in, raw bytes out, and the fields between."""

from __future__ import annotations

import asyncio
import json
import re

from tests.emulator.caller import FIRST_REF
from tests.faults.gateway import Gate, House, asking
from tests.faults.places import Place
from tests.faults.stories import told
from tests.raw import parse

GET = f"GET /v2/orders/{FIRST_REF} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n".encode()
POST = b"POST /v2/orders HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"


async def said(front: Gate, raw: bytes) -> bytes:
    """All that comes back for these bytes until the gateway ends the connection, which it has to."""
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    writer.write(raw)
    async with asyncio.timeout(5):
        data = await reader.read(-1)
    writer.close()
    return data


def values(raw: bytes, name: bytes) -> list[bytes]:
    """The values of a field in a raw message, in their order."""
    lines = raw.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    return [line.partition(b":")[2].strip() for line in lines if line.lower().startswith(name + b":")]


def statuses(raw: bytes) -> list[int]:
    """The statuses of the answers in it."""
    return [int(one) for one in re.findall(rb"HTTP/1\.1 (\d{3}) ", raw)]


def refused(where: House, *wrong: bytes) -> None:
    """Each of these is answered with one error of ours, the connection closes, and nothing goes upstream."""

    async def story(place: Place, front: Gate, _call: str) -> None:
        for raw in wrong:
            data = await said(front, raw + asking("GET"))
            assert (statuses(data), place.seen.requests) == ([400], []), (raw, data)
            assert json.loads(parse(data).body)["status"] == 400

    told(where, story, engines=("native",))
