"""The account of all comparisons, as Prometheus reads it: every one that was received ends in one class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from threading import Lock
from typing import TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from proxy.evidence.breaker import Breaker
from proxy.evidence.classify import Verdict
from proxy.types import Version


class Counts(Collector):
    """Counters that change together: a scrape never sees one half of a change, so the classes always add up."""

    def __init__(self, breakers: Mapping[Version, Breaker]) -> None:
        self._lock = Lock()
        self._breakers = breakers
        self._received = 0
        self._in_flight = 0
        self._ended: Counter[tuple[str, str, str]] = Counter()
        self._reasons: Counter[tuple[str, str]] = Counter()
        self._losses: Counter[str] = Counter()
        self._hidden: Counter[tuple[str, str]] = Counter()
        self._ignored: dict[str, int] = {}
        self._met: Counter[str] = Counter()

    def receive(self) -> None:
        """One more was handed over."""
        with self._lock:
            self._received += 1
            self._in_flight += 1

    def end(self, endpoint: str, evidence: str, verdict: Verdict) -> None:
        """One has ended."""
        with self._lock:
            self._in_flight -= 1
            self._ended[endpoint, evidence, verdict.cls] += 1
            if verdict.reason is not None:
                self._reasons[verdict.cls, verdict.reason] += 1
            for rule in verdict.hidden:
                self._hidden[endpoint, rule] += 1

    def lose(self, rules: Iterable[str]) -> None:
        """Declared losses that answers have suffered, quiet ones too."""
        with self._lock:
            self._losses.update(rules)

    def ignore(self, rule: str, count: int) -> None:
        """Differences that an ignore rule has explained."""
        with self._lock:
            self._ignored[rule] = self._ignored.get(rule, 0) + count

    @property
    def met(self) -> dict[str, int]:
        """Creates that met a record in v2, by endpoint."""
        with self._lock:
            return dict(self._met)

    def meet(self, endpoint: str) -> None:
        """A create that v2 answered has met a record."""
        with self._lock:
            self._met[endpoint] += 1

    def collect(self) -> Iterator[Metric]:
        """The metrics; docs/evidence.md explains them."""
        with self._lock:
            received, in_flight = self._received, self._in_flight
            ended, reasons, losses = dict(self._ended), dict(self._reasons), dict(self._losses)
            concealed, met = dict(self._hidden), dict(self._met)
            ignored = {(rule,): count for rule, count in self._ignored.items()}
        yield CounterMetricFamily(
            "crossfade_comparisons_received", "Comparisons begun or passed over.", received
        )
        yield GaugeMetricFamily(
            "crossfade_comparisons_in_flight", "Comparisons waiting or at work.", in_flight
        )
        yield _family(
            "crossfade_comparisons", "Comparisons by how they ended.", "endpoint evidence class", ended
        )
        yield _family(
            "crossfade_comparison_reasons", "Why comparisons failed or were skipped.", "class reason", reasons
        )
        by_rule = {(rule,): count for rule, count in losses.items()}
        yield _family("crossfade_losses", "Declared losses in answers of v2.1, by rule.", "rule", by_rule)
        yield _family(
            "crossfade_hidden", "Answers of v2.1 of which a rule kept something.", "endpoint rule", concealed
        )
        by_endpoint = {(endpoint,): count for endpoint, count in met.items()}
        yield _family("crossfade_would_conflict", "Creates that met a record in v2.", "endpoint", by_endpoint)
        gauge = GaugeMetricFamily(
            "crossfade_comparison_breaker_open", "1 while a version is left alone.", labels=["version"]
        )
        for version, breaker in self._breakers.items():
            gauge.add_metric([version.value], float(breaker.open))
        yield gauge
        yield _family("crossfade_ignored", "Differences that ignore rules explained.", "ignore", ignored)


Labels = TypeVar("Labels", bound=tuple[str, ...])


def _family(
    name: str,
    text: str,
    labels: str,
    counts: Mapping[Labels, int],
) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels.split())
    for values, count in counts.items():
        family.add_metric(values, count)
    return family
