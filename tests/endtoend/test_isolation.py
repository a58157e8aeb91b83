"""Callers never meet each other's cookies or credentials: fifty at once, all by one host name, over few connections."""

from __future__ import annotations

import asyncio
import base64
import json
import re

import pytest

from tests.emulator.caller import FIRST_REF, JSON, order
from tests.endtoend.running import carried
from tests.raw import Heard, parse, request
from tests.servers import RawUpstream

CALLERS = 50
EACH = 16
"""Requests of one caller, of which the first half goes over one connection."""
POOL = 8
"""Connections to the platform: everybody's calls go over the same ones."""


def secret(number: int) -> str:
    """What only this caller knows."""
    return f"mine-{number:03d}-only"


def authorization(number: int) -> str:
    return "Basic " + base64.b64encode(f"caller-{number}:{secret(number)}".encode()).decode()


def asks(number: int, turn: int) -> bytes:
    """A read or a write with the caller's credentials and the cookie that it was given, if it keeps cookies at all."""
    headers = [("Authorization", authorization(number)), ("X-Caller", str(number))]
    headers += [("Cookie", f"session={secret(number)}")] if number % 2 else []
    if turn % 2:
        return request("GET", f"/v2/orders/{FIRST_REF}", b"", headers, host="localhost")
    body = json.dumps(order(referenceId=f"R-{number}-{turn}"))
    return request("POST", "/v2/orders", body, [*headers, JSON], host="localhost")


def echoed(raw: bytes) -> bytes:
    """What the platform gives back: the credentials that it saw, in the body and in a cookie for the whole host."""
    shown = field(raw, "authorization") or "none"
    given = base64.b64decode(shown.partition(" ")[2]).decode().partition(":")[2]
    body = json.dumps({"ref": FIRST_REF, "seen": shown}).encode()
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        f"Set-Cookie: session={given}; Path=/; Domain=localhost\r\nSet-Cookie: other={given}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def field(raw: bytes, name: str) -> str | None:
    """The value of a field of a request."""
    found = re.search(rb"(?i)\r\n" + name.encode() + rb": ([^\r]*)", raw)
    return found[1].decode() if found else None


async def converse(port: int, number: int) -> list[Heard]:
    """All that one caller asks: over one connection first, then over a new one each time."""
    heard = []
    reader, writer = await asyncio.open_connection("localhost", port)
    for turn in range(EACH):
        if turn > EACH // 2:
            writer.close()
            reader, writer = await asyncio.open_connection("localhost", port)
        writer.write(asks(number, turn).replace(b"Connection: close\r\n", b""))
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(parse(head).header("content-length") or 0)
        heard.append(parse(head + await reader.readexactly(size)))
    writer.close()
    return heard


async def all_of_them(port: int) -> list[list[Heard]]:
    async with asyncio.timeout(60):
        return await asyncio.gather(*(converse(port, number) for number in range(CALLERS)))


@pytest.mark.parametrize("engine", ["native", "httpx"])
@pytest.mark.parametrize("stage", ["v2", "v2.1"])
def test_no_cookie_and_no_credential_crosses_between_callers(stage: str, engine: str) -> None:
    keys: dict[str, object] = {f"upstream.{one}.pool_size": POOL for one in ("v2", "v2_1")}
    keys |= {f"upstream.{one}.pool_wait": "30s" for one in ("v2", "v2_1")}
    with RawUpstream(echoed) as platform:
        url = platform.url.replace("127.0.0.1", "localhost")
        with carried([stage], keys={**keys, "upstream.engine": engine}, upstream=url) as proxy:
            conversations = asyncio.run(all_of_them(int(proxy.url.rpartition(":")[2])))
    assert len(platform.requests) == CALLERS * EACH
    for raw in platform.requests:
        number = int(field(raw, "x-caller") or -1)
        assert field(raw, "authorization") == authorization(number)
        assert field(raw, "cookie") == (f"session={secret(number)}" if number % 2 else None)
    for number, heard in enumerate(conversations):
        assert len(heard) == EACH
        for one in heard:
            cookies = [value for name, value in one.headers if name == "set-cookie"]
            mine = secret(number)
            assert cookies == [f"session={mine}; Path=/; Domain=localhost", f"other={mine}"]
            assert json.loads(one.body)["seen"] == authorization(number)
