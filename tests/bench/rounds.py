"""Rounds of load on all contestants, one after the other, in an order that turns: a noisy machine hits all alike."""

from __future__ import annotations

import sys
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
    nginx_proxy,
    running,
    upstream,
    uvicorn,
)
from tests.bench.load import Measured, closed_loop, script

CONNECTIONS = (1, 64, 256)
TRANSLATED, PASSED, NGINX, NAIVE, HELLO, ENGINE, DIRECT = (
    "crossfade, translated",
    "crossfade, passed through",
    "nginx as proxy",
    "naive: Starlette and httpx",
    "Starlette hello world, no upstream",
    "bare ASGI over crossfade's engine, nothing checked",
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
            (ENGINE, uvicorn("bare:app")),
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
            if not load.answered:
                sys.exit(f"{one.name}: nothing was answered in {seconds} s; take longer rounds")
            cpu = (one.cpu() - before) / load.answered * 1e6
            spells[one.name, connections] = Spell(load, cpu, one.memory())
    return spells


def over(rounds: list[Round], figure: Callable[[Round], float]) -> float:
    """The median over the rounds."""
    return median(figure(one) for one in rounds)
