"""What the journal costs a write: `python -m tests.bench.bench_journal [writes] [folder]`.

An entry before the write leaves and a line when its caller has the answer, medians of five rounds; with `fsync`, one at a
time and 64 at a time. The folder decides which disk it is. What telling a caller's leaving costs a read stands beside it.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

import uvloop
from msgspec.structs import replace

from proxy.errors import Refused
from proxy.in_doubt import end_with_caller
from proxy.log import open_log
from proxy.types import Answer
from proxy.upstream.entries import Entry
from proxy.upstream.journal import Journal

_ROUNDS = 5
_SOME = Entry("open", "", 1, 0, "orders.create", "POST", "v2.1", "0dd7de785a26", "d7620e52ae38")


class _Line:
    """A caller's connection, as far as a read cares."""

    gone = False
    broken: Refused | None = None
    leaving: Callable[[], object] | None = None

    def at_hand(self, most: int) -> bytes | None:
        return None

    async def answer(self, answer: Answer, *, head: bool) -> None:
        return

    def when_handed(self, told: Callable[[bool], None]) -> None:
        told(True)


async def _write(journal: Journal, number: int) -> None:
    name = f"{number:024x}"
    entry = replace(_SOME, request=name, at=1_795_381_741_456)
    await journal.enter(entry)
    journal.note(entry.closing("handed", 1_795_381_741_764))


async def _one_by_one(journal: Journal, count: int) -> None:
    for number in range(count):
        await _write(journal, number)


async def _together(journal: Journal, count: int) -> None:
    for start in range(0, count, 64):
        await asyncio.gather(*(_write(journal, start + one) for one in range(64)))


async def _reads(_journal: Journal, count: int) -> None:
    line = _Line()
    for _ in range(count):
        end_with_caller(line, "GET")
        line.leaving = None


def _round(way: Callable[[Journal, int], Awaitable[None]], count: int, folder: Path, *, fsync: bool) -> float:
    async def timed() -> float:
        journal = Journal(folder / "journal", open_log("/dev/null"), fsync=fsync)
        journal.start()
        begun = time.perf_counter()
        await way(journal, count)
        took = time.perf_counter() - begun
        journal.close()
        return took / count * 1e6

    return uvloop.run(timed())


def main() -> None:
    """Print microseconds per write."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    rows = (
        ("write, no fsync", _one_by_one, count, False),
        ("write, fsync, one at a time", _one_by_one, max(64, count // 100), True),
        ("write, fsync, 64 at a time", _together, max(64, count // 10), True),
        ("read, to end with its caller", _reads, count, False),
    )
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as name:
        for title, way, times, fsync in rows:
            took = median(_round(way, times, Path(name), fsync=fsync) for _ in range(_ROUNDS))
            print(f"{title:<30} {took:9.2f} µs")


if __name__ == "__main__":
    main()
