"""Bodies that are too large to be held: they cross as they come, at the slower side's pace, and never look whole if cut."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from random import Random
from typing import Any

import pytest

from proxy.upstream.entries import Entry
from proxy.upstream.journals import survey
from tests.emulator.caller import CREDENTIALS
from tests.endtoend.flowing import MIB, Platform, Script
from tests.endtoend.running import Carried, carried
from tests.raw import Heard, parse, read_message

LARGE = Random(7).randbytes(5 * MIB)
ENGINES = ("native", "httpx")
engines = pytest.mark.parametrize("engine", ENGINES)
HEAD = f"HTTP/1.1\r\nHost: test\r\n{CREDENTIALS[0]}: {CREDENTIALS[1]}\r\n".encode()
OK = b"HTTP/1.1 200 Fine\r\nContent-Length: 2\r\n\r\nok"


@contextmanager
def before(script: Script, engine: str = "native", **keys: Any) -> Iterator[tuple[Carried, Platform]]:
    """A proxy at stage v2 in front of a scripted platform."""
    named = {name.replace("__", "."): value for name, value in keys.items()}
    with (
        Platform(script) as platform,
        carried(["v2"], upstream=platform.url, keys={"upstream.engine": engine, **named}) as proxy,
    ):
        yield proxy, platform


@contextmanager
def calling(proxy: Carried) -> Iterator[socket.socket]:
    """A caller's connection with small buffers."""
    with socket.socket() as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        caller.settimeout(10)
        caller.connect(("127.0.0.1", int(proxy.url.rpartition(":")[2])))
        yield caller


def chunks(data: bytes, size: int = 70_000) -> bytes:
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in pieces) + b"0\r\n\r\n"


def whole(body: bytes) -> bytes:
    """A chunked body put together; raises ValueError where its end is missing."""
    out = b""
    while True:
        size, _, body = body.partition(b"\r\n")
        if not int(size, 16):
            return out
        out, body = out + body[: int(size, 16)], body[int(size, 16) + 2 :]


def until(true: Callable[[], object], seconds: float = 5) -> None:
    """Wait until something is true; fails where it never is."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def answering(answer: bytes) -> Script:
    def script(platform: Platform, connection: socket.socket) -> None:
        pending = b""
        while True:
            request, pending = read_message(connection, pending)
            if not request:
                return
            platform.taken = len(request)
            requests.append(request)
            platform.send(connection, answer)
            if b"Content-Length" not in answer and b"chunked" not in answer:
                return

    requests: list[bytes] = []
    script.requests = requests  # type: ignore[attr-defined] # what a test looks at
    return script


@engines
@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_request_crosses_as_it_came(engine: str, *, chunked: bool) -> None:
    script = answering(OK)
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % len(LARGE)
    with before(script, engine) as (proxy, _), calling(proxy) as caller:
        caller.sendall(
            b"POST /v2/orders " + HEAD + framing + b"\r\n\r\n" + (chunks(LARGE) if chunked else LARGE)
        )
        assert read_message(caller)[0].endswith(b"ok")
        (sent,) = script.requests  # type: ignore[attr-defined] # the script has them
        head, _, body = sent.partition(b"\r\n\r\n")
        assert framing in head
        assert (whole(body) if chunked else body) == LARGE
        (line,) = proxy.log_lines("request", least=1)
        assert (line["request_bytes"], line["status"]) == (len(LARGE), 200)
        caller.sendall(b"GET /v2/orders/1 " + HEAD + b"\r\n")
        assert read_message(caller)[0].endswith(b"ok"), "the connection goes on"


ANSWERS = {
    "length": b"HTTP/1.1 200 Fine\r\nX-Odd: 1\r\nContent-Length: %d\r\n\r\n" % len(LARGE) + LARGE,
    "chunks": b"HTTP/1.1 200 Fine\r\nX-Odd: 1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(LARGE),
    "end": b"HTTP/1.1 200 Fine\r\nX-Odd: 1\r\n\r\n" + LARGE,
}


def everything(caller: socket.socket) -> bytes:
    data = bytearray()
    while piece := caller.recv(1 << 18):
        data += piece
    return bytes(data)


@engines
@pytest.mark.parametrize("ending", ANSWERS)
@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
def test_a_large_answer_crosses_as_it_came(engine: str, ending: str, version: bytes) -> None:
    with before(answering(ANSWERS[ending]), engine) as (proxy, _), calling(proxy) as caller:
        head = HEAD.replace(b"HTTP/1.1", b"HTTP/" + version)
        caller.sendall(b"GET /v2/orders/1 " + head + b"Connection: close\r\n\r\n")
        heard = parse(everything(caller))
        assert (heard.status, heard.header("x-odd"), heard.header("connection")) == (200, "1", "close")
        if ending == "length":
            assert heard.header("content-length") == str(len(LARGE))
        chunked = heard.header("transfer-encoding") == "chunked"
        assert chunked is (ending != "length" and version == b"1.1")
        assert (whole(heard.body) if chunked else heard.body) == LARGE
        (line,) = proxy.log_lines("request", least=1)
        assert line["answer_bytes"] == len(LARGE)


def test_a_connection_is_used_again_after_a_large_answer() -> None:
    with before(answering(ANSWERS["chunks"])) as (proxy, platform), calling(proxy) as caller:
        for _ in range(3):
            caller.sendall(b"GET /v2/orders/1 " + HEAD + b"\r\n")
            assert whole(read_message(caller)[0].partition(b"\r\n\r\n")[2]) == LARGE
        assert len(platform.threads) == 2, "one that listens, one connection"


@engines
def test_an_upstream_that_does_not_read_holds_the_caller_up(engine: str) -> None:
    total = 24 * MIB

    def script(platform: Platform, connection: socket.socket) -> None:
        platform.go.wait(10)
        while platform.taken < total:
            platform.taken += len(connection.recv(1 << 18))
        connection.sendall(OK)

    with before(script, engine) as (proxy, platform), calling(proxy) as caller:
        caller.sendall(b"POST /v2/orders " + HEAD + b"Content-Length: %d\r\n\r\n" % total)
        caller.settimeout(0.7)
        sent = 0
        with suppress(TimeoutError):
            while sent < 16 * MIB:
                sent += caller.send(b"x" * (1 << 16))
        assert sent < 16 * MIB
        platform.go.set()
        caller.settimeout(10)
        caller.sendall(b"x" * (total - sent))
        assert read_message(caller)[0].endswith(b"ok")
        assert platform.taken >= total


@engines
def test_a_caller_that_does_not_read_holds_the_upstream_up(engine: str) -> None:
    body = b"x" * (24 * MIB)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with before(answering(answer), engine) as (proxy, platform), calling(proxy) as caller:
        caller.sendall(b"GET /v2/orders/1 " + HEAD + b"Connection: close\r\n\r\n")
        before_pause = -1
        until(lambda: platform.sent > 0)
        while before_pause != platform.sent:
            before_pause = platform.sent
            time.sleep(0.3)
        assert before_pause < 16 * MIB
        assert parse(everything(caller)).body == body


@engines
@pytest.mark.parametrize("method", [b"GET", b"POST"])
@pytest.mark.parametrize("ending", ["length", "chunks"])
def test_an_answer_that_breaks_off_never_looks_whole(engine: str, method: bytes, ending: str) -> None:
    with (
        before(lambda platform, line: breaks_off(platform, line, ANSWERS[ending]), engine) as (proxy, _),
        calling(proxy) as caller,
    ):
        caller.sendall(method + b" /v2/orders/1 " + HEAD + b"Content-Length: 0\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            everything(caller)
        (line,) = proxy.log_lines("request", least=1)
        assert line["code"] == "CF-BROKEN"
        open_writes = in_doubt(proxy)
        assert [one.method for one in open_writes] == (["POST"] if method == b"POST" else [])


def breaks_off(platform: Platform, connection: socket.socket, answer: bytes) -> None:
    read_message(connection)
    platform.send(connection, answer[: 4 * MIB])


def test_a_read_whose_caller_leaves_in_the_answer_lets_go_of_the_upstream() -> None:
    body = b"x" * (24 * MIB)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with before(answering(answer)) as (proxy, platform):
        with calling(proxy) as caller:
            caller.sendall(b"GET /v2/orders/1 " + HEAD + b"\r\n")
            caller.recv(1 << 16)
        assert platform.cut.wait(5)
        until(lambda: proxy.gateway.in_flight == 0)


def test_a_write_whose_caller_leaves_in_the_answer_runs_to_its_end_and_stays_in_doubt() -> None:
    body = b"x" * (24 * MIB)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with before(answering(answer)) as (proxy, platform):
        with calling(proxy) as caller:
            caller.sendall(b"POST /v2/orders/1 " + HEAD + b"Content-Length: 2\r\n\r\n{}")
            caller.recv(1 << 16)
        until(lambda: platform.sent == len(answer))
        proxy.log_lines("request", least=1)
        assert not platform.cut.is_set()
        (entry,) = in_doubt(proxy)
        assert entry.state == "answered"


@engines
def test_a_caller_that_leaves_in_its_body_leaves_a_write_in_doubt(engine: str) -> None:
    def script(platform: Platform, connection: socket.socket) -> None:
        platform.take(connection)

    with before(script, engine) as (proxy, platform):
        with calling(proxy) as caller:
            caller.sendall(
                b"POST /v2/orders " + HEAD + b"Content-Length: %d\r\n\r\n" % len(LARGE) + LARGE[:-1]
            )
            until(lambda: platform.taken > 4 * MIB)
        (line,) = proxy.log_lines("request", least=1)
        assert line["code"] == "CF-BODY-TIMEOUT"
        assert platform.cut.wait(5)
        assert platform.taken < len(LARGE) + 1000
        (entry,) = in_doubt(proxy)
        assert (entry.state, entry.code) == ("unknown", "CF-BODY-TIMEOUT")


@engines
def test_a_body_that_trickles_ends_in_408_and_says_that_a_part_was_sent(engine: str) -> None:
    def script(platform: Platform, connection: socket.socket) -> None:
        platform.take(connection)

    with (
        before(script, engine, server__body_timeout="400ms", server__min_body_rate="100MiB") as (proxy, _),
        calling(proxy) as caller,
    ):
        caller.sendall(
            b"POST /v2/orders " + HEAD + b"Content-Length: %d\r\n\r\n" % len(LARGE) + LARGE[: 2 * MIB]
        )
        heard = own(caller)
        assert (heard.status, heard.header("x-crossfade-code")) == (408, "CF-BODY-TIMEOUT")
        assert (heard.header("x-crossfade-outcome"), heard.header("connection")) == ("unknown", "close")


def in_doubt(proxy: Carried) -> list[Entry]:
    return survey(proxy.log_file.parent / "crossfade.journal").in_doubt


def own(caller: socket.socket) -> Heard:
    return parse(read_message(caller)[0])


def test_chunks_without_end_stop_at_the_limit() -> None:
    def script(platform: Platform, connection: socket.socket) -> None:
        platform.take(connection)

    with (
        before(script, server__max_passthrough_body="2MiB") as (proxy, platform),
        calling(proxy) as caller,
    ):
        caller.sendall(b"POST /v2/orders " + HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        with suppress(ConnectionError):
            caller.sendall(chunks(LARGE)[:-5])
        heard = own(caller)
        assert (heard.status, heard.header("x-crossfade-outcome")) == (413, "unknown")
        assert platform.cut.wait(5)
        assert platform.taken < 3 * MIB


def test_an_answer_that_comes_before_the_body_is_passed_on_at_once() -> None:
    def script(platform: Platform, connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(b"HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\nno")
        platform.go.wait(5)

    with before(script) as (proxy, platform), calling(proxy) as caller:
        caller.sendall(b"POST /v2/orders " + HEAD + b"Content-Length: %d\r\n\r\n" % len(LARGE) + LARGE[:1000])
        begun = time.monotonic()
        heard = own(caller)
        assert time.monotonic() - begun < 1
        assert (heard.status, heard.body, heard.header("connection")) == (409, b"no", "close")
        with suppress(ConnectionError):
            assert caller.recv(100) == b""
        platform.go.set()


def test_a_caller_that_reads_nothing_is_cut_off() -> None:
    body = b"x" * (24 * MIB)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with (
        before(answering(answer), server__send_timeout="500ms") as (proxy, platform),
        calling(proxy) as caller,
    ):
        caller.sendall(b"GET /v2/orders/1 " + HEAD + b"\r\n")
        assert platform.cut.wait(5)
        until(lambda: proxy.gateway.in_flight == 0)
        with pytest.raises(ConnectionResetError):
            everything(caller)


def test_a_caller_that_reads_slowly_is_not() -> None:
    with (
        before(answering(ANSWERS["length"]), server__send_timeout="300ms") as (proxy, _),
        calling(proxy) as caller,
    ):
        caller.sendall(b"GET /v2/orders/1 " + HEAD + b"Connection: close\r\n\r\n")
        data = b""
        for _ in range(10):
            data += caller.recv(1 << 16)
            time.sleep(0.1)
        assert parse(data + everything(caller)).body == LARGE


def test_who_expects_to_be_asked_for_the_body_is_asked_when_it_is_wanted() -> None:
    """R7."""
    script = answering(OK)
    expecting = b"POST /v2/orders " + HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n"
    with before(script) as (proxy, _):
        with calling(proxy) as caller:
            caller.sendall(expecting % len(LARGE))
            assert read_message(caller)[0] == b"HTTP/1.1 100 Continue\r\n\r\n"
            caller.sendall(LARGE)
            assert read_message(caller)[0].endswith(b"ok")
        with calling(proxy) as caller:
            caller.sendall(expecting % (1 << 40))
            heard = own(caller)
            assert (heard.status, heard.header("connection")) == (413, "close")
            assert caller.recv(100) == b""
        assert len(script.requests) == 1  # type: ignore[attr-defined] # the script has them


@pytest.mark.parametrize(("size", "turned"), [(2 * MIB, True), (9 * MIB, False)])
def test_links_are_turned_in_what_may_be_held_and_in_nothing_larger(size: int, *, turned: bool) -> None:
    link = b"http://platform.test/v2/orders/1"
    body = b'{"href":"' + link + b'","x":"' + b"x" * size + b'"}'
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with before(answering(answer), server__v2_hrefs="proxy") as (proxy, _), calling(proxy) as caller:
        caller.sendall(b"GET /v2/orders/1 " + HEAD + b"Connection: close\r\n\r\n")
        heard = parse(everything(caller))
        assert heard.body == (body.replace(link, b"http://proxy.test/v2/orders/1") if turned else body)
