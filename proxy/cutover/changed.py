"""What another configuration changes for calls: which stage, and in a canary which share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from proxy.cutover.routes import Route, Routes


def changed(before: Routes, after: Routes, endpoints: Iterable[str]) -> Iterator[tuple[str, Route, Route]]:
    """An endpoint with its old and its new route, once for each pair of entries that differ in stage or share."""
    told = set()
    callers = sorted({"", *before.callers, *after.callers})
    for endpoint, caller in product(endpoints, callers):
        old, new = (routes.route_for(endpoint, caller) for routes in (before, after))
        pair = old.key, new.key
        if (old.stage, old.percent) != (new.stage, new.percent) and pair not in told:
            told.add(pair)
            yield endpoint, old, new


def shares(old: Route, new: Route) -> dict[str, object]:
    """The figures of a decision between these routes: the shares, where nothing but they differ."""
    if old.stage is not new.stage or old.percent == new.percent:
        return {}
    return {"old_percent": old.percent, "new_percent": new.percent}
