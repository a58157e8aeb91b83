"""What never became a request, counted: bytes that are no HTTP, heads that are too long or too slow, callers too many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from proxy.errors import Fault


class Refusals(Collector):
    """Refused connections of this process by code, for a scrape to show."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def count(self, fault: Fault) -> None:
        """One more."""
        self._counts[fault.code] += 1

    def collect(self) -> Iterator[CounterMetricFamily]:
        """What a scrape gets."""
        family = CounterMetricFamily(
            "crossfade_connections_refused",
            "Connections ended for what never became a request.",
            labels=["code"],
        )
        for code, count in self._counts.copy().items():
            family.add_metric([code], count)
        yield family
