"""A streamed body whose framing breaks: a part of it has left, so nobody may say that nothing was sent."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Thread

from tests.endtoend.flowing import MIB, Platform
from tests.endtoend.test_streaming import (
    HEAD,
    LARGE,
    before,
    calling,
    chunks,
    engines,
    everything,
    in_doubt,
    until,
)
from tests.raw import parse

CHUNKED = b"POST /v2/orders " + HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
BROKEN = b"zz\r\n"


def insisting(caller: socket.socket, data: bytes) -> None:
    """Send it, as far as the other side takes it."""
    with suppress(OSError):
        caller.sendall(data)


@engines
def test_it_is_answered_as_unknown_logged_and_in_doubt(engine: str) -> None:
    def script(platform: Platform, connection: socket.socket) -> None:
        platform.take(connection)

    with before(script, engine) as (proxy, platform), calling(proxy) as caller:
        caller.sendall(CHUNKED + chunks(LARGE)[:-5])
        until(lambda: platform.taken > 4 * MIB)
        caller.sendall(BROKEN)
        data = everything(caller)
        heard = parse(data)
        assert (heard.status, heard.header("x-crossfade-code")) == (400, "CF-HEADERS")
        assert (heard.header("x-crossfade-outcome"), data.count(b"HTTP/1.1 4")) == ("unknown", 1)
        assert platform.cut.wait(5)
        (entry,) = in_doubt(proxy)
        assert (entry.state, entry.code) == ("unknown", "CF-HEADERS")
        (line,) = proxy.log_lines("request", least=1)
        assert (line["status"], line["code"]) == (400, "CF-HEADERS")


def test_an_answer_that_has_begun_is_not_mixed_with_a_refusal() -> None:
    body = b"x" * (4 * MIB)

    def script(platform: Platform, connection: socket.socket) -> None:
        connection.recv(1 << 16)
        platform.send(connection, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:-1])
        platform.go.wait(5)
        connection.settimeout(0.3)
        platform.take(connection)
        platform.send(connection, body[-1:])

    with before(script) as (proxy, platform), calling(proxy) as caller:
        # More than is held, so that it is passed on, and no more than finds room behind that while nobody reads.
        caller.sendall(CHUNKED + chunks(LARGE)[: MIB + (1 << 17)])
        data = caller.recv(1 << 16)
        # How much the kernel holds while nobody reads differs from run to run.
        sending = Thread(target=insisting, args=(caller, LARGE[: 1 << 16] + BROKEN * 20_000))
        sending.start()
        platform.go.set()
        data += everything(caller)
        sending.join(5)
        assert data.partition(b"\r\n\r\n")[2] == body
