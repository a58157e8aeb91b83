"""A streamed answer that never falls silent and never ends: it has its time, and so has one whose caller is slow."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

from tests.endtoend.flowing import MIB, Platform
from tests.endtoend.test_streaming import HEAD, answering, before, calling, engines, everything, until

LARGE = b"x" * (2 * MIB)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
TIMES = {
    "upstream__v2__connect_timeout": "1s",
    "upstream__v2__read_timeout": "800ms",
    "upstream__v2__total_timeout": "1s",
}


@engines
def test_an_answer_that_drips_ends_when_its_time_is_up(engine: str) -> None:
    def script(platform: Platform, connection: socket.socket) -> None:
        connection.recv(1 << 16)
        platform.send(connection, ANSWER % (9 * MIB) + b"x" * 2000)
        while not platform.go.wait(0.1):
            platform.send(connection, b"x")

    with (
        before(script, engine, server__max_body="1KiB", shadow__max_body="1KiB", **TIMES) as (
            proxy,
            platform,
        ),
        calling(proxy) as caller,
    ):
        caller.sendall(b"GET /v2/orders/1 " + HEAD + b"\r\n")
        begun = time.monotonic()
        with suppress(ConnectionResetError):
            while caller.recv(1 << 18):
                assert time.monotonic() - begun < 8
        assert platform.cut.wait(5)
        (line,) = proxy.log_lines("request", least=1)
        assert line["code"] == "CF-TIMEOUT"


@engines
def test_time_in_which_the_caller_does_not_read_is_its_own(engine: str) -> None:
    body = LARGE * 12
    with (
        before(answering(ANSWER % len(body) + body), engine, **TIMES) as (proxy, _),
        calling(proxy) as caller,
    ):
        caller.sendall(
            b"GET /v2/orders/1 " + HEAD.replace(b"Host", b"Connection: close\r\nHost", 1) + b"\r\n"
        )
        until(lambda: proxy.gateway.in_flight)
        time.sleep(3)
        assert everything(caller).partition(b"\r\n\r\n")[2] == body
