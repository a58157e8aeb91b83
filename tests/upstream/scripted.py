"""An upstream that does what a script says, byte for byte, and remembers it; and the frame for tests."""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

import pytest
import uvloop

from proxy.errors import Fault, UpstreamFailed
from proxy.types import Answer, Call, Outcome
from proxy.upstream import Engine, UpstreamSettings, make_engine

CASES = (
    ("native", uvloop.new_event_loop),
    ("native", asyncio.new_event_loop),
    ("httpx", uvloop.new_event_loop),
)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Talk:
    """One connection, seen from the upstream."""

    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    server: Upstream

    async def request(self) -> bytes:
        """The next request's raw bytes; raises IncompleteReadError when the caller has closed."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        size = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        raw = head + await self.reader.readexactly(size)
        self.server.requests.append(raw)
        return raw

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        self.writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Story = Callable[[str], Coroutine[Any, Any, None]]
Script = Callable[[Talk], Awaitable[None]]


@dataclass
class Upstream:
    """What the scripted upstream saw."""

    port: int = 0
    scheme: str = "http"
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    open: int = 0

    def url(self, host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}"


@asynccontextmanager
async def upstream(
    script: Script, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Upstream]:
    """Listen on loopback; the script runs once per connection, which closes when it returns."""
    seen = Upstream(scheme="https" if tls else "http")
    tasks: set[asyncio.Task[Any]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        seen.connections += 1
        seen.open += 1
        with suppress(OSError, EOFError, asyncio.CancelledError):
            await script(Talk(seen.connections, reader, writer, seen))
        seen.open -= 1
        tasks.discard(task)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(talk, host, 0, ssl=tls)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.sleep(0.01)


def answers(*raw: bytes) -> Script:
    """Answer each request of a connection with the next of these bytes; with the last one for ever after."""

    async def script(talk: Talk) -> None:
        turn = 0
        while True:
            await talk.request()
            await talk.send(raw[min(turn, len(raw) - 1)])
            turn += 1

    return script


def once(raw: bytes) -> Script:
    """Answer one request and close."""

    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(raw)

    return script


@asynccontextmanager
async def engine(kind: str, base_url: str, **settings: Any) -> AsyncIterator[Engine]:
    made = make_engine(
        kind,  # type: ignore[arg-type]  # the parameter of a test is a str
        replace(UpstreamSettings(base_url, read_timeout=5.0, total_timeout=10.0), **settings),
    )
    try:
        yield made
    finally:
        await made.close()


def get(target: bytes = b"/") -> Call:
    return Call("GET", target, [])


def post(body: bytes = b"{}") -> Call:
    return Call("POST", b"/", [], body)


async def fails(sending: Awaitable[Answer], outcome: Outcome, fault: Fault) -> UpstreamFailed:
    """Await a call that must fail in this way; its text must name the upstream."""
    with pytest.raises(UpstreamFailed) as caught:
        await sending
    assert (caught.value.outcome, caught.value.fault) == (outcome, fault), caught.value.detail
    assert "://" in caught.value.detail
    return caught.value


def on(*kinds: str) -> Callable[[Story], Callable[..., None]]:
    """Run a coroutine test with each of these engines, in a loop of its own that must come out clean.

    The native engine runs in both kinds of loop: what they do with TLS and with a lost connection differs.
    """

    def decorate(story: Story) -> Callable[..., None]:
        @pytest.mark.parametrize(("kind", "new_loop"), [case for case in CASES if case[0] in kinds])
        def test(kind: str, new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
            complaints: list[str] = []

            async def run() -> None:
                loop = asyncio.get_running_loop()
                loop.set_exception_handler(lambda _loop, context: complaints.append(str(context)))
                async with asyncio.timeout(120):
                    await story(kind)

            with asyncio.Runner(loop_factory=new_loop) as runner:
                runner.run(run())
            assert complaints == []

        test.__name__ = story.__name__
        test.__doc__ = story.__doc__
        return test

    return decorate


both = on("native", "httpx")
native = on("native")
