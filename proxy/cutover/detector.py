"""A test that may be looked at after every comparison: an e-detector, a few floats, no memory of what went by.

The guard looks at its evidence all the time. A test that is right once is wrong when it is asked a thousand times: a 95 %
bound that is looked at after each of 10,000 comparisons rolls back every second healthy route. So the guard bets. For a
rate p₁ above the tolerated rate p₀ a bet pays LR(bad) = p₁/p₀ on a bad event and LR(good) = (1−p₁)/(1−p₀) on a good one.
Where the true rate is at most p₀, no such bet gains on average, so the chance that its money ever reaches 1/α is at most α,
however often one looks (Ville's inequality).

One bet from the first event on goes blind: a long clean past loses nearly all the money. So a new bet is opened at every
event, the n-th with the stake wₙ (½, then ½/(n(n−1)); all stakes together are 1), and their sum needs no list:

    R ← (R + wₙ) · LR(x)

The mean of R over a few rates p₁ is the evidence. The same recursion with rates below p₀ gives the evidence *for* a route.
docs/statistics.md explains this with a picture and figures.
"""

from __future__ import annotations

from itertools import repeat
from math import exp, log

import msgspec

_PLACES = (0.2, 0.35, 0.68, 1.0)
"""Where the rates above the budget lie between it and almost 1, on a logarithmic scale: small, middle, large, total."""
_BELOW = (0.0, 0.1, 0.5)
"""The rates of the promotion's test, in budgets."""
_LEAST = 2
"""Bad records that a rollback needs at least: one odd record takes nobody back."""
_PROMOTION = 0.05
"""The chance that `ready` is said of a route whose rate is not below the budget."""
_MOST = 1e100
"""Where evidence stops growing, so that a route which nobody takes back overflows nothing."""

_FAR = 10_000_000
"""Events beyond which nobody waits: a route that needs more is broken."""


class Test(msgspec.Struct, frozen=True):
    """What is asked: whether the rate is above (or, for a promotion, below) the tolerated one."""

    __test__ = False  # pytest collects by name

    good: tuple[float, ...]
    """LR of a good event, for each rate of the grid."""
    bad: tuple[float, ...]
    """LR of a bad one."""
    bar: float
    """1/α."""
    least: int
    """Bad events that it needs at least."""


class Run(msgspec.Struct, frozen=True):
    """How far the test of one route has come."""

    events: int = 0
    bad: int = 0
    sums: tuple[float, ...] = ()
    """R for each rate of the grid."""


def rollback(budget: float, alpha: float) -> Test:
    """The test for a rate above `budget`, with a chance of at most `alpha` to be wrong over an unbounded life."""
    top = 1 - (1 - budget) / 10
    return _test(budget, [budget ** (1 - place) * top**place for place in _PLACES], alpha, _LEAST)


def promotion(budget: float) -> Test:
    """The test for a rate below `budget`, at 95 %: about 3,500 events and none of them bad, at a budget of 0.1 %."""
    return _test(budget, [budget * share for share in _BELOW], _PROMOTION, 0)


def after(test: Test, run: Run, *, bad: bool) -> Run:
    """The run after one more event."""
    count = run.events + 1
    stake = 0.5 if count == 1 else 0.5 / (count * (count - 1))
    ratios = test.bad if bad else test.good
    sums = run.sums or repeat(0.0)
    grown = tuple(min((r + stake) * ratio, _MOST) for r, ratio in zip(sums, ratios, strict=False))
    return Run(count, run.bad + bad, grown)


def evidence(run: Run) -> float:
    """How strongly the events speak: 1 says nothing, the test's bar is enough."""
    return sum(run.sums) / len(run.sums) if run.sums else 0.0


def reached(test: Test, run: Run) -> bool:
    """Whether the question is answered with yes."""
    return run.bad >= test.least and evidence(run) >= test.bar


def missing(test: Test, run: Run) -> int:
    """Good events in a row that a promotion still needs, some ten millions at most; 0 where it has them."""
    few, many = 0, 1
    while _ahead(test, run, many) < test.bar and many < _FAR:
        few, many = many, many * 2
    while many - few > 1:
        half = (few + many) // 2
        few, many = (half, many) if _ahead(test, run, half) < test.bar else (few, half)
    return 0 if reached(test, run) else many


def tallied(test: Test, events: int, bad: int) -> Run:
    """One bet on so many events, all of the money in it from the first on: what order they came in does not matter.

    It is as valid at every moment, and so a test for evidence of which only the sums are kept.
    """
    good = events - bad
    return Run(
        events, bad, tuple(_product(*pair, good, bad) for pair in zip(test.good, test.bad, strict=True))
    )


def _product(good_ratio: float, bad_ratio: float, good: int, bad: int) -> float:
    if bad and not bad_ratio:
        return 0.0
    money = good * log(good_ratio) + (bad * log(bad_ratio) if bad else 0.0)
    return exp(min(money, log(_MOST)))


def _ahead(test: Test, run: Run, count: int) -> float:
    """The evidence after so many good events, stakes of later bets left out but for the first of all."""
    sums = run.sums or (1.0,) * len(test.good)  # all stakes together are 1, most of it right at the start
    grown = (log(r) + count * log(ratio) for r, ratio in zip(sums, test.good, strict=True) if r)
    return sum(exp(min(one, log(_MOST))) for one in grown) / len(sums)


def _test(budget: float, rates: list[float], alpha: float, least: int) -> Test:
    return Test(
        good=tuple((1 - rate) / (1 - budget) for rate in rates),
        bad=tuple(rate / budget for rate in rates),
        bar=1 / alpha,
        least=least,
    )
