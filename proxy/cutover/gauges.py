"""The guard, the overrides and the splitter as Prometheus reads them; docs/cutover.md explains each metric."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from proxy.cutover.detector import evidence
from proxy.cutover.guard import Guard
from proxy.cutover.routes import Routes
from proxy.cutover.splitter import Splitter


class Gauges(Collector):
    """`routes` gives the routes in effect, `overrides` how many are held back, `failing` whether a file cannot be used."""

    def __init__(
        self,
        guard: Guard,
        splitter: Splitter,
        routes: Callable[[], Routes],
        overrides: Callable[[], int],
        failing: Callable[[], bool],
    ) -> None:
        self._guard = guard
        self._splitter = splitter
        self._routes = routes
        self._overrides = overrides
        self._failing = failing

    def collect(self) -> Iterator[Metric]:
        """One sample for each route of the file; a route is named by its place there."""
        bars = GaugeMetricFamily(
            "crossfade_guard_bar", "Evidence that is enough for a rollback.", labels=["test"]
        )
        for kind, test in self._guard.tests.items():
            bars.add_metric([kind.value], test.bar)
        says = GaugeMetricFamily(
            "crossfade_guard_evidence", "Evidence against a route.", labels=["route", "test"]
        )
        seen = GaugeMetricFamily(
            "crossfade_guard_records", "Distinct records judged.", labels=["route", "test", "outcome"]
        )
        stage = GaugeMetricFamily(
            "crossfade_route_stage", "Stage in effect, 0 to 4.", labels=["route", "stage"]
        )
        percent = GaugeMetricFamily(
            "crossfade_split_percent", "Share of distinct sticky keys that v2.1 answered.", labels=["route"]
        )
        keys = GaugeMetricFamily("crossfade_split_keys", "Distinct sticky keys seen.", labels=["route"])
        for route in self._routes().entries:
            place = str(route.index)
            stage.add_metric([place, route.stage.value], route.stage.step)
            watched = self._guard.watched.get(route.key)
            for kind, run in (watched.runs if watched else {}).items():
                says.add_metric([place, kind.value], evidence(run))
                seen.add_metric([place, kind.value, "bad"], run.bad)
                seen.add_metric([place, kind.value, "good"], run.events - run.bad)
            count, share = self._splitter.share(route.key)
            if count:
                keys.add_metric([place], count)
                percent.add_metric([place], share)
        held = GaugeMetricFamily(
            "crossfade_overrides", "Routes that an override holds back.", self._overrides()
        )
        failing = GaugeMetricFamily(
            "crossfade_guard_degraded", "Whether a file of the guard's cannot be used.", self._failing()
        )
        yield from (bars, says, seen, stage, percent, keys, held, failing)
