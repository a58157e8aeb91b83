"""The attempts at each upstream as metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from proxy.upstream.attempts import Attempts

UPSTREAMS = ("v2", "v2.1", "shadow")


def counted(registry: CollectorRegistry) -> Mapping[str, Attempts]:
    """The counts of each upstream, for the life of the process; a scrape of the registry shows them."""
    attempts = {name: Attempts() for name in UPSTREAMS}
    registry.register(_Shown(attempts))
    return attempts


class _Shown(Collector):
    def __init__(self, attempts: Mapping[str, Attempts]) -> None:
        self._attempts = attempts

    def collect(self) -> Iterator[CounterMetricFamily]:
        """What a scrape gets."""
        ended = CounterMetricFamily(
            "crossfade_upstream_attempts", "Attempts by how they ended.", labels=("upstream", "outcome")
        )
        retried = CounterMetricFamily(
            "crossfade_upstream_retries", "Attempts made again, by reason.", labels=("upstream", "reason")
        )
        denied = CounterMetricFamily(
            "crossfade_upstream_retries_denied", "Retries that the budget forbade.", labels=("upstream",)
        )
        for name, one in self._attempts.items():
            for outcome, count in one.ended.items():
                ended.add_metric((name, outcome.value), count)
            for reason, count in one.retried.items():
                retried.add_metric((name, reason), count)
            denied.add_metric((name,), one.denied)
        yield from (ended, retried, denied)
