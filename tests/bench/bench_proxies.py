"""crossfade beside nginx and a naive proxy: `python -m tests.bench.bench_proxies [rounds [seconds]]`.

One core for the proxy, one for upstream and load. All run at the same time and are loaded one after the other, in rounds
whose order turns; a ratio is taken inside its round, and the median over the rounds is printed. Absolute figures move by half
from machine to machine: the ratios are what counts. It fails on a wrong answer only, never on time.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench.bench_translation import ANSWER, ORDER, grown
from tests.bench.contestants import (
    LOAD_CORE,
    PROXY_CORE,
    Contestant,
    as_answer,
    crossfade,
    need,
    nginx_proxy,
    running,
    upstream,
    uvicorn,
)
from tests.bench.load import Measured, closed_loop, script

CONNECTIONS = (1, 64, 256)
TRANSLATED, PASSED, NGINX, NAIVE, HELLO, DIRECT = (
    "crossfade, translated",
    "crossfade, passed through",
    "nginx as proxy",
    "naive: Starlette and httpx",
    "Starlette hello world, no upstream",
    "no proxy",
)

ORDINARY = ANSWER.replace(b'"price"', b'"paymentType":"%s","price"' % (b"z" * (1229 - len(ANSWER) - 17)))
"""An answer of 1.2 KiB that keeps its contract, as nearly all do: what does not costs a look for what is wrong with it."""


@dataclass(frozen=True)
class Spell:
    """One contestant under one spell of load."""

    measured: Measured
    cpu: float
    """Microseconds of its CPU per request."""
    memory: float


Round = dict[tuple[str, int], Spell]


def measured(rounds: int, seconds: int, folder: Path) -> tuple[list[Round], float]:
    """All rounds, and the MiB that crossfade holds at rest."""
    what = script(folder, grown(ORDER, 512))
    words, platform = upstream(folder, as_answer(ORDINARY))
    with ExitStack() as stack:
        direct = stack.enter_context(running("upstream", words, platform, LOAD_CORE))
        address = {"UPSTREAM": f"http://127.0.0.1:{platform}"}
        commands = [
            (TRANSLATED, crossfade(folder, "translated", "v2.1", platform)),
            (PASSED, crossfade(folder, "passed", "v2", platform)),
            (NGINX, nginx_proxy(folder, platform)),
            (NAIVE, uvicorn("naive:app")),
            (HELLO, uvicorn("naive:hello")),
        ]
        all_of_them = [
            stack.enter_context(running(name, words, port, PROXY_CORE, address))
            for name, (words, port) in commands
        ]
        rest = all_of_them[0].memory()
        all_of_them.append(Contestant(DIRECT, direct.port, direct.process))
        for one in all_of_them:
            closed_loop(one.port, what, 16, 1)
        return [_round(all_of_them, number, what, seconds) for number in range(rounds)], rest


def _round(contestants: list[Contestant], number: int, what: Path, seconds: int) -> Round:
    turn = number % len(contestants)
    spells: Round = {}
    for connections in CONNECTIONS:
        for one in contestants[turn:] + contestants[:turn]:
            before = one.cpu()
            load = closed_loop(one.port, what, connections, seconds)
            if load.bad:
                sys.exit(f"{one.name}: {load.bad} of {load.answered} calls were answered wrongly")
            cpu = (one.cpu() - before) / max(load.answered, 1) * 1e6
            spells[one.name, connections] = Spell(load, cpu, one.memory())
    return spells


def over(rounds: list[Round], figure: Callable[[Round], float]) -> float:
    """The median over the rounds."""
    return median(figure(one) for one in rounds)


def table(rounds: list[Round], connections: int) -> list[str]:
    """What was measured at one number of connections, as a Markdown table."""
    lines = [
        f"POST of an order, {connections} connection{'s' if connections > 1 else ''}:",
        "",
        "| proxy, one process | requests/s | × naive | × nginx by rate | × nginx by CPU | CPU µs/request | p50 µs | p99 µs "
        "| MiB |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    names = (DIRECT, NGINX, TRANSLATED, PASSED, HELLO, NAIVE)
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


def bars(rounds: list[Round], rest: float) -> list[str]:
    """The figures to reach, each beside its bar."""

    def ratio(name: str, other: str, connections: int) -> float:
        return over(
            rounds, lambda r: r[name, connections].measured.rate / r[other, connections].measured.rate
        )

    def by_cpu(name: str, other: str) -> float:
        return over(rounds, lambda r: r[other, 64].cpu / r[name, 64].cpu)

    def added(part: str) -> float:
        return over(
            rounds, lambda r: getattr(r[TRANSLATED, 1].measured, part) - getattr(r[DIRECT, 1].measured, part)
        )

    kept = over(rounds, lambda r: r[TRANSLATED, 256].measured.rate / r[TRANSLATED, 64].measured.rate)
    rows = [
        ("translated, 64 connections, × naive", ratio(TRANSLATED, NAIVE, 64), ">=", 20, ".1f"),
        (
            "translated, 64 connections, × nginx by CPU per request",
            by_cpu(TRANSLATED, NGINX),
            ">=",
            0.13,
            ".2f",
        ),
        ("translated, 256 connections, × naive", ratio(TRANSLATED, NAIVE, 256), ">=", 50, ".1f"),
        ("translated, 256 connections, × its own figure at 64", kept, ">=", 0.65, ".2f"),
        ("passed through, × nginx by CPU per request", by_cpu(PASSED, NGINX), ">=", 0.20, ".2f"),
        ("added latency, 1 connection, p50 µs", added("p50"), "<=", 180, ".0f"),
        ("added latency, 1 connection, p99 µs", added("p99"), "<=", 500, ".0f"),
        ("CPU per translated request, µs", over(rounds, lambda r: r[TRANSLATED, 64].cpu), "<=", 140, ".0f"),
        ("translated, × Starlette hello world by CPU", by_cpu(TRANSLATED, HELLO), ">=", 0.45, ".2f"),
        ("memory at rest, MiB", rest, "<=", 90, ".0f"),
    ]
    lines = ["| figure | measured | bar | |", "|---|--:|--:|---|"]
    for what, value, sign, bar, form in rows:
        held = value >= bar if sign == ">=" else value <= bar
        lines.append(
            f"| {what} | {value:{form}} | {'≥' if sign == '>=' else '≤'} {bar} | {'held' if held else 'missed'} |"
        )
    return [*lines, ""]


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
