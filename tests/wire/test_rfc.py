"""The rules of RFC 9110 for an intermediary (R§1.2, R1 to R8, R17, R18): one test each, over raw sockets.

Where a rule concerns the platform's side it is told with both engines and in both kinds of stage.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator

import pytest

from tests.emulator.caller import CREDENTIALS, FIRST_REF
from tests.faults.gateway import Gate, House, ask, asking, house
from tests.faults.places import Place
from tests.faults.platform import ORDER, answer, replies
from tests.faults.stories import told
from tests.raw import Heard, parse
from tests.upstream.scripted import Talk
from tests.wire.rfc import said, values


@pytest.fixture(scope="module")
def where() -> Iterator[House]:
    with house() as made:
        yield made


def test_rfc_r1_hop_by_hop_fields_stop_here_both_ways(where: House) -> None:
    """RFC 9110 §7.6.1."""
    hops = (
        b"Keep-Alive: timeout=5",
        b"Proxy-Connection: x",
        b"TE: trailers",
        b"Trailer: X-T",
        b"Upgrade: h2c",
        b"Proxy-Authorization: Basic eDp5",
        b'Proxy-Authenticate: Basic realm="x"',
        b"X-Named: secret",
    )

    async def story(place: Place, front: Gate, _call: str) -> None:
        raw = asking("GET").replace(
            b"Connection: close", b"Connection: close, X-Named\r\n" + b"\r\n".join(hops)
        )
        data = await said(front, raw)
        for message in (place.seen.requests[0], data):
            head = message.partition(b"\r\n\r\n")[0].lower()
            for hop in hops:
                assert b"\r\n" + hop.partition(b":")[0].lower() + b":" not in head, hop
            assert not {b"x-named", b"keep-alive"} & set(values(message, b"connection"))

    told(where, story, replies(None, b"Connection: X-Named", *hops))


def test_rfc_r2_via_is_added_both_ways_and_our_own_is_a_loop(where: House) -> None:
    """RFC 9110 §7.6.3."""

    async def story(place: Place, front: Gate, _call: str) -> None:
        data = await said(front, asking("GET").replace(b"\r\n\r\n", b"\r\nVia: 1.0 fred, 1.1 p.test\r\n\r\n"))
        assert values(place.seen.requests[0], b"via") == [b"1.0 fred, 1.1 p.test", b"1.1 crossfade"]
        assert values(data, b"via") == [b"1.1 gus", b"1.1 crossfade"]
        heard, _ = await ask(
            front.port, place.seen.requests[0].replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
        )
        assert (heard.status, heard.header("x-crossfade-code")) == (508, "CF-LOOP")
        assert len(place.seen.requests) == 1

    told(where, story, replies(None, b"Via: 1.1 gus"))


def test_rfc_r3_credentials_and_challenges_cross_untouched(where: House) -> None:
    """RFC 9110 §11.6.2."""
    challenges = (b'WWW-Authenticate: Basic realm="a, b"', b'www-authenticate: Other  x="1"')

    async def story(place: Place, front: Gate, _call: str) -> None:
        data = await said(front, asking("GET"))
        assert values(place.seen.requests[0], b"authorization") == [CREDENTIALS[1].encode()]
        assert values(data, b"www-authenticate") == [b'Basic realm="a, b"', b'Other  x="1"']

    told(where, story, replies(b"{}", *challenges, status=b"401 Unauthorized"))


def test_rfc_r4_unknown_fields_cross_and_twins_keep_their_order(where: House) -> None:
    """RFC 9110 §5.1, §5.3."""
    odd = b"X-Odd: 1\r\nX-Twin: b\r\nX-Other: \xe9\r\nx-twin: a\r\nX-TWIN: b"

    async def story(place: Place, front: Gate, _call: str) -> None:
        data = await said(front, asking("GET").replace(b"\r\n\r\n", b"\r\n" + odd + b"\r\n\r\n"))
        for message in (place.seen.requests[0], data):
            assert values(message, b"x-twin") == [b"b", b"a", b"b"]
            assert (values(message, b"x-odd"), values(message, b"x-other")) == ([b"1"], [b"\xe9"])

    told(where, story, replies(None, *odd.split(b"\r\n")))


def test_rfc_r5_a_write_is_never_sent_again(where: House) -> None:
    """RFC 9110 §9.2.2: not even where an idle connection was closed just then."""

    async def play(talk: Talk, raw: bytes) -> bool:
        first = raw.startswith(b"GET")
        if first:
            await talk.send(answer(raw))
        return first

    async def story(place: Place, front: Gate, call: str) -> None:
        await ask(front.port, asking("GET"))
        heard, _ = await ask(front.port, asking(call))
        assert (heard.status, heard.header("x-crossfade-outcome")) == (502, "unknown")
        assert (len(place.seen.requests), place.seen.connections) == (2, 1)

    told(where, story, play, calls=("POST create", "POST update", "DELETE"))


def test_rfc_r6_trace_and_connect_end_here_and_max_forwards_counts(where: House) -> None:
    """RFC 9110 §7.6.2, §9.3.6, §9.3.8."""

    async def story(place: Place, front: Gate, _call: str) -> None:
        trace = await said(front, asking("GET").replace(b"GET", b"TRACE", 1))
        assert (parse(trace).status, parse(trace).header("x-crossfade-code")) == (405, "CF-METHOD")
        tunnel = await said(front, b"CONNECT test:443 HTTP/1.1\r\nHost: test:443\r\n\r\n")
        assert parse(tunnel).status == 400
        options = asking("GET").replace(b"GET", b"OPTIONS", 1)
        last = parse(await said(front, options.replace(b"\r\n\r\n", b"\r\nMax-Forwards: 0\r\n\r\n")))
        assert (last.status, place.seen.requests) == (204, [])
        assert "GET" in (last.header("allow") or "")
        assert (
            parse(await said(front, b"OPTIONS * HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")).status
            == 204
        )
        assert place.seen.requests == []
        await said(front, options.replace(b"\r\n\r\n", b"\r\nMax-Forwards: 3\r\n\r\n"))
        assert values(place.seen.requests[0], b"max-forwards") == [b"2"]

    told(where, story, replies(b"", b"Allow: GET"))


def test_rfc_r7_a_caller_that_waits_is_asked_to_go_on_only_for_what_can_be_accepted(where: House) -> None:
    """RFC 9110 §10.1.1."""
    waits = asking("POST create").replace(b"\r\n", b"\r\nExpect: 100-continue\r\n", 1)
    head, _, body = waits.partition(b"\r\n\r\n")
    large = head.replace(b"Content-Length: ", b"Content-Length: 9")

    async def story(place: Place, front: Gate, _call: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
        writer.write(head + b"\r\n\r\n")
        async with asyncio.timeout(5):
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            assert place.seen.requests == []
            writer.write(body)
            assert parse(await reader.read(-1)).status == 201
        writer.close()
        assert values(place.seen.requests[0], b"expect") == []
        for wrong, status in ((large, 413), (head.replace(b"/v2/", b"/v3/"), 404)):
            assert parse(await said(front, wrong + b"\r\n\r\n")).status == status
        assert len(place.seen.requests) == 1

    told(where, story)


def test_rfc_r8_nothing_is_transformed_that_may_not_be_and_interim_answers_stop_here(where: House) -> None:
    """RFC 9110 §7.7, §12.5.5, §15.2, §15.5.20: where v2 answers its bytes cross; translating is what v2.1 is asked for."""
    odd = b'{ "price" : 1.0e1, "x":null}'

    async def play(talk: Talk, raw: bytes) -> bool:
        await talk.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        await talk.send(answer(raw, odd, b"Cache-Control: no-transform", b"Vary: Accept"))
        return True

    async def story(_place: Place, front: Gate, _call: str) -> None:
        data = await said(front, asking("GET"))
        assert data.startswith(b"HTTP/1.1 200 ")
        assert (values(data, b"cache-control"), values(data, b"vary")) == ([b"no-transform"], [b"Accept"])
        assert data.endswith(b"\r\n\r\n" + odd) or front.snapshot.config.route[0].stage == "v2.1"
        elsewhere = await said(front, asking("GET").replace(b"Host: test", b"Host: elsewhere.test"))
        assert parse(elsewhere).status != 421

    told(where, story, play)


def test_rfc_r17_no_body_where_none_may_be_and_the_platforms_own_date(where: House) -> None:
    """RFC 9110 §6.6.1, §9.3.2, §15.3.5, §15.4.5."""
    date = b"Date: Tue, 15 Nov 1994 08:12:31 GMT"

    async def play(talk: Talk, raw: bytes) -> bool:
        if b"X-Head" in raw:
            whole = answer(raw, None, date)
            await talk.send(whole.partition(b"{")[0] if raw.startswith(b"HEAD") else whole)
        else:
            status = b"304 Not Modified" if b"X-304" in raw else b"204 No Content"
            await talk.send(b"HTTP/1.1 " + status + b"\r\n" + date + b"\r\n\r\n")
        return True

    async def story(_place: Place, front: Gate, _call: str) -> None:
        empty = asking("DELETE")
        for raw, status in (
            (empty, 204),
            (asking("GET").replace(b"\r\n", b"\r\nX-304: 1\r\n", 1), 304),
            (asking("GET").replace(b"GET", b"HEAD", 1).replace(b"\r\n", b"\r\nX-Head: 1\r\n", 1), 200),
        ):
            data = await said(front, raw)
            assert (parse(data).status, parse(data).body) == (status, b"")
            assert (values(data, b"date"), values(data, b"transfer-encoding")) == ([date[6:]], [])
            assert len(values(data, b"content-length")) == (status == 200)

    told(where, story, play)


def test_rfc_r18_a_relayed_body_keeps_its_coding_and_a_translated_one_has_none(where: House) -> None:
    """RFC 9110 §8.4, §8.6."""
    packed = gzip.compress(json.dumps(ORDER).encode(), mtime=0)

    async def story(_place: Place, front: Gate, _call: str) -> None:
        heard: Heard = parse(await said(front, asking("GET")))
        assert heard.header("content-length") == str(len(heard.body))
        if front.snapshot.config.route[0].stage == "v2":
            assert (heard.header("content-encoding"), heard.body) == ("gzip", packed)
            assert heard.header("etag") == '"strong"'
        else:
            assert (heard.header("content-encoding"), json.loads(heard.body)["ref"]) == (None, FIRST_REF)
            assert heard.header("etag") is None

    told(where, story, replies(packed, b"Content-Encoding: gzip", b'ETag: "strong"'))
