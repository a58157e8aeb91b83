"""Path, target, header and identity vectors (R§1.3) over real sockets: nothing reaches the platform but what may."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping

import pytest

from tests.emulator.caller import CREDENTIALS
from tests.faults.gateway import Gate, House, house
from tests.faults.places import Place
from tests.faults.stories import told
from tests.wire.rfc import statuses, values
from tests.wire.test_target import REFUSED as TARGETS
from tests.wire.vectors import HEAD, LOGIN, PASSED, PATH, REFUSED

BEHIND = b"GET /v2/orders/behind HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
AT = 16
"""Vectors that are on their way at the same time."""
# No way to say these two in a request line: it would be another request, or an HTTP/0.9 one.
NOT_IN_A_LINE = {"empty", "space at the end"}


@pytest.fixture(scope="module")
def where() -> Iterator[House]:
    with house() as made:
        yield made


def test_there_are_at_least_120_by_name() -> None:
    assert len(TARGETS) >= 100
    assert len(TARGETS) + len(REFUSED) + len(PASSED) >= 220


async def heard(front: Gate, raw: bytes) -> bytes:
    """All that comes back; the connection ends, with an answer or without."""
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    data = b""
    try:
        writer.write(raw)
        async with asyncio.timeout(10):
            while piece := await reader.read(65536):
                data += piece
    except ConnectionError:
        pass  # a refusal may end a connection that is still being written to
    finally:
        writer.close()
    return data


def none_arrives(where: House, vectors: Mapping[str, bytes]) -> None:
    async def story(place: Place, front: Gate, _call: str) -> None:
        names = list(vectors)
        for start in range(0, len(names), AT):
            some = names[start : start + AT]
            said = await asyncio.gather(*(heard(front, vectors[name] + BEHIND) for name in some))
            for name, data in zip(some, said, strict=True):
                got = statuses(data)
                assert got == [] or 400 <= got[0] < 500 or got[0] in {501, 505, 508}, (name, data)
            assert place.seen.requests == [], some

    told(where, story, engines=("native",))


def test_no_refused_target_reaches_the_platform(where: House) -> None:
    lines = {name: target for name, target in TARGETS.items() if name not in NOT_IN_A_LINE}
    none_arrives(where, {name: HEAD.replace(PATH, line, 1) + LOGIN + b"\r\n" for name, line in lines.items()})


def test_no_refused_header_section_reaches_the_platform(where: House) -> None:
    none_arrives(where, REFUSED)


def test_what_passes_is_the_plain_request_whatever_its_fields_would_like(where: House) -> None:
    async def story(place: Place, front: Gate, _call: str) -> None:
        version = front.snapshot.config.route[0].stage.encode()
        for name, raw in PASSED.items():
            data = await heard(front, raw)
            assert statuses(data)[-1] == 200, (name, data)
            sent = place.seen.requests.pop()
            path = re.sub(rb"\A/v2(?=/)", b"/" + version, PATH)
            assert sent.split(b"\r\n")[0].replace(b"/ HTTP", b" HTTP") == b"GET " + path + b" HTTP/1.1", name
            assert values(sent, b"host") == [place.url.removeprefix("http://").encode()], name
            assert values(sent, b"authorization") == [CREDENTIALS[1].encode()], name
            assert place.seen.requests == [], name

    told(where, story, engines=("native",))
