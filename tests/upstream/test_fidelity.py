"""What goes out is what was given; what comes back is what was said."""

from __future__ import annotations

import asyncio
import gzip
import subprocess
import sys

from proxy.types import Answer, Call
from tests.upstream.scripted import OK, Talk, answers, both, engine, get, native, once, post, upstream


@both
async def test_the_request_is_what_was_given_and_nothing_else(kind: str) -> None:
    given = [
        (b"X-Two", b"first"),
        (b"authorization", b"Basic dTpw"),
        (b"x-TWO", b"second"),
        (b"X-Unknown-Thing", b"caf\xc3\xa9 \xe9"),
        (b"X-Empty", b""),
    ]
    async with upstream(answers(OK)) as server, engine(kind, server.url()) as engine_:
        await engine_.send(Call("GET", b"/a%2Fb?x=1&x=2&y=%20+", given))
    assert server.requests == [
        b"GET /a%2Fb?x=1&x=2&y=%20+ HTTP/1.1\r\n"
        b"Host: 127.0.0.1:" + str(server.port).encode() + b"\r\n"
        b"X-Two: first\r\nauthorization: Basic dTpw\r\nx-TWO: second\r\n"
        b"X-Unknown-Thing: caf\xc3\xa9 \xe9\r\nX-Empty: \r\n\r\n"
    ]


@both
async def test_a_target_is_never_put_right(kind: str) -> None:
    targets = [b"/", b"/a/../b", b"//x//", b"/%2e%2E/%zz", b"/?", b"/?a=b?c", b"/a;b=1", b"/\"<>|{}'"]
    async with upstream(answers(OK)) as server, engine(kind, server.url()) as engine_:
        for target in targets:
            await engine_.send(get(target))
    assert [raw.split(b" ")[1] for raw in server.requests] == targets


@both
async def test_a_prefix_stands_in_front(kind: str) -> None:
    async with upstream(answers(OK)) as server, engine(kind, server.url() + "/eu/api/") as engine_:
        await engine_.send(get(b"/orders?x"))
    assert server.requests[0].startswith(b"GET /eu/api/orders?x HTTP/1.1\r\n")


@both
async def test_length_is_given_where_it_is_due_and_only_our_own(kind: str) -> None:
    own = [(b"content-length", b"999"), (b"Host", b"elsewhere"), (b"Transfer-Encoding", b"chunked")]
    calls = [
        Call("POST", b"/", own, b"abc"),
        Call("PUT", b"/", []),
        Call("PATCH", b"/", [], b"\0"),
        Call("DELETE", b"/", []),
        Call("DELETE", b"/", own, b"xy"),
        Call("GET", b"/", []),
        Call("LINK", b"/", []),
    ]
    async with upstream(answers(OK)) as server, engine(kind, server.url()) as engine_:
        for call in calls:
            await engine_.send(call)
    ends = [raw.split(b"\r\n", 2)[2] for raw in server.requests]
    assert ends == [
        b"Content-Length: 3\r\n\r\nabc",
        b"Content-Length: 0\r\n\r\n",
        b"Content-Length: 1\r\n\r\n\0",
        b"\r\n",
        b"Content-Length: 2\r\n\r\nxy",
        b"\r\n",
        b"\r\n",
    ]
    assert all(b"elsewhere" not in raw for raw in server.requests)


@both
async def test_answer_fields_keep_order_case_and_doubles(kind: str) -> None:
    raw = (
        b"HTTP/1.1 418 Whatever\r\nset-cookie: a=1\r\nX-ODD: \xe9 \t\r\nSet-Cookie: b=2\r\nX-Empty:\r\n"
        b"Content-Length: 2\r\nDate: x\r\n\r\nhi"
    )
    async with upstream(answers(raw)) as server, engine(kind, server.url()) as engine_:
        answer = await engine_.send(get())
    assert answer == Answer(
        418,
        [
            (b"set-cookie", b"a=1"),
            (b"X-ODD", b"\xe9"),
            (b"Set-Cookie", b"b=2"),
            (b"X-Empty", b""),
            (b"Content-Length", b"2"),
            (b"Date", b"x"),
        ],
        b"hi",
        b"Whatever",
    )


@both
async def test_no_cookie_comes_back_and_no_redirect_is_followed(kind: str) -> None:
    raw = b"HTTP/1.1 302 Found\r\nSet-Cookie: a=1; Path=/\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"
    async with upstream(answers(raw)) as server, engine(kind, server.url("localhost")) as engine_:
        first = await engine_.send(get())
        await engine_.send(get())
    assert first.status == 302
    assert len(server.requests) == 2
    assert all(b"ookie" not in request for request in server.requests)


@both
async def test_head_204_and_304_have_no_body_and_keep_the_connection(kind: str) -> None:
    script = answers(
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\nETag: x\r\n\r\n",
        OK,
    )
    async with upstream(script) as server, engine(kind, server.url()) as engine_:
        head = await engine_.send(Call("HEAD", b"/", []))
        empty, unchanged, after = [await engine_.send(get()) for _ in range(3)]
    assert head == Answer(200, [(b"Content-Length", b"500")], reason=b"OK")
    assert empty == Answer(204, [], reason=b"No Content")
    assert unchanged == Answer(304, [(b"Content-Length", b"77"), (b"ETag", b"x")], reason=b"Not Modified")
    assert after.body == b"ok"
    assert server.connections == 1


@both
async def test_chunks_are_joined_and_trailers_dropped(kind: str) -> None:
    raw = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nTrailer: X-Late\r\n\r\n"
        b"3;name=value\r\nabc\r\n1\r\n\0\r\n0\r\nX-Late: 1\r\n\r\n"
    )
    async with upstream(answers(raw)) as server, engine(kind, server.url()) as engine_:
        answer = [await engine_.send(get()) for _ in range(2)][1]
    assert answer == Answer(200, [(b"Trailer", b"X-Late")], b"abc\0", b"OK")
    assert server.connections == 1


@both
async def test_an_answer_may_come_byte_by_byte(kind: str) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        for byte in b"HTTP/1.1 200 OK\r\nX-A: b c\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n":
            await talk.send(bytes([byte]))
            await asyncio.sleep(0)

    async with upstream(script) as server, engine(kind, server.url()) as engine_:
        assert await engine_.send(get()) == Answer(200, [(b"X-A", b"b c")], b"hi", b"OK")


@both
async def test_an_answer_without_a_length_ends_with_the_connection(kind: str) -> None:
    for raw in (b"HTTP/1.1 200 OK\r\n\r\nto the end", b"HTTP/1.0 200 OK\r\nX: y\r\n\r\nto the end"):
        async with upstream(once(raw)) as server, engine(kind, server.url()) as engine_:
            assert [(await engine_.send(post())).body for _ in range(2)] == [b"to the end"] * 2
        assert server.connections == 2


@both
async def test_interim_answers_are_passed_over(kind: str) -> None:
    raw = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + OK
    async with upstream(answers(raw)) as server, engine(kind, server.url()) as engine_:
        assert [await engine_.send(get()) for _ in range(2)] == [
            Answer(200, [(b"Content-Length", b"2")], b"ok", b"OK")
        ] * 2
    assert server.connections == 1


@both
async def test_content_codings_are_left_alone(kind: str) -> None:
    body = gzip.compress(b"x" * 1000)
    raw = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    async with upstream(answers(raw)) as server, engine(kind, server.url()) as engine_:
        answer = await engine_.send(get())
    assert answer.body == body
    assert (b"Content-Encoding", b"gzip") in answer.headers


@both
async def test_big_bodies_go_both_ways(kind: str) -> None:
    body = bytes(range(256)) * 16 * 1024

    async def script(talk: Talk) -> None:
        while True:
            raw = await talk.request()
            echoed = raw.partition(b"\r\n\r\n")[2]
            await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(echoed) + echoed)

    async with upstream(script) as server, engine(kind, server.url()) as engine_:
        for _ in range(2):
            assert (await engine_.send(post(body))).body == body
    assert server.connections == 1


@both
async def test_connections_are_reused_until_someone_closes(kind: str) -> None:
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    async with upstream(answers(OK, OK, closing)) as server, engine(kind, server.url()) as engine_:
        for _ in range(6):
            await engine_.send(post())
    assert server.connections == 2


@both
async def test_a_second_answer_in_the_same_packet_reaches_nobody(kind: str) -> None:
    """F27: it would be the answer to another caller's request."""
    stolen = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen"
    for first in (OK, b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\n"):
        async with upstream(answers(first + stolen)) as server, engine(kind, server.url()) as engine_:
            seen = [(await engine_.send(get())).body for _ in range(3)]
        assert b"stolen" not in seen
        assert server.connections == 3


@both
async def test_bytes_after_a_head_answer_reach_nobody(kind: str) -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    async with upstream(answers(raw)) as server, engine(kind, server.url()) as engine_:
        for _ in range(2):
            assert (await engine_.send(Call("HEAD", b"/", []))).body == b""
    assert server.connections == 2


@both
async def test_a_late_second_answer_reaches_nobody(kind: str) -> None:
    async def script(talk: Talk) -> None:
        while True:
            await talk.request()
            await talk.send(OK)
            await asyncio.sleep(0.02)
            await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen")

    async with upstream(script) as server, engine(kind, server.url()) as engine_:
        for call in (get(), post(), get()):
            assert (await engine_.send(call)).body == b"ok"
            await asyncio.sleep(0.05)
    assert server.connections == 3


@native
async def test_names_and_addresses_of_either_family(kind: str) -> None:
    for host, listen in (("localhost", "localhost"), ("[::1]", "::1")):
        async with upstream(answers(OK), host=listen) as server, engine(kind, server.url(host)) as engine_:
            assert (await engine_.send(get())).body == b"ok"
        assert f"Host: {host}:{server.port}\r\n".encode() in server.requests[0]


def test_a_native_deployment_does_not_load_httpx() -> None:
    code = (
        "import sys; from proxy.upstream import *; make_engine('native', UpstreamSettings('https://example.test'));"
        "sys.exit('httpx' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
