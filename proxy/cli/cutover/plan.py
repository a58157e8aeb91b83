"""`cutover plan`: whose calls would move, and how many extra calls per second that costs each caller's quota."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from proxy.cli.cutover.change import Change, Wanted
from proxy.cli.cutover.situation import Situation
from proxy.cutover.routes import Route, Routes
from proxy.errors import StoreError
from proxy.evidence.kinds import FREE, EvidenceKind, kinds
from proxy.store import Store
from proxy.types import Version

DAY, HOUR = 86_400.0, 3_600.0
"""Seconds of traffic that a plan looks back on."""
EXTRA: Mapping[EvidenceKind, int] = {
    "contract": 0,
    "translate_only": 0,
    "shadow_read": 1,
    "reverse_shadow": 1,
    "read_back": 2,
}
"""Calls that one comparison of this kind makes besides the caller's own."""


@dataclass(frozen=True)
class Traffic:
    """Calls of one caller to one endpoint."""

    calls: int = 0
    """Within a day."""
    rate: float = 0.0
    """Per second: over the day or over this hour, whichever is more."""


def plan(now: Situation, wanted: Wanted, change: Change) -> dict[str, Any]:
    """What the change would mean; without a store nobody knows who calls."""
    after = Routes.compile(change.config, now.source.writes)
    warnings = list(change.warnings)
    traffic: dict[tuple[str, str], Traffic] = {}
    try:
        traffic = _traffic(now, time.time())
    except StoreError as problem:
        warnings.append(f"traffic is not known: {problem}")
    return {
        "endpoint": wanted.endpoint,
        "stage": wanted.stage.value,
        "percent": wanted.percent,
        "change": change.shown,
        "warnings": warnings,
        "moves": list(_moves(now, after, traffic)),
    }


def _traffic(now: Situation, moment: float) -> dict[tuple[str, str], Traffic]:
    """By caller and endpoint, busiest first. Raises StoreError."""
    hour = moment % HOUR
    found: dict[tuple[str, str], Traffic] = {}
    with Store(now.loaded.config.store.url.get_secret_value()) as store:
        for since, seconds in ((moment - DAY, DAY), (moment - hour, max(hour, 60.0))):
            calls: dict[tuple[str, str], int] = {}
            for one in store.callers(since=int(since)):
                if one.endpoint in now.source.writes:
                    key = one.caller, one.endpoint
                    calls[key] = calls.get(key, 0) + one.calls
            for key, count in calls.items():
                before = found.get(key, Traffic())
                found[key] = Traffic(max(before.calls, count), max(before.rate, count / seconds))
    return dict(sorted(found.items(), key=lambda item: -item[1].rate))


def _moves(
    now: Situation, after: Routes, traffic: Mapping[tuple[str, str], Traffic]
) -> Iterator[dict[str, Any]]:
    """Each caller and endpoint whose route changes."""
    names = {caller.id: caller.name for caller in now.loaded.config.caller}
    for (caller, endpoint), known in traffic.items():
        old, new = now.routes.route_for(endpoint, caller), after.route_for(endpoint, caller)
        if (old.stage, old.percent) == (new.stage, new.percent):
            continue
        writes = now.source.writes[endpoint]
        yield {
            "caller": caller,
            "name": names.get(caller, ""),
            "endpoint": endpoint,
            "calls": known.calls,
            "from": old.stage.value,
            "to": new.stage.value,
            "v2_1_percent": [old.percent, new.percent],
            "extra_calls_per_second": round(_extra(now, new, known.rate, writes=writes), 6),
            "extra_calls_before": round(_extra(now, old, known.rate, writes=writes), 6),
        }


def _extra(now: Situation, route: Route, rate: float, *, writes: bool) -> float:
    """Extra calls per second of one caller, at so many calls per second; the limit holds for each second."""
    settings = now.loaded.config.shadow
    share = route.percent / 100
    per_call = share * _of(route, Version.V2_1, writes=writes) + (1 - share) * _of(
        route, Version.V2, writes=writes
    )
    return min(rate * settings.sample * per_call, settings.max_calls_per_second)


def _of(route: Route, version: Version, *, writes: bool) -> int:
    found = kinds(route.stage.value, version, writes=writes, status=200)
    return sum(EXTRA[one] for one in found if one not in FREE)


def lines(planned: Mapping[str, Any]) -> list[str]:
    """The plan for a person."""
    told = [planned["change"].rstrip() or "the file says so already", ""]
    for one in planned["moves"]:
        who = one["name"] or one["caller"]
        before, after = one["v2_1_percent"]
        told.append(
            f"{who}  {one['endpoint']}  {one['from']} → {one['to']}  v2.1 answers {before:g} % → {after:g} %  "
            f"{one['calls']} calls a day  "
            f"extra calls per second {one['extra_calls_before']:g} → {one['extra_calls_per_second']:g}"
        )
    if not planned["moves"]:
        told.append("nobody has called this within a day; without traffic there is nothing to count")
    return told + [f"note: {one}" for one in planned["warnings"]]
