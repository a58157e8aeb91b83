"""The fault matrix (R§1.5): what the upstream does wrong, and what the caller of `send` is told."""

from __future__ import annotations

import asyncio
import socket

import pytest

from proxy.errors import ConfigError, Fault
from proxy.types import Call, Outcome
from proxy.upstream import Engine, UpstreamSettings, make_engine
from tests.upstream.scripted import (
    CASES,
    OK,
    Script,
    Talk,
    answers,
    both,
    engine,
    fails,
    get,
    native,
    on,
    once,
    post,
    upstream,
)

NOT_SENT, UNKNOWN = Outcome.NOT_SENT, Outcome.UNKNOWN
H = b"HTTP/1.1 200 OK\r\n"


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@both
async def test_refused_and_unknown_names_are_not_sent(kind: str) -> None:
    for host in (f"127.0.0.1:{unused_port()}", "nowhere.invalid"):
        async with engine(kind, f"http://{host}") as engine_:
            for call in (get(), post()):
                failed = await fails(engine_.send(call), NOT_SENT, Fault.UNREACHABLE)
                assert host in failed.detail


@both
async def test_a_connect_that_takes_too_long_is_not_sent(kind: str) -> None:
    """F03: a TLS handshake that nobody answers is the blackhole that loopback can offer."""

    async def mute(talk: Talk) -> None:
        await asyncio.sleep(5)

    async with upstream(mute) as server:
        url = f"https://127.0.0.1:{server.port}"
        async with engine(kind, url, connect_timeout=0.1) as engine_:
            await fails(engine_.send(post()), NOT_SENT, Fault.TIMEOUT)


@both
async def test_an_upstream_that_speaks_no_tls_is_not_sent_anything(kind: str) -> None:
    async def plain(talk: Talk) -> None:
        await talk.reader.read(100)
        await talk.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with upstream(plain) as server, engine(kind, f"https://127.0.0.1:{server.port}") as engine_:
        await fails(engine_.send(post()), NOT_SENT, Fault.UNREACHABLE)


def hangs_up(*, after: bytes = b"", read: bool = True, reset: bool = False) -> Script:
    async def script(talk: Talk) -> None:
        if read:
            await talk.request()
        await talk.send(after)
        if reset:
            await asyncio.sleep(0.02)
            talk.reset()

    return script


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize(
    "after",
    [
        b"",
        b"HTTP/1.1 20",
        H + b"Content-Le",
        H + b"Content-Length: 10\r\n\r\n",
        H + b"Content-Length: 10\r\n\r\nshort",
        H + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        H + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        H + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n",
    ],
)
def test_an_answer_that_is_cut_is_broken_and_never_shortened(after: bytes, *, reset: bool) -> None:
    """F07 to F11, and the same with a TCP reset."""

    @both
    async def story(kind: str) -> None:
        async with (
            upstream(hangs_up(after=after, reset=reset)) as server,
            engine(kind, server.url()) as engine_,
        ):
            await fails(engine_.send(post()), UNKNOWN, Fault.BROKEN)
            assert server.connections == 1

    for case in CASES:
        story(*case)


@both
async def test_a_reset_ends_an_answer_without_length_as_broken(kind: str) -> None:
    script = hangs_up(after=H + b"\r\nhalf of", reset=True)
    async with upstream(script) as server, engine(kind, server.url()) as engine_:
        await fails(engine_.send(get()), UNKNOWN, Fault.BROKEN)


@both
async def test_hanging_up_before_or_while_the_request_is_read_is_unknown(kind: str) -> None:
    """F05 and F06: a body that fits no buffer, so that the write fails half way."""

    async def script(talk: Talk) -> None:
        await talk.reader.read(10)
        talk.reset()

    async with upstream(script) as server, engine(kind, server.url()) as engine_:
        failed = await fails(engine_.send(post(b"x" * 8_000_000)), UNKNOWN, Fault.BROKEN)
        assert "xxx" not in failed.detail
        assert server.connections == 1


@both
async def test_an_early_answer_to_a_large_body_is_given(kind: str) -> None:
    async def script(talk: Talk) -> None:
        await talk.reader.read(10)
        await talk.send(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        await talk.reader.read()

    async with upstream(script) as server, engine(kind, server.url(), read_timeout=1.0) as engine_:
        assert (await engine_.send(post(b"x" * 300_000))).status == 413


@pytest.mark.parametrize(
    "raw",
    [
        b"garbage\r\n\r\n",
        b"<html>hello</html>\r\n\r\n",
        b"SSH-2.0-x\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n",
        H + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        H + b"Content-Length: -1\r\n\r\n",
        H + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        H + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
        H + b"Transfer-Encoding: gzip\r\n\r\nabc",
        H + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        H + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        H + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n",
        H + b"Bad Name: x\r\nContent-Length: 0\r\n\r\n",
        H + b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        H + b"X: " + b"a" * 150_000 + b"\r\nContent-Length: 0\r\n\r\n",
        H + b"X: y\r\n" * 20_000 + b"\r\n",
        H + b"Content-Length: 5000000\r\n\r\n" + b"a" * 5_000_000,
        H + b"\r\n" + b"a" * 5_000_000,
        H + b"Transfer-Encoding: chunked\r\n\r\n" + b"10000\r\n" + (b"a" * 65536 + b"\r\n10000\r\n") * 80,
    ],
)
def test_what_is_not_proper_is_a_bad_answer(raw: bytes) -> None:
    """F16 to F19, F26 and ambiguous framing; the answer never goes on, the connection never goes back."""

    @both
    async def story(kind: str) -> None:
        async with (
            upstream(answers(raw)) as server,
            engine(kind, server.url(), max_answer=4_000_000) as engine_,
        ):
            for number in (1, 2):
                await fails(engine_.send(post()), UNKNOWN, Fault.BAD_ANSWER)
                assert server.connections == number

    for case in CASES:
        story(*case)


@native
async def test_floods_without_an_answer_are_bounded(kind: str) -> None:
    """F25 and its like: interim answers, chunk extensions, trailers and white space without end."""
    chunked = H + b"Transfer-Encoding: chunked\r\n\r\n"
    floods = [
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (chunked + b"1;x=", b"y" * 1000),
        (chunked + b"0\r\nX: ", b"y" * 1000),
        (chunked + b"0\r\n", b"X: y\r\n" * 100),
        (H + b"X", b"y" * 1000),
    ]
    for start, more in floods:

        async def script(talk: Talk, start: bytes = start, more: bytes = more) -> None:
            await talk.request()
            await talk.send(start)
            while True:
                await talk.send(more)

        async with upstream(script) as server, engine(kind, server.url()) as engine_:
            await fails(engine_.send(get()), UNKNOWN, Fault.BAD_ANSWER)


@both
async def test_an_interim_answer_never_makes_a_body(kind: str) -> None:
    raw = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    async with upstream(once(raw)) as server, engine(kind, server.url()) as engine_:
        await fails(engine_.send(get()), UNKNOWN, Fault.BROKEN)


@native
async def test_an_interim_answer_that_announces_a_body_is_a_bad_answer(kind: str) -> None:
    for field in (b"Content-Length: 5", b"Transfer-Encoding: chunked"):
        raw = b"HTTP/1.1 103 Early Hints\r\n" + field + b"\r\n\r\n"
        async with upstream(answers(raw + OK)) as server, engine(kind, server.url()) as engine_:
            await fails(engine_.send(get()), UNKNOWN, Fault.BAD_ANSWER)


@both
async def test_silence_and_a_stall_run_into_the_read_timeout(kind: str) -> None:
    """F13 and F15; nothing is sent a second time, not even a read."""
    for start in (b"", H, H + b"Content-Length: 5\r\n\r\nab"):

        async def script(talk: Talk, start: bytes = start) -> None:
            await talk.request()
            await talk.send(start)
            await asyncio.sleep(5)

        async with upstream(script) as server, engine(kind, server.url(), read_timeout=0.1) as engine_:
            for call in (get(), post()):
                await fails(engine_.send(call), UNKNOWN, Fault.TIMEOUT)
        assert len(server.requests) == 2


@both
async def test_a_drip_runs_into_the_total_timeout(kind: str) -> None:
    """F14: a byte now and then never lets the read timeout pass."""

    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(H + b"Content-Length: 5000\r\n\r\n")
        while True:
            await talk.send(b"x")
            await asyncio.sleep(0.02)

    async with (
        upstream(script) as server,
        engine(kind, server.url(), total_timeout=0.3, read_timeout=0.2) as e,
    ):
        started = asyncio.get_running_loop().time()
        await fails(e.send(get()), UNKNOWN, Fault.TIMEOUT)
        assert 0.25 < asyncio.get_running_loop().time() - started < 1.5


@native
async def test_time_starts_again_with_every_exchange(kind: str) -> None:
    async def script(talk: Talk) -> None:
        while True:
            await talk.request()
            await asyncio.sleep(0.15)
            await talk.send(OK)

    async with upstream(script) as server, engine(kind, server.url(), read_timeout=0.25) as engine_:
        for _ in range(4):
            await engine_.send(post())
        assert server.connections == 1


def closes_after_one(*, then: bytes = b"") -> Script:
    """Answer the first request on a connection; on its second one say `then` and hang up."""

    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(OK)
        await talk.request()
        await talk.send(then)

    return script


@both
async def test_a_read_that_met_a_stale_connection_is_sent_again_on_a_fresh_one(kind: str) -> None:
    """F29, the race: the upstream closes just when the request is on its way."""
    async with upstream(closes_after_one()) as server, engine(kind, server.url()) as engine_:
        await engine_.send(get())
        assert (await engine_.send(get())).body == b"ok"
        assert (server.connections, len(server.requests)) == (2, 3)


@both
async def test_a_write_that_met_a_stale_connection_is_never_sent_again(kind: str) -> None:
    async with upstream(closes_after_one()) as server, engine(kind, server.url()) as engine_:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            before = len(server.requests)
            await engine_.send(get())
            await fails(engine_.send(Call(method, b"/", [])), UNKNOWN, Fault.BROKEN)
            assert len(server.requests) == before + 2


@both
async def test_a_read_is_not_sent_again_once_the_answer_has_begun(kind: str) -> None:
    script = closes_after_one(then=b"HTTP/1.1 2")
    async with upstream(script) as server, engine(kind, server.url()) as engine_:
        await engine_.send(get())
        if kind == "native":
            await fails(engine_.send(get()), UNKNOWN, Fault.BROKEN)
            assert len(server.requests) == 2


@native
async def test_a_read_on_a_fresh_connection_is_sent_once(kind: str) -> None:
    async with upstream(hangs_up()) as server, engine(kind, server.url()) as engine_:
        await fails(engine_.send(get()), UNKNOWN, Fault.BROKEN)
        assert len(server.requests) == 1


@both
async def test_a_connection_that_the_upstream_has_closed_is_not_used(kind: str) -> None:
    """F29, noticed in time: a write goes out on a fresh connection."""
    async with upstream(once(OK)) as server, engine(kind, server.url()) as engine_:
        for _ in range(3):
            assert (await engine_.send(post())).body == b"ok"
            await asyncio.sleep(0.02)
    assert server.connections == 3


@native
async def test_a_write_notices_a_close_that_the_loop_has_not_seen_yet(kind: str) -> None:
    """The upstream runs in the same loop: blocked between two calls, nobody can have processed the close."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    loop = asyncio.get_running_loop()

    async def serve(engine_: Engine) -> socket.socket:
        sending = asyncio.create_task(engine_.send(post()))
        peer = (await loop.run_in_executor(None, listener.accept))[0]
        await loop.run_in_executor(None, peer.recv, 65536)
        peer.sendall(OK)
        await sending
        return peer

    with listener:
        async with engine(kind, url) as engine_:
            with await serve(engine_) as first:
                first.shutdown(socket.SHUT_RDWR)
            with await serve(engine_):
                pass


@native
async def test_a_write_does_not_use_an_old_connection_but_a_read_does(kind: str) -> None:
    async with upstream(answers(OK)) as server, engine(kind, server.url(), write_idle=0.05) as engine_:
        await engine_.send(post())
        await asyncio.sleep(0.1)
        await engine_.send(get())
        assert server.connections == 1
        await asyncio.sleep(0.1)
        await engine_.send(post())
        assert server.connections == 2


@native
async def test_idle_connections_are_closed_in_time(kind: str) -> None:
    async with upstream(answers(OK)) as server, engine(kind, server.url(), keepalive=0.1) as engine_:
        await asyncio.gather(*(engine_.send(get()) for _ in range(3)))
        assert server.open == 3
        await asyncio.sleep(0.3)
        assert server.open == 0


@both
async def test_a_request_that_would_break_out_of_its_line_is_not_sent(kind: str) -> None:
    calls = [
        (Call("GET", b"/", [(b"X", b"a\r\nY: b")]), Fault.HEADERS),
        (Call("GET", b"/", [(b"X", b"a\nb")]), Fault.HEADERS),
        (Call("GET", b"/", [(b"X", b"a\0b")]), Fault.HEADERS),
        (Call("GET", b"/ HTTP/1.1\r\nX: y", []), Fault.TARGET),
        (Call("GET", b"/\r\nX:y", []), Fault.HEADERS),
        (Call("G\u00cbT", b"/", []), Fault.TARGET),
        (Call("GET", b"@evil.test/", []), Fault.TARGET),
        (Call("GET", b"http://evil.test/", []), Fault.TARGET),
        (Call("GET", b"*", []), Fault.TARGET),
        (Call("GET /", b"/", []), Fault.TARGET),
    ]
    async with upstream(answers(OK)) as server, engine(kind, server.url()) as engine_:
        for call, fault in calls:
            failed = await fails(engine_.send(call), NOT_SENT, fault)
            assert "evil" not in failed.detail
    assert server.connections == 0


@both
async def test_a_closed_engine_takes_no_calls_and_lets_those_in_flight_end(kind: str) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await asyncio.sleep(0.1)
        await talk.send(OK)
        await talk.request()

    async with upstream(script) as server, engine(kind, server.url()) as engine_:
        sending = asyncio.create_task(engine_.send(get()))
        await asyncio.sleep(0.05)
        await engine_.close()
        await fails(engine_.send(get()), NOT_SENT, Fault.OVERLOADED)
        assert (await sending).body == b"ok"
        await asyncio.sleep(0.02)
        assert server.open == 0


@on("httpx")
async def test_an_outbound_proxy_that_refuses_means_not_sent(kind: str) -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    async with upstream(once(refusal)) as server:
        proxy = f"http://user:secret@127.0.0.1:{server.port}"
        async with engine(kind, "https://upstream.invalid", proxy=proxy) as engine_:
            failed = await fails(engine_.send(post()), NOT_SENT, Fault.UNREACHABLE)
    assert server.requests[0].startswith(b"CONNECT upstream.invalid:443 ")
    assert "secret" not in failed.detail


@pytest.mark.parametrize(
    "base_url",
    [
        "ftp://host",
        "host:80",
        "https://",
        "https://user:secret@host",
        "https://host?secret",
        "https://host#secret",
        "https://host:0",
        "https://host:99999",
        "https://host:secret",
        "https://ho st",
        "https://host/a//b",
        "https://host/a b",
        "https://höst",
        "https://" + "a" * 64,
        "https://host\n",
        "https://[::1",
    ],
)
def test_a_base_url_that_is_not_one_is_refused_without_being_shown(base_url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        UpstreamSettings(base_url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("wrong", [{"pool_size": 0}, {"read_timeout": 0.0}, {"keepalive": float("nan")}])
def test_limits_that_stop_everything_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        UpstreamSettings("http://host", **wrong)  # type: ignore[arg-type]  # each is a number


def test_what_an_engine_cannot_do_is_refused_when_it_is_made() -> None:
    with pytest.raises(ConfigError, match="httpx"):
        make_engine("native", UpstreamSettings("https://host", proxy="http://proxy:3128"))
    with pytest.raises(ConfigError, match="proxy") as caught:
        make_engine("httpx", UpstreamSettings("https://host", proxy="gopher://u:secret@proxy"))
    assert "secret" not in str(caught.value)
    for kind in ("native", "httpx"):
        with pytest.raises(ConfigError, match="ca_file"):
            make_engine(kind, UpstreamSettings("https://host", ca_file="/nowhere/ca.pem"))


def test_settings_do_not_show_the_outbound_proxy() -> None:
    assert "secret" not in repr(UpstreamSettings("https://host", proxy="http://u:secret@proxy"))
