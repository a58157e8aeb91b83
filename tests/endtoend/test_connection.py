"""What a caller's connection keeps, bounds and refuses, seen over raw sockets."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.endtoend.running import Carried, carried
from tests.servers import RawUpstream, Reply

OK = b"HTTP/1.1 200 Fine By Me\r\nX-Odd-CASE: kept\r\nContent-Length: 2\r\n\r\n{}"
GET = b"GET /v2/orders/1 HTTP/1.1\r\nHost: test\r\n"


@contextmanager
def before(upstream: RawUpstream) -> Iterator[tuple[Carried, socket.socket]]:
    """A proxy at stage v2 in front of a scripted platform, and a caller's connection to it."""
    with upstream, carried(["v2"], upstream=upstream.url) as proxy:
        port = int(proxy.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=5) as caller:
            yield proxy, caller


def heard(caller: socket.socket, *, until: bytes = b"") -> bytes:
    """All that comes until the connection ends, or until some bytes have come."""
    data = b""
    while not until or until not in data:
        piece = caller.recv(65536)
        if not piece:
            break
        data += piece
    return data


def test_names_and_reasons_cross_as_they_are() -> None:
    upstream = RawUpstream([OK])
    with before(upstream) as (_, caller):
        caller.sendall(GET + b"X-Foo-BAR: 1\r\n\r\n")
        answer = heard(caller, until=b"{}")
    assert answer.startswith(b"HTTP/1.1 200 Fine By Me\r\nX-Odd-CASE: kept\r\n")
    assert b"\r\nX-Foo-BAR: 1\r\n" in upstream.requests[0]


def test_a_304_keeps_its_length_and_the_connection() -> None:
    upstream = RawUpstream([b"HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\nETag: x\r\n\r\n", OK])
    with before(upstream) as (_, caller):
        caller.sendall(GET + b"\r\n")
        assert b"\r\nContent-Length: 77\r\n" in heard(caller, until=b"\r\n\r\n")
        caller.sendall(GET + b"\r\n")
        assert heard(caller, until=b"{}").startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("split", [False, True])
def test_a_wish_to_upgrade_costs_neither_the_body_nor_the_next_request(*, split: bool) -> None:
    body = b"GET /v2/orders?referenceId=SMUGGLED HTTP/1.1\r\nHost: test\r\n\r\n"
    head = (
        b"POST /v2/orders HTTP/1.1\r\nHost: test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        b"HTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: %d\r\n\r\n" % len(body)
    )
    upstream = RawUpstream([OK, OK])
    with before(upstream) as (_, caller):
        caller.sendall(head if split else head + body + GET + b"\r\n")
        if split:
            time.sleep(0.1)
            caller.sendall(body + GET + b"\r\n")
        answers = heard(caller, until=b"{}")
        while answers.count(b"{}") < 2:
            answers += heard(caller, until=b"{}")
    assert [one.split(b" HTTP/")[0] for one in upstream.requests] == [b"POST /v2/orders", b"GET /v2/orders/1"]
    assert upstream.requests[0].endswith(body)
    assert b"pgrade" not in upstream.requests[0]
    assert b"HTTP2-Settings" not in upstream.requests[0]


def test_connect_is_refused() -> None:
    upstream = RawUpstream([])
    with before(upstream) as (_, caller):
        caller.sendall(b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n")
        assert heard(caller).startswith(b"HTTP/1.1 400")
    assert upstream.requests == []


def flood(caller: socket.socket, most: int) -> int:
    """Send until the other side has had enough; gives how many bytes were sent."""
    sent = 0
    with suppress(OSError):
        while sent < most:
            sent += caller.send(b"a" * 65536)
            time.sleep(0.001)
    return sent


@pytest.mark.parametrize("start", [b"GET /v2/x", GET + b"X: "], ids=["target", "field"])
def test_a_head_without_end_is_refused_when_it_is_too_long(start: bytes) -> None:
    upstream = RawUpstream([])
    with before(upstream) as (_, caller):
        caller.sendall(start)
        assert flood(caller, 50_000_000) < 5_000_000
    assert upstream.requests == []


def test_bytes_behind_a_write_in_flight_never_become_its_answer() -> None:
    upstream = RawUpstream([Reply(OK, delay=0.3)])
    with before(upstream) as (_, caller):
        write = b"POST /v2/orders HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n{}"
        caller.sendall(write + b"GARBAGE\r\n\r\n")
        answer = heard(caller)
    assert answer.startswith(b"HTTP/1.1 200 Fine By Me")
    assert b"not_sent" not in answer
    assert answer.endswith(b"\r\nConnection: close\r\n\r\n{}")
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("wish", [b"", b"Upgrade: h2c\r\nConnection: upgrade\r\n"], ids=["plain", "upgrade"])
def test_thousands_of_requests_in_one_packet_cost_no_more_than_a_few(wish: bytes) -> None:
    one = b"GET /nothing HTTP/1.1\r\nHost: test\r\n" + wish + b"\r\n"
    with before(RawUpstream([])) as (proxy, caller):
        begun = time.monotonic()
        caller.sendall(one * (250_000 // len(one)))
        assert proxy.ask("GET", "/-/livez").status == 200
        with suppress(ConnectionResetError):  # what was not read may cost the end of the answers
            answers = heard(caller)
            assert answers.count(b"HTTP/1.1 404 ") < 100
            assert answers.count(b"Connection: close\r\n") == 1
        assert time.monotonic() - begun < 3


def test_a_caller_of_http_1_0_gets_no_interim_answer() -> None:
    """RFC 9110 §10.1.1."""
    with before(RawUpstream([OK])) as (_, caller):
        caller.sendall(b"POST /v2/orders HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}")
        assert heard(caller).startswith(b"HTTP/1.1 200 ")


def test_a_broken_chunk_is_refused_and_nothing_is_sent() -> None:
    upstream = RawUpstream([])
    with before(upstream) as (_, caller):
        caller.sendall(
            b"POST /v2/orders HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nzz\r\n"
        )
        assert heard(caller).startswith(b"HTTP/1.1 400")
    assert upstream.requests == []


def test_a_write_whose_caller_says_no_more_is_still_answered() -> None:
    upstream = RawUpstream([Reply(OK, delay=0.2)])
    with before(upstream) as (_, caller):
        caller.sendall(b"POST /v2/orders HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n{}")
        time.sleep(0.05)
        caller.shutdown(socket.SHUT_WR)
        assert heard(caller).endswith(b"{}")


def test_a_read_that_cannot_be_translated_is_a_divergence() -> None:
    upstream = RawUpstream([b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"items":"x"}'])
    with upstream, carried(["v2.1"], upstream=upstream.url) as proxy:
        answer = proxy.ask("GET", "/v2/orders?referenceId=A")
        assert answer.status == 502
        assert b"/items" in answer.body
        (line,) = proxy.log_lines("divergence", least=1)
    assert (line["class"], line["endpoint"]) == ("unexpected", "orders.list")
    assert line["differences"][0]["kind"] == "untranslatable"
