"""crossfade beside nginx and a naive proxy: `python -m tests.bench.bench_proxies [rounds [seconds]]`.

One core for the proxy, one for upstream and load. All run at the same time and are loaded one after the other, in rounds
whose order turns; a ratio is taken inside its round, and the median over the rounds is printed. Absolute figures move by half
from machine to machine: the ratios are what counts. It fails on a wrong answer only, never on time.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench.bars import bars
from tests.bench.contestants import need
from tests.bench.rounds import (
    CONNECTIONS,
    DIRECT,
    ENGINE,
    HELLO,
    NAIVE,
    NGINX,
    PASSED,
    TRANSLATED,
    Round,
    Spell,
    measured,
    over,
)


def table(rounds: list[Round], connections: int) -> list[str]:
    """What was measured at one number of connections, as a Markdown table."""
    lines = [
        f"POST of an order, {connections} connection{'s' if connections > 1 else ''}:",
        "",
        "| proxy, one process | requests/s | × naive | × nginx by rate | × nginx by CPU | CPU µs/request | p50 µs | p99 µs "
        "| MiB |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    names = (DIRECT, NGINX, TRANSLATED, PASSED, ENGINE, HELLO, NAIVE)
    return [*lines, *(f"| {name} | {' | '.join(_cells(rounds, name, connections))} |" for name in names), ""]


def _cells(rounds: list[Round], name: str, connections: int) -> list[str]:
    def of(figure: Callable[[Spell], float]) -> float:
        return over(rounds, lambda one: figure(one[name, connections]))

    def beside(other: str, figure: Callable[[Spell], float]) -> float:
        return over(rounds, lambda one: figure(one[name, connections]) / figure(one[other, connections]))

    own = [""] * 3
    if name != DIRECT:
        by_cpu = 1 / beside(NGINX, lambda spell: spell.cpu)
        own = [f"{by_cpu:.2f}", f"{of(lambda spell: spell.cpu):.0f}", f"{of(lambda spell: spell.memory):.0f}"]
    return [
        f"{of(lambda spell: spell.measured.rate):,.0f}",
        f"{beside(NAIVE, lambda spell: spell.measured.rate):.1f}",
        f"{beside(NGINX, lambda spell: spell.measured.rate):.2f}",
        *own[:2],
        f"{of(lambda spell: spell.measured.p50):,.0f}",
        f"{of(lambda spell: spell.measured.p99):,.0f}",
        own[2],
    ]


def main() -> None:
    """Print the tables."""
    need("nginx", "wrk", "taskset")
    rounds, seconds = (
        (*(int(word) for word in sys.argv[1:]), 5, 3)[:2] if len(sys.argv) != 2 else (int(sys.argv[1]), 3)
    )
    with tempfile.TemporaryDirectory(prefix="crossfade-bench-") as folder:
        found, rest = measured(rounds, seconds, Path(folder))
    lines = [f"Medians of {rounds} rounds of {seconds} s.", "", *bars(found, rest)]
    for connections in CONNECTIONS:
        lines += table(found, connections)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
