"""What a caller feels of shadowing: `python -m tests.bench.bench_shadow [seconds]`.

Reads at a fixed rate below half load, every one of them compared, while v2.1 is healthy and while it is not; in turn
with them, the same reads with shadowing off, and without any proxy. The bar: the 99th percentile moves by at most 1 ms or
2 %. Other work on the machine only ever adds to a percentile, and often more than that, which the reads without a proxy
show: of each the least of the rounds is compared, and how far the rounds lie apart is printed beside it. A round is longer
than everything that a proxy does now and then. It fails on a wrong answer only.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from tests.bench.contestants import (
    ALL_COMPARED,
    LOAD_CORE,
    PROXY_CORE,
    as_answer,
    crossfade,
    need,
    running,
    upstream,
)
from tests.bench.load import fixed_rate
from tests.bench.rounds import ORDINARY

RATE, ROUNDS = 200.0, 16
_REQUEST = (
    b"GET /v2/orders/15b3b5d0-12a1-4cf0-abe8-2f35fcc20e0c HTTP/1.1\r\nHost: localhost\r\n"
    b"Authorization: Basic Y2xpZW50OnNlY3JldA==\r\nAccept: application/json\r\n\r\n"
)
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _hung(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    while await reader.read(65536):
        pass


async def _slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(65536):
        await asyncio.sleep(2)
        writer.write(_HEAD + b"Content-Length: %d\r\n\r\n" % len(ORDINARY) + ORDINARY)


async def _resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(65536)
    writer.transport.abort()


async def _flooding(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(65536)
    writer.write(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    for _ in range(4096):  # a quarter of a GiB, if anybody takes it
        writer.write(b"10000\r\n" + b" " * 65536 + b"\r\n")
        await writer.drain()


TROUBLES: dict[str, _Serve] = {"hung": _hung, "slow": _slow, "resetting": _resetting, "flooding": _flooding}


def _serve(trouble: str, pipe: Connection) -> None:
    async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await TROUBLES[trouble](reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(quietly, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def troubled(trouble: str) -> Iterator[int]:
    """The port of an upstream that misbehaves."""
    mine, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_serve, args=(trouble, theirs), daemon=True)
    process.start()
    try:
        yield mine.recv()
    finally:
        process.terminate()
        process.join()


def compared(folder: Path, platform: int, other: int, trouble: str, seconds: float) -> str:
    """One row: no proxy, shadow off and shadow on in turn."""
    spells: dict[str, list[tuple[float, float]]] = {"none": [], "v2": [], "shadow": []}
    with ExitStack() as stack:
        ports = {"none": platform}
        for stage in ("v2", "shadow"):
            words, port = crossfade(
                folder, f"{trouble}-{stage}", stage, other, v2=platform, shadow=ALL_COMPARED
            )
            ports[stage] = stack.enter_context(running(stage, words, port, PROXY_CORE)).port
            fixed_rate(port, _REQUEST, rate=RATE, seconds=1)
        for number in range(ROUNDS):
            for stage in sorted(spells, reverse=bool(number % 2)):
                spell = fixed_rate(ports[stage], _REQUEST, rate=RATE, seconds=seconds)
                if spell.bad:
                    sys.exit(f"v2.1 {trouble}: {spell.bad} callers got a wrong answer")
                spells[stage].append((spell.p50, spell.p99))
    middles = [f"{min(one for one, _ in spells[stage]):,.0f}" for stage in ("v2", "shadow")]
    lates = {stage: sorted(late for _, late in found) for stage, found in spells.items()}
    moved = lates["shadow"][0] - lates["v2"][0]
    held = "held" if moved <= max(1000, 0.02 * lates["v2"][0]) else "missed"
    ranges = [f"{found[0]:,.0f} ({found[ROUNDS // 2]:,.0f})" for found in lates.values()]
    return f"| {' | '.join([trouble, *middles, *ranges])} | {moved:+,.0f} | {held} |"


def main() -> None:
    """Print the table."""
    need("nginx", "taskset")
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    os.sched_setaffinity(
        0, {LOAD_CORE}
    )  # callers and misbehaving upstreams, which inherit it, leave the proxy its core
    print(
        f"Reads, {RATE:.0f} a second, each compared; least of {ROUNDS} rounds of {seconds:.0f} s (and the median), in µs.\n"
    )
    print(
        "| v2.1 is | p50, shadow off | p50, on | p99, no proxy | p99, off | p99, on | p99 moves | ≤ 1 ms or 2 % |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|---|")
    with tempfile.TemporaryDirectory(prefix="crossfade-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        words, platform = upstream(folder, as_answer(ORDINARY))
        stack.enter_context(running("upstream", words, platform, LOAD_CORE))
        ports = {"healthy": platform, "refused": 1}
        ports |= {trouble: stack.enter_context(troubled(trouble)) for trouble in TROUBLES}
        for trouble, other in ports.items():
            print(compared(folder, platform, other, trouble, seconds), flush=True)


if __name__ == "__main__":
    main()
