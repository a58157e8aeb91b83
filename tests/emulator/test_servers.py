"""The servers that other tests stand on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.servers import RawUpstream, Reply, fetch, parse, request, serve

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def echo(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        raise RuntimeError("no lifespan here")
    body = (await receive())["body"]
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]}
    )
    await send({"type": "http.response.body", "body": body})


def test_an_app_is_served_on_a_free_port_and_gone_afterwards() -> None:
    with serve(echo) as running:
        assert parse(fetch(running.port, request("POST", "/", "hello"))).body == b"hello"
        assert running.url == f"http://127.0.0.1:{running.port}"
    with pytest.raises(ConnectionRefusedError):
        fetch(running.port, request("GET", "/"))


def test_a_scripted_upstream_answers_in_order_and_remembers() -> None:
    with RawUpstream([OK, b"HTTP/1.1 100 Continue\r\n\r\n" + OK, None]) as upstream:
        asked = request("POST", "/a?b", "body")
        assert fetch(upstream.port, asked) == OK
        assert fetch(upstream.url, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") == OK
        assert fetch(upstream.port, asked) == b""
    assert (upstream.requests[0], upstream.connections) == (asked, 3)


def test_a_scripted_upstream_reads_chunks_and_can_ask_the_request() -> None:
    chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    with (
        RawUpstream(lambda seen: b"HTTP/1.0 200 OK\r\n\r\n%d" % len(seen)) as upstream,
        pytest.raises(TimeoutError),
    ):
        fetch(
            upstream.port, chunked, timeout=0.1
        )  # no length and the connection stays: the answer never ends
    assert upstream.requests == [chunked]


@pytest.mark.parametrize("then", ["close", "reset"])
def test_a_scripted_upstream_cuts_an_answer(then: Any) -> None:
    with RawUpstream([Reply(OK[:-1], then)]) as upstream:
        assert fetch(upstream.port, request("GET", "/")) in {OK[:-1], b""}


def test_a_stalling_upstream_ends_with_the_test() -> None:
    with RawUpstream([Reply(then="stall")]) as upstream, pytest.raises(TimeoutError):
        fetch(upstream.port, request("GET", "/"), timeout=0.1)
