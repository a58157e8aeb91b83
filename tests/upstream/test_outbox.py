"""Requests leave at the end of a turn of the loop; what happens to a connection before that happens to none of them."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from math import inf

import pytest
import uvloop

from proxy.errors import Fault, UpstreamFailed
from proxy.outbox import Outbox
from proxy.types import Answer, Call, Outcome
from proxy.upstream import UpstreamSettings
from proxy.upstream.attempts import Attempts
from proxy.upstream.connection import Connection
from proxy.upstream.native import NativeEngine
from tests.servers import RawUpstream
from tests.upstream.scripted import OK, get, post

FOREIGN = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nforeign"
CALLS = {"a read": get(), "a write": post()}


def ends(line: socket.socket) -> None:
    line.shutdown(socket.SHUT_RDWR)


def talks(line: socket.socket) -> None:
    line.sendall(FOREIGN)


class Coming:
    """A body of which more is still to come."""

    length = None
    taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"more"

    async def aclose(self) -> None:
        return


def second(
    call: Call, meanwhile: Callable[[socket.socket], None], *, late: bool = False
) -> tuple[Answer | UpstreamFailed, RawUpstream, Attempts]:
    """A call over a connection to which something happens in the turn in which the call has taken it.

    Or `late`, in the turn in which it is about to leave: the loop does not look at the socket in between.
    """
    attempts = Attempts()
    with RawUpstream(lambda _request: OK) as server:

        async def run() -> Answer | UpstreamFailed:
            engine = NativeEngine(UpstreamSettings(server.url), attempts)
            await engine.send(get())
            (line,) = server._open

            def now() -> None:
                meanwhile(line)
                time.sleep(0.05)

            loop = asyncio.get_running_loop()
            if late:
                loop.call_soon(loop.call_soon, now)
            sending = asyncio.create_task(engine.send(call))
            if not late:
                loop.call_soon(now)
            try:
                return await sending
            except UpstreamFailed as failed:
                return failed
            finally:
                await engine.close()

        return uvloop.run(run()), server, attempts


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("meanwhile", [ends, talks])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_it_goes_over_a_fresh_connection_and_is_executed_once(
    call: Call, meanwhile: Callable[[socket.socket], None], late: bool
) -> None:
    answer, server, attempts = second(call, meanwhile, late=late)
    assert isinstance(answer, Answer)
    assert answer.body == b"ok"
    assert [one.split(b" ")[0].decode() for one in server.requests] == ["GET", call.method]
    assert (server.connections, attempts.retried["stale"]) == (2, 1)
    assert attempts.ended[Outcome.UNKNOWN] == 0


def test_that_costs_no_budget() -> None:
    """A whole pool of idle connections ends at once, and nobody has earned a retry yet."""
    attempts = Attempts()
    with RawUpstream(lambda _request: OK) as server:

        async def run() -> list[Answer]:
            engine = NativeEngine(UpstreamSettings(server.url), attempts)
            await asyncio.gather(*(engine.send(get()) for _ in range(20)))
            attempts._balance = 0

            def all_end() -> None:
                for line in list(server._open):
                    ends(line)
                time.sleep(0.05)

            sending = asyncio.gather(*(engine.send(post()) for _ in range(20)))
            asyncio.get_running_loop().call_soon(all_end)
            found = await sending
            await engine.close()
            return found

        found = uvloop.run(run())
    assert [one.body for one in found] == [b"ok"] * 20
    assert (attempts.retried["stale"], attempts.denied) == (20, 0)


def test_one_whose_body_is_still_coming_is_told_that_nothing_has_left() -> None:
    failed, server, _ = second(Call("POST", b"/", [], b"first", Coming()), ends)
    assert isinstance(failed, UpstreamFailed)
    assert (failed.outcome, failed.fault) == (Outcome.NOT_SENT, Fault.BROKEN)
    assert len(server.requests) == 1


def test_a_write_over_a_connection_that_ended_before_it_was_used_is_not_in_doubt() -> None:
    async def run() -> UpstreamFailed:
        async def hangs_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        server = await asyncio.start_server(hangs_up, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        settings = UpstreamSettings(f"http://127.0.0.1:{port}")
        connection = Connection(asyncio.get_running_loop(), settings, Outbox())
        await asyncio.get_running_loop().create_connection(lambda: connection, "127.0.0.1", port)
        await asyncio.sleep(0.05)
        ended = await connection.exchange("POST", b"POST / HTTP/1.1\r\n\r\n", b"", inf)
        server.close()
        assert isinstance(ended, UpstreamFailed)
        return ended

    failed = uvloop.run(run())
    assert (failed.outcome, failed.fault) == (Outcome.NOT_SENT, Fault.BROKEN)
