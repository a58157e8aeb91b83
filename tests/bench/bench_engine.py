"""CPU per exchange of both engines on loopback: `python -m tests.bench.bench_engine [exchanges]`.

The upstream is a child process, so that only the engine's work is counted: 500 bytes out, 1.2 KiB back,
keep-alive, one call at a time and 64 at a time, medians of five rounds.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import time
from multiprocessing.connection import Connection
from statistics import median
from typing import Any

import uvloop

from proxy.types import Call
from proxy.upstream import Engine, EngineKind, UpstreamSettings, make_engine

_BODY = b'{"pad":"' + b"x" * 490 + b'"}'
_CALL = Call(
    "POST",
    b"/orders",
    [
        (b"Accept", b"application/json"),
        (b"Authorization", b"Basic dXNlcjpwYXNz"),
        (b"Content-Type", b"application/json"),
        (b"User-Agent", b"bench"),
        (b"Via", b"1.1 bench"),
        (b"X-Request-ID", b"0123456789abcdef"),
    ],
    _BODY,
)
_ANSWER = (
    b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nDate: Sat, 21 Nov 2026 10:00:00 GMT\r\n"
    b"Server: bench\r\nCache-Control: no-store\r\nContent-Length: 1200\r\n\r\n" + b"y" * 1200
)


class _Upstream(asyncio.Protocol):
    """Answers every packet; each of ours is one request."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(_ANSWER)


def _serve(pipe: Connection) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(_Upstream, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(run())


async def _round(engine: Engine, exchanges: int, width: int) -> float:
    """Microseconds of CPU per exchange."""

    async def one() -> None:
        for _ in range(exchanges // width):
            answer = await engine.send(_CALL)
            if answer.status != 201 or len(answer.body) != 1200:
                sys.exit("wrong answer")

    await asyncio.gather(*(engine.send(_CALL) for _ in range(width)))
    before = time.process_time()
    await asyncio.gather(*(one() for _ in range(width)))
    return (time.process_time() - before) / (exchanges // width * width) * 1e6


async def _measure(port: int, exchanges: int) -> None:
    kinds: tuple[tuple[EngineKind, int], ...] = (("native", exchanges), ("httpx", exchanges // 10))
    for width in (1, 64):
        for kind, count in kinds:
            engine = make_engine(kind, UpstreamSettings(f"http://127.0.0.1:{port}"))
            rounds = [await _round(engine, max(count, width), width) for _ in range(5)]
            await engine.close()
            print(f"{kind:7} {width:3} at a time  {median(rounds):8.1f} us CPU per exchange")


def main() -> None:
    """Print the table."""
    mine, theirs = multiprocessing.Pipe()
    upstream = multiprocessing.Process(target=_serve, args=(theirs,), daemon=True)
    upstream.start()
    try:
        uvloop.run(_measure(mine.recv(), int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
    finally:
        upstream.terminate()
        upstream.join()


if __name__ == "__main__":
    main()
