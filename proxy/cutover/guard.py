"""The guard: hears of every comparison, and says when a route's traffic has to go back.

It is pure but for what it remembers: it reads no clock, opens no file and changes no route. Each route has one run of each
test; α is split over routes and tests, so that all of them together are wrong no more often than the operator allows.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from proxy.config.model import Guard as Settings
from proxy.cutover.detector import Run, Test, after, evidence, promotion, reached, rollback
from proxy.cutover.distinct import Distinct
from proxy.cutover.events import Kind

SHARES = {Kind.COMPARED: 1 / 2, Kind.CONTRACT: 1 / 4, Kind.FAILED: 1 / 8, Kind.SLOW: 1 / 8}
"""How α is split over a route's tests; the shares add up to 1."""


class Watched(msgspec.Struct):
    """What is known of one route, by its key: all that has to survive a restart."""

    since: float
    """Seconds since 1970 of the first event."""
    runs: dict[Kind, Run] = {}
    promotion: Run = Run()
    bad: dict[Kind, dict[str, float]] = {}
    """For each test the records that were bad, and until when each counts no more."""
    fired: Kind | None = None
    """The test that has said no."""


class Fired(msgspec.Struct, frozen=True):
    """A test of a route has said no, with the figures that it rests on."""

    route: str
    kind: Kind
    comparisons: int
    bad: int
    evidence: float
    bar: float


class Guard:
    """All routes of one process. `routes` is how many share α."""

    def __init__(self, settings: Settings, routes: int, watched: Mapping[str, Watched] | None = None) -> None:
        self.watched = dict(watched or {})
        self._distinct: dict[tuple[str, Kind], Distinct] = {}
        self.settle(settings, routes)

    def settle(self, settings: Settings, routes: int) -> None:
        """Judge by these settings from now on; what was learnt stays."""
        alpha = settings.alpha / max(1, routes)
        self.budgets = {
            Kind.COMPARED: settings.budget,
            Kind.CONTRACT: settings.budget,
            Kind.FAILED: settings.failure_budget,
            Kind.SLOW: settings.slow_budget,
        }
        self.tests = {kind: rollback(budget, alpha * SHARES[kind]) for kind, budget in self.budgets.items()}
        self.promotion: Test = promotion(settings.budget)

    def hear(self, route: str, found: Mapping[Kind, bool], record: str, now: float) -> Fired | None:
        """Take the events of one comparison; says so, once for each route, when a test has had enough."""
        watched = self.watched.get(route)
        if watched is None:
            watched = self.watched[route] = Watched(now)
        fired = None
        for kind, bad in found.items():
            if self._taken(route, watched, kind, record, now, bad=bad):
                fired = fired or self._judged(route, watched, kind)
        return fired

    def forget(self, route: str) -> None:
        """Begin anew with a route: somebody has decided about it."""
        self.watched.pop(route, None)
        for kind in Kind:
            self._distinct.pop((route, kind), None)

    def keep(self, routes: frozenset[str]) -> None:
        """Forget every route but these."""
        for route in self.watched.keys() - routes:
            self.forget(route)

    def _taken(  # noqa: PLR0913 - the parts of one event
        self, route: str, watched: Watched, kind: Kind, record: str, now: float, *, bad: bool
    ) -> bool:
        distinct = self._distinct.get((route, kind))
        if distinct is None:
            distinct = self._distinct[route, kind] = Distinct(watched.bad.setdefault(kind, {}))
        if not distinct.counts(record, now):
            return False
        distinct.add(record, now, bad=bad)
        watched.runs[kind] = after(self.tests[kind], watched.runs.get(kind, Run()), bad=bad)
        if kind is Kind.COMPARED:
            watched.promotion = after(self.promotion, watched.promotion, bad=bad)
        return True

    def _judged(self, route: str, watched: Watched, kind: Kind) -> Fired | None:
        test, run = self.tests[kind], watched.runs[kind]
        if watched.fired is not None or not reached(test, run):
            return None
        watched.fired = kind
        return Fired(route, kind, run.events, run.bad, evidence(run), test.bar)
