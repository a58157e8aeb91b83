"""Callers that leave, in ones and in thousands: what they had begun ends properly, and nothing is left open behind them."""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from proxy.upstream.journals import survey
from tests.emulator.caller import CREDENTIALS, FIRST_REF, JSON, order
from tests.endtoend.running import carried
from tests.raw import parse, request
from tests.servers import RawUpstream, Reply

LONG = os.environ.get("CROSSFADE_STORM") == "long"
LEAVE, STAY = (10_000, 1_000) if LONG else (1_500, 300)
"""How many callers leave, and how many come after them."""
AT_ONCE = 60
POOL = 10
SMALL = {"pool_size": POOL, "keepalive": "500ms", "pool_wait": "30s"}
DONE = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


def eventually(true: Callable[[], object], within: float = 10.0) -> None:
    """Wait until something holds."""
    until = time.monotonic() + within
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize("stage", ["v2", "v2.1"])
@pytest.mark.parametrize("size", [10, 70_000, 300_000])
def test_a_caller_that_leaves_is_noticed_however_large_its_body_was(stage: str, size: int) -> None:
    body = json.dumps(order(note="x" * size))
    with RawUpstream(lambda _raw: Reply(DONE, delay=0.4)) as platform:  # noqa: SIM117 - one is inside the other
        with carried([stage], upstream=platform.url) as proxy:
            with socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2]))) as caller:
                caller.sendall(request("POST", "/v2/orders", body, [CREDENTIALS, JSON]))
                eventually(lambda: platform.requests)
            assert proxy.log_lines("in_doubt", least=1)[0]["outcome"] == "answered"
            eventually(lambda: len(survey(proxy.log_file.parent / "crossfade.journal").in_doubt) == 1)
            assert len(platform.requests) == 1


def asks(name: str, *, write: bool) -> bytes:
    """A read, or a write with a name of its own."""
    if not write:
        return request("GET", f"/v2/orders/{FIRST_REF}", b"", [CREDENTIALS])
    return request("POST", "/v2/orders", json.dumps(order(referenceId=name)), [CREDENTIALS, JSON])


async def leave(port: int, raw: bytes, after: float) -> None:
    """Ask, wait a little, and be gone."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    await asyncio.sleep(after)
    if after < 0.003:
        writer.transport.abort()
    writer.close()


async def stay(port: int, raw: bytes) -> int:
    """Ask, and wait for the answer; gives its status."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    answer = await reader.read()
    writer.close()
    return parse(answer).status


async def many(count: int, one: Callable[[int], object]) -> list[object]:
    """So many of something, some at a time."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def gated(number: int) -> object:
        async with gate:
            return await one(number)  # type: ignore[misc] # a coroutine function

    async with asyncio.timeout(100):
        return await asyncio.gather(*(gated(number) for number in range(count)))


def sockets() -> int:
    """The sockets of this process, the proxy's among them."""
    found = []
    for one in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(str(one.readlink()))
    return sum(one.startswith("socket:") for one in found)


@pytest.mark.parametrize("stage", ["v2", "v2.1"])
def test_after_a_storm_of_callers_that_leave_all_is_as_it_was(stage: str) -> None:
    luck = random.Random(5)
    keys = {f"upstream.{one}.{key}": v for one in ("v2", "v2_1") for key, v in SMALL.items()}
    keys |= {"server.max_in_flight": 10_000, "log.requests": "off"}
    with RawUpstream(lambda _raw: Reply(DONE, delay=0.002)) as platform:  # noqa: SIM117 - one is inside the other
        with carried([stage], keys=keys, upstream=platform.url) as proxy:
            port = int(proxy.url.rpartition(":")[2])
            assert asyncio.run(stay(port, asks("before", write=True))) < 300
            eventually(lambda: not platform._open)
            before = sockets()
            asyncio.run(
                many(LEAVE, lambda n: leave(port, asks(f"W-{n}", write=n % 2 == 0), luck.uniform(0, 0.03)))
            )
            eventually(lambda: proxy.gateway.in_flight == 0)
            reached = Counter(
                json.loads(raw.partition(b"\r\n\r\n")[2])["referenceId"]
                for raw in platform.requests
                if raw.startswith(b"POST")
            )
            doubtful = survey(proxy.log_file.parent / "crossfade.journal").in_doubt
            assert len(reached) > LEAVE // 10
            assert set(reached.values()) == {1}, "a write that its caller has left is carried out once"
            assert {one.state for one in doubtful} == {"answered"}, "and to its end"
            statuses = asyncio.run(many(STAY, lambda n: stay(port, asks(f"S-{n}", write=n % 2 == 0))))
            assert {one for one in statuses if isinstance(one, int) and one < 300} == set(statuses)
            assert len(platform._open) <= POOL
            eventually(lambda: not platform._open)
            eventually(lambda: sockets() <= before)
            assert proxy.gateway.in_flight == 0
