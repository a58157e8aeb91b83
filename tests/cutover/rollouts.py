"""Simulated rollouts, judged by the very guard that traffic has: `make guard`.

For each true rate of divergence: how many comparisons a rollback takes, fresh and after a clean past; how often a route that
is just within its budget is taken back; how many clean comparisons `ready` takes, and how often it is said wrongly.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

from msgspec.structs import replace

from proxy.config.model import Guard as Settings
from proxy.cutover.detector import Run, missing, reached
from proxy.cutover.events import Kind
from proxy.cutover.guard import Guard, Watched
from proxy.cutover.readiness import Standing, standing

BUDGET = 0.001
LENGTH = 10_000
"""Comparisons of a whole rollout."""
_LIMIT = 50_000
ROUTE = "route"


@dataclass(frozen=True)
class Goal:
    """Comparisons to a rollback that are promised: median and 95th percentile."""

    rate: float
    clean: int
    median: int
    late: int


GOALS = (
    Goal(1.0, 0, 5, 5),
    Goal(1.0, 10_000, 8, 8),
    Goal(0.1, 0, 20, 65),
    Goal(0.1, 10_000, 100, 200),
    Goal(0.01, 0, 480, 1_500),
)


def guard(past: Watched | None = None) -> Guard:
    """A fresh guard with the shipped settings, or one with a past of its own."""
    if past is None:
        return Guard(Settings(), 1)
    return Guard(Settings(), 1, {ROUTE: replace(past, runs=dict(past.runs), bad={})})


def clean(length: int) -> Watched | None:
    """What a guard knows after so many clean comparisons."""
    made = guard()
    for number in range(length):
        made.hear(ROUTE, {Kind.COMPARED: False}, f"clean {number}", float(number))
    return made.watched.get(ROUTE)


def to_rollback(made: Guard, rate: float, chance: random.Random) -> int:
    """Comparisons until it fires, where each new record is bad with this chance."""
    for number in range(_LIMIT):
        bad = chance.random() < rate
        if made.hear(ROUTE, {Kind.COMPARED: bad}, str(number), 1e6 + number):
            return number + 1
    return _LIMIT


def distinct(chance: random.Random, rate: float = BUDGET) -> Iterator[tuple[str, bool]]:
    """Traffic in which each record comes once."""
    for number in count():
        yield str(number), chance.random() < rate


def polled(chance: random.Random) -> Iterator[tuple[str, bool]]:
    """Traffic that asks for its bad records again and again: every second call is about one of them."""
    bad: list[str] = []
    for number in count():
        if bad and number % 2:
            yield chance.choice(bad), True
            continue
        diverges = chance.random() < BUDGET
        if diverges:
            bad.append(str(number))
        yield str(number), diverges


Traffic = Callable[[random.Random], Iterator[tuple[str, bool]]]


def within_budget(traffic: Traffic, chance: random.Random) -> tuple[bool, bool]:
    """One rollout at exactly the budget: whether it is taken back, and whether `ready` is said at any moment."""
    made = guard()
    ready = fired = False
    for number, (record, bad) in zip(range(LENGTH), traffic(chance), strict=False):
        fired = made.hear(ROUTE, {Kind.COMPARED: bad}, record, float(number)) is not None or fired
        if reached(made.promotion, made.watched[ROUTE].promotion):
            ready = ready or standing(made, ROUTE, float(number)).verdict is Standing.READY
    return fired, ready


def quantiles(values: list[int]) -> tuple[int, int]:
    """Median and 95th percentile."""
    values = sorted(values)
    return values[len(values) // 2], values[int(len(values) * 0.95)]


def detection(goal: Goal, past: Watched | None, seed: int, rollouts: int) -> tuple[int, int]:
    """Median and 95th percentile of one goal, for one seed."""
    chance = random.Random(seed)
    return quantiles([to_rollback(guard(past), goal.rate, chance) for _ in range(rollouts)])


def shares(traffic: Traffic, seed: int, rollouts: int) -> tuple[float, float]:
    """The share of rollouts at exactly the budget that are taken back, and of those called `ready`."""
    chance = random.Random(seed)
    ends = [within_budget(traffic, chance) for _ in range(rollouts)]
    return sum(fired for fired, _ in ends) / rollouts, sum(ready for _, ready in ends) / rollouts


WITHIN: tuple[tuple[str, Traffic], ...] = (
    ("exactly at the budget, each record once", distinct),
    ("exactly at the budget, bad records polled on and on", polled),
)


def say(line: str) -> None:
    """A line of the output, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Print every figure with its goal; exit 1 where one is missed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rollouts", type=int, default=1000)
    options.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    given = options.parse_args()
    missed = 0
    say(f"budget {BUDGET:.1%}, alpha {Settings().alpha}, {given.rollouts} rollouts for each seed")
    say(f"{'true rate':>10} {'clean past':>10} {'goal':>12}  median / p95 comparisons to rollback, by seed")
    pasts = {0: None, 10_000: clean(10_000), 100_000: clean(100_000)}
    more = (Goal(0.01, 10_000, 0, 0), Goal(0.1, 100_000, 0, 0), Goal(1.0, 100_000, 0, 0))
    for goal in (*GOALS, *more):
        found = [detection(goal, pasts[goal.clean], seed, given.rollouts) for seed in given.seeds]
        late = bool(goal.median) and any(m > goal.median or p > goal.late for m, p in found)
        missed += late
        promised = f"{goal.median} / {goal.late}" if goal.median else "-"
        said = "  ".join(f"{median:>5} / {tail:<5}" for median, tail in found)
        say(f"{goal.rate:>10.1%} {goal.clean:>10} {promised:>12}  {said} {'MISSED' * late}")
    say("within the budget: rolled back falsely (at most 1%), called `ready` (at most 5%)")
    for text, traffic in WITHIN:
        found_shares = [shares(traffic, seed, given.rollouts) for seed in given.seeds]
        high = any(fired > 0.01 or ready > 0.05 for fired, ready in found_shares)
        missed += high
        said = "  ".join(f"{fired:.1%} / {ready:.1%}" for fired, ready in found_shares)
        say(f"{text:<52} {said} {'MISSED' * high}")
    made = guard()
    say(f"clean comparisons to `ready`: {missing(made.promotion, Run())}")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
