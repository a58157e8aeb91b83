"""Splitter health: whether the keys that were seen fall to v2.1 in the share that is configured.

A share that is off means that keys are not what they seem (one of them in front of many records, a salt that differs between
replicas), and evidence about "a tenth of the traffic" is about something else.
"""

from __future__ import annotations

from math import sqrt

from proxy.types import Version

LEAST = 100
"""Distinct keys below which nothing is said."""
_MOST = 50_000
"""Distinct keys that are looked at for each route; then it is known well enough."""
_SIGMAS = 5.0
"""Standard deviations that count as off; it is looked at all the time, hence not three."""


class Splitter:
    """Counts distinct sticky keys by where they went. The process has one."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[set[int], list[int]]] = {}

    def saw(self, route: str, key: bytes, version: Version) -> None:
        """A call with this sticky key was split."""
        keys, counts = self._seen.setdefault(route, (set(), [0, 0]))
        name = hash(key)
        if name not in keys and len(keys) < _MOST:
            keys.add(name)
            counts[version is Version.V2_1] += 1

    def share(self, route: str) -> tuple[int, float]:
        """How many distinct keys were seen, and which percentage of them v2.1 answered."""
        _, (v2, v2_1) = self._seen.get(route, (None, [0, 0]))
        return v2 + v2_1, 100 * v2_1 / (v2 + v2_1) if v2 + v2_1 else 0.0

    def keep(self, routes: frozenset[str]) -> None:
        """Forget every route but these."""
        self._seen = {key: one for key, one in self._seen.items() if key in routes}


def off(keys: int, observed: float, configured: float) -> bool:
    """Whether an observed percentage of so many keys cannot come from the configured one."""
    part = configured / 100
    if keys < LEAST or not 0 < part < 1:
        return False
    return abs(observed / 100 - part) > _SIGMAS * sqrt(part * (1 - part) / keys)
