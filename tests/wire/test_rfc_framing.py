"""The rules of RFC 9112 for an intermediary (R§1.2, R9 to R16): one test each, over raw sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.emulator.caller import CREDENTIALS, FIRST_REF
from tests.faults.gateway import Gate, House, ask, asking, house
from tests.faults.places import Place
from tests.faults.platform import ORDER, answer, replies, says
from tests.faults.stories import told
from tests.raw import parse, request
from tests.upstream.scripted import Talk
from tests.wire.rfc import GET, POST, refused, said, statuses, values


@pytest.fixture(scope="module")
def where() -> Iterator[House]:
    with house() as made:
        yield made


def test_rfc_r9_framing_that_two_servers_could_read_differently_is_refused(where: House) -> None:
    """RFC 9112 §6.1, §6.3."""
    chunks = b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    refused(
        where,
        POST + b"Content-Length: 5\r\n" + chunks,
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: gzip\r\n\r\n",
        POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n",
        POST + b"Transfer-Encoding: xchunked\r\n\r\n",
        POST + b"Transfer-Encoding: identity\r\n" + chunks,
        POST.replace(b"HTTP/1.1", b"HTTP/1.0") + chunks,
        POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        POST + b"Content-Length: 2, 2\r\n\r\n{}",
        POST + b"Content-Length: +2\r\n\r\n{}",
        POST + b"Content-Length: -2\r\n\r\n{}",
        POST + b"Content-Length: 0x2\r\n\r\n{}",
        POST + b"Content-Length: 99999999999999999999\r\n\r\n{}",
        POST + b"Content-Length:\r\n\r\n{}",
    )


def test_rfc_r10_an_answer_with_two_lengths_is_refused_and_bytes_behind_one_never_answer_anybody(
    where: House,
) -> None:
    """RFC 9112 §6.3, the platform's side."""
    second = b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"bad":1}'

    async def play(talk: Talk, raw: bytes) -> bool:
        two = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} "
        await talk.send(two if b"X-Two" in raw else answer(raw) + second)
        return True

    async def story(place: Place, front: Gate, _call: str) -> None:
        for n in range(1, 4):
            heard, _ = await ask(front.port, asking("GET"))
            assert (heard.status, json.loads(heard.body)["ref"], place.seen.connections) == (
                200,
                FIRST_REF,
                n,
            )
        heard, _ = await ask(front.port, asking("GET").replace(b"\r\n", b"\r\nX-Two: 1\r\n", 1))
        assert (heard.status, heard.header("x-crossfade-code")) == (502, "CF-BAD-ANSWER")

    told(where, story, play)


def test_rfc_r11_space_before_a_colon_folded_lines_and_bare_ends_are_refused(where: House) -> None:
    """RFC 9112 §2.2, §5.1, §5.2."""
    refused(
        where,
        GET + b"X-A : 1\r\n\r\n",
        GET + b"X-A\t: 1\r\n\r\n",
        GET + b" X-A: 1\r\n\r\n",
        GET + b"X-A: 1\r\n 2\r\n\r\n",
        GET + b"X-A: 1\r\n\t2\r\n\r\n",
        GET + b"X-A: 1\rX-B: 2\r\n\r\n",
        GET + b"X-A: 1\nX-B: 2\r\n\r\n",
        GET + b"X-A: 1\x002\r\n\r\n",
        GET + b": 1\r\n\r\n",
        GET + b"X A: 1\r\n\r\n",
    )

    async def story(_place: Place, front: Gate, _call: str) -> None:
        data = await said(front, asking("GET"))
        if parse(data).status == 504:  # the deadlines here are short, and the machine may be busy
            data = await said(front, asking("GET"))
        assert b"X-Space :" not in data
        assert parse(data).status in {200, 502}

    told(where, story, replies(None, b"X-Space : 1"))


def test_rfc_r12_a_request_without_one_proper_host_is_refused(where: House) -> None:
    """RFC 9112 §3.2, §3.2.2."""
    bare = GET.replace(b"Host: test\r\n", b"")
    refused(
        where,
        bare + b"\r\n",
        bare + b"Host: a\r\nHost: a\r\n\r\n",
        *(
            bare + b"Host: " + bad + b"\r\n\r\n"
            for bad in (b"a,b", b"a b", b"u@a", b"a/b", b"a:b", b"[::1", b"")
        ),
        GET.replace(b"/v2", b"http://test/v2", 1) + b"\r\n",
    )


def test_rfc_r13_the_version_is_our_own_and_no_other_is_spoken(where: House) -> None:
    """RFC 9112 §2.3."""
    odd = (
        b"HTTP/1.2",
        b"HTTP/2.0",
        b"HTTP/9.9",
        b"HTTP/0.9",
        b"http/1.1",
        b"HTTP/1",
        b"HTTP/1.10",
        b"ICE/1.0",
    )
    refused(where, *(GET.replace(b"HTTP/1.1", version) + b"\r\n" for version in odd))

    async def story(place: Place, front: Gate, _call: str) -> None:
        data = await said(
            front, GET.replace(b"HTTP/1.1", b"HTTP/1.0").replace(b"Connection: close\r\n", b"") + b"\r\n"
        )
        assert data.startswith(b"HTTP/1.1 200 ")
        assert place.seen.requests[0].split(b"\r\n")[0].endswith(b" HTTP/1.1")

    async def older(talk: Talk, raw: bytes) -> bool:
        await talk.send(answer(raw).replace(b"HTTP/1.1", b"HTTP/1.0", 1))
        return False

    told(where, story, older)


TIMES = ("connect", "read", "total")


@pytest.mark.parametrize(
    "cut",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    ],
)
def test_rfc_r14_an_incomplete_answer_is_never_given_as_a_complete_one(cut: bytes, where: House) -> None:
    """RFC 9112 §8."""

    async def story(_place: Place, front: Gate, call: str) -> None:
        heard, _ = await ask(front.port, asking(call))
        assert (heard.status, heard.header("x-crossfade-code")) == (502, "CF-BROKEN")

    patient = {f"upstream.{version}.{one}_timeout": "9s" for version in ("v2", "v2_1") for one in TIMES}
    told(where, story, says(cut), calls=("GET", "POST create"), keys=patient)


def test_rfc_r15_chunk_extensions_and_trailers_stop_here_both_ways(where: House) -> None:
    """RFC 9112 §7.1.1, §7.1.2: above all, no late credential."""
    late = b"Authorization: Basic bGF0ZQ==\r\nX-Late: 1\r\n\r\n"
    body = asking("POST create").partition(b"\r\n\r\n")[2]
    head = (
        POST
        + f"{CREDENTIALS[0]}: {CREDENTIALS[1]}\r\nTrailer: X-Late\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    )
    raw = head + b"%x;x=%s\r\n" % (len(body), b"y" * 1000) + body + b"\r\n0;z\r\n" + late

    async def play(talk: Talk, _raw: bytes) -> bool:
        data = json.dumps(ORDER).encode()
        chunks = b"%x;x=y\r\n%s\r\n0\r\nX-Late: 1\r\n\r\n" % (len(data), data)
        await talk.send(
            b"HTTP/1.1 201 Created\r\nTrailer: X-Late\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
        )
        return True

    async def story(place: Place, front: Gate, _call: str) -> None:
        data = await said(front, raw)
        assert (parse(data).status, values(data, b"transfer-encoding")) == (201, [])
        (sent,) = place.seen.requests
        for message in (sent, data):
            assert b"late" not in message.lower()
            assert b";x=" not in message
        assert values(sent, b"authorization") == [CREDENTIALS[1].encode()]
        assert values(sent, b"content-length") != values(sent, b"transfer-encoding") == []

    told(where, story, play)


def test_rfc_r16_close_is_honoured_and_what_stays_open_is_read_to_the_end(where: House) -> None:
    """RFC 9112 §9.3, §9.6."""
    stays = asking("GET").replace(b"Connection: close\r\n", b"")
    other = request("POST", "/v3", b"x" * 5000, [CREDENTIALS]).replace(b"Connection: close\r\n", b"")

    async def story(place: Place, front: Gate, _call: str) -> None:
        closed = await said(front, asking("GET") + stays)
        assert (statuses(closed), values(closed, b"connection")) == ([200], [b"close"])
        both = await said(front, other + asking("GET"))
        assert statuses(both) in ([404, 200], [404])
        assert b"x" * 100 not in both
        assert {one.split(b" ")[0] for one in place.seen.requests} == {b"GET"}
        assert place.seen.connections == len(place.seen.requests), "the platform said close each time"

    told(where, story, replies(None, b"Connection: close"))
