"""What callers do wrong (R§1.5, C1 to C8), against the whole proxy; `habits.py` says how each ends."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from time import monotonic
from typing import Any

import pytest

from tests.faults.gateway import LATE, Gate, House, ask, asking, house
from tests.faults.habits import HABITS
from tests.faults.places import Place
from tests.faults.platform import Play, answer
from tests.faults.rows import CALLS
from tests.faults.stories import told
from tests.raw import Heard, parse
from tests.upstream.scripted import Talk

WRITES = CALLS[1:]
BODIES = CALLS[1:3]
STATUS = dict(zip(CALLS, (200, 201, 200, 204), strict=True))
BODY_TIMEOUT = 0.3


@pytest.fixture(scope="module")
def where() -> Iterator[House]:
    with house() as made:
        yield made


def requests(where: House, since: int) -> list[dict[str, Any]]:
    """The lines that the log has of requests."""
    return [one for one in where.lines()[since:] if one["event"] == "request"]


def _said(heard: Heard) -> str:
    """Status, code and outcome, as the page writes them."""
    return f"{heard.status} `{heard.header('x-crossfade-code')}` {heard.header('x-crossfade-outcome')}"


async def eventually(true: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - what is waited for happens in the proxy, which sets no event
            await asyncio.sleep(0.01)


def slow(seconds: float, left: list[int] | None = None) -> Play:
    """Answer after so many seconds; count in `left` those whose caller did not wait."""

    async def play(talk: Talk, raw: bytes) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await talk.reader.read(1)
                if left is not None:
                    left.append(1)
                return False
        await talk.send(answer(raw))
        return True

    return play


@pytest.mark.parametrize(("habit", "sent"), [("C1", 0), ("C2", 50)])
def test_c1_c2_a_caller_that_leaves_before_its_body_is_there_writes_nothing(
    habit: str, sent: int, where: House
) -> None:
    logged = len(where.lines())

    async def story(place: Place, front: Gate, call: str) -> None:
        head, _, body = asking(call).partition(b"\r\n\r\n")
        _, writer = await asyncio.open_connection("127.0.0.1", front.port)
        writer.write(head + b"\r\n\r\n" + body[:sent])
        await asyncio.sleep(0.05)
        writer.close()
        await asyncio.sleep(BODY_TIMEOUT + 0.1)
        assert (place.seen.requests, front.in_doubt) == ([], 0)

    told(where, story, calls=BODIES)
    lines = requests(where, logged)
    assert [f"logged as `{one['code']}`" in HABITS[habit].write for one in lines] == [True] * 8


def test_c3_a_read_ends_with_its_caller(where: House) -> None:
    logged = len(where.lines())
    left: list[int] = []

    async def story(_place: Place, front: Gate, call: str) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", front.port)
        writer.write(asking(call))
        await asyncio.sleep(0.05)
        writer.close()
        await asyncio.sleep(0.2)

    told(where, story, slow(0.28, left), calls=("GET",))
    assert len(left) == 4, "the platform sees its caller leave, long before its own answer"
    assert [str(one["status"]) in HABITS["C3"].read for one in requests(where, logged)] == [True] * 4


def test_c3_a_write_goes_on_without_its_caller(where: House) -> None:
    logged = len(where.lines())

    async def story(place: Place, front: Gate, call: str) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", front.port)
        writer.write(asking(call))
        await asyncio.sleep(0.05)
        writer.close()
        await eventually(lambda: front.in_doubt)
        assert (len(place.seen.requests), front.in_doubt) == (1, 1)

    told(where, story, slow(0.15), calls=WRITES)
    assert sorted(one["status"] for one in requests(where, logged)) == [200] * 4 + [201] * 4 + [204] * 4


def test_c4_a_caller_that_reads_slowly_gets_everything_and_holds_nobody_up(where: House) -> None:
    large = json.dumps({"note": "x" * 900_000}).encode()

    async def play(talk: Talk, raw: bytes) -> bool:
        await talk.send(answer(raw) if b"x-quick" in raw.lower() else answer(raw, large))
        return True

    async def story(place: Place, front: Gate, call: str) -> None:
        with socket.socket() as caller:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            caller.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(caller, ("127.0.0.1", front.port))
            await loop.sock_sendall(caller, asking(call))
            data = await loop.sock_recv(caller, 1000)
            for _ in range(5):
                data += await loop.sock_recv(caller, 1000)
                await asyncio.sleep(0.02)
            heard, took = await ask(
                front.port, asking("GET").replace(b"\r\n\r\n", b"\r\nX-Quick: 1\r\n\r\n", 1)
            )
            assert (heard.status, took < 0.5) == (200, True)
            while piece := await loop.sock_recv(caller, 1 << 20):
                data += piece
        assert (parse(data).status, len(parse(data).body) >= 900_000) == (STATUS[call], True)
        await eventually(lambda: not front.in_doubt)
        assert len(place.seen.requests) == 2

    told(where, story, play, calls=CALLS[:3])


def test_c5_a_header_section_that_trickles_is_refused_in_time(where: House) -> None:
    async def trickle(port: int) -> tuple[bytes, float]:
        begun = monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        ended = asyncio.ensure_future(reader.read(65536))
        writer.write(b"GET /v2/orders/1 HTTP/1.1\r\nHost: test\r\n")
        while not (await asyncio.wait([ended], timeout=0.05))[0]:
            writer.write(b"X")
        writer.close()
        return await ended, monotonic() - begun

    async def story(place: Place, front: Gate, _call: str) -> None:
        trickling = asyncio.gather(*(trickle(front.port) for _ in range(20)))
        assert (await ask(front.port, asking("GET")))[0].status == 200
        for data, took in await trickling:
            assert 0.3 < took < 2
            assert _said(parse(data)) == HABITS["C5"].read == HABITS["C5"].write
        assert len(place.seen.requests) == 1

    told(where, story, keys={"server.head_timeout": "400ms"})


def test_c6_a_body_that_trickles_is_refused_in_time(where: House) -> None:
    async def story(place: Place, front: Gate, call: str) -> None:
        raw = asking(call)
        begun = monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
        ended = asyncio.ensure_future(reader.read(65536))  # the connection may linger
        for place_ in range(len(raw) - 100_200, len(raw)):
            writer.write(raw[place_ : place_ + 1] if place_ > len(raw) - 100_200 else raw[: place_ + 1])
            if (await asyncio.wait([ended], timeout=0.02))[0]:
                break
        writer.close()
        assert _said(parse(await ended)) == HABITS["C6"].write
        assert monotonic() - begun < BODY_TIMEOUT + LATE + 0.5  # of which 0.5 for a busy machine
        assert (place.seen.requests, front.in_doubt) == ([], 0)

    told(where, story, calls=BODIES)


def test_c7_requests_in_one_packet_are_answered_in_order_and_sent_once(where: House) -> None:
    async def story(place: Place, front: Gate, _call: str) -> None:
        order = ("POST create", "GET", "DELETE", "POST update")
        raw = [asking(call).replace(b"Connection: close\r\n", b"") for call in order]
        reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
        writer.write(b"".join([*raw[:3], asking(order[3])]))
        data = await reader.read(-1)
        writer.close()
        said = [int(one[:3]) for one in data.split(b"HTTP/1.1 ")[1:]]
        assert said == [STATUS[call] for call in order]
        assert len(place.seen.requests) == 4

    told(where, story)


def test_c8_a_caller_that_says_no_more_gets_the_answer_to_its_write(where: House) -> None:
    async def story(place: Place, front: Gate, call: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
        writer.write(asking(call))
        while not place.seen.requests:  # noqa: ASYNC110 - what was sent is recorded when it has been read
            await asyncio.sleep(0.01)
        writer.write_eof()
        data = await reader.read(-1)
        writer.close()
        if call == "GET":
            assert data == b"", HABITS["C8"].read
        else:
            assert parse(data).status == STATUS[call], HABITS["C8"].write
        assert len(place.seen.requests) == 1

    told(where, story, slow(0.15), calls=CALLS)
