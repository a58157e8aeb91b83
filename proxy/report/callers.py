"""One caller of the report: what was compared of its own calls, and what stands in its way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import TypeAlias

from proxy.cutover.readiness import Readiness, Standing
from proxy.cutover.routes import Route
from proxy.cutover.stage import Stage
from proxy.report.document import CallerReport, EndpointReport
from proxy.report.endpoints import said, worst
from proxy.report.ground import Ground
from proxy.report.needed import enough
from proxy.store.rows import Activity
from proxy.store.summary import Compared, Summary

_Hear: TypeAlias = Callable[[str, Route], Readiness]
_JUDGED = frozenset({"equal", "expected", "unexpected"})


def callers(
    known: Summary, ground: Ground, endpoints: Mapping[str, EndpointReport], at: int
) -> tuple[CallerReport, ...]:
    """Every caller that has called or was compared, by its id."""
    calls: dict[str, list[Activity]] = {}
    rows: dict[str, list[Compared]] = {}
    for call in known.activity:
        calls.setdefault(call.caller, []).append(call)
    for row in known.compared:
        rows.setdefault(row.caller, []).append(row)
    hear = cache(partial(said, ground=ground, at=at))  # callers share routes, and each verdict takes its time
    return tuple(
        _caller(name, calls.get(name, []), rows.get(name, []), known, ground, endpoints, hear)
        for name in sorted(calls.keys() | rows.keys())
    )


def _caller(  # noqa: PLR0913, PLR0917 - the parts of one verdict
    name: str,
    calls: Sequence[Activity],
    rows: Sequence[Compared],
    known: Summary,
    ground: Ground,
    endpoints: Mapping[str, EndpointReport],
    hear: _Hear,
) -> CallerReport:
    met = {one.endpoint for one in calls} | {one.endpoint for one in rows}
    used = sorted(met & endpoints.keys())
    unmapped: dict[str, int] = {}
    for one in calls:
        if one.call:
            unmapped[one.call] = unmapped.get(one.call, 0) + one.calls
    still = known.open_by_caller.get(name, 0)
    judged = [one for one in rows if one.cls in _JUDGED]
    verdict, reasons = _judged(name, used, judged, unmapped, still, ground, endpoints, hear)
    return CallerReport(
        caller=name,
        name=ground.names.get(name, ""),
        verdict=verdict.value,
        reasons=reasons,
        calls=sum(one.calls for one in calls),
        endpoints=tuple(used),
        records=_records(judged),
        unexpected=_records([one for one in judged if one.cls == "unexpected"]),
        open_groups=still,
        unmapped=dict(sorted(unmapped.items())),
    )


def _records(rows: Sequence[Compared]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in rows:
        found[one.evidence] = found.get(one.evidence, 0) + one.records
    return dict(sorted(found.items()))


def _judged(  # noqa: PLR0913, PLR0917 - the parts of one verdict
    name: str,
    used: Sequence[str],
    judged: Sequence[Compared],
    unmapped: Mapping[str, int],
    still: int,
    ground: Ground,
    endpoints: Mapping[str, EndpointReport],
    hear: _Hear,
) -> tuple[Standing, tuple[str, ...]]:
    """A caller is as ready as the endpoints that it calls; of each, something of its own must have been compared."""
    found: list[Standing] = []
    reasons: list[str] = []
    if still:
        found.append(Standing.NOT_READY)
        reasons.append(f"met {still} open divergence group{'s' if still > 1 else ''}")
    compared = {(one.endpoint, one.evidence) for one in judged}
    for endpoint in used:
        one, text = _of(name, endpoint, compared, ground, endpoints[endpoint], hear)
        found.append(one)
        reasons += [text] if text else []
    stages = [ground.routes.route_for(one, name).stage for one in used]
    if unmapped and stages and all(one.step >= Stage.LIVE.step for one in stages):
        found.append(Standing.NOT_READY)
        reasons += [f"{call} is not mapped ({count} calls)" for call, count in sorted(unmapped.items())]
    return worst(found), tuple(reasons)


def _of(  # noqa: PLR0913, PLR0917 - see above
    name: str,
    endpoint: str,
    compared: set[tuple[str, str]],
    ground: Ground,
    known: EndpointReport,
    hear: _Hear,
) -> tuple[Standing, str]:
    route = ground.routes.route_for(endpoint, name)
    if route.stage is Stage.V2_1:
        return Standing.READY, ""
    heard = hear(endpoint, route)
    if heard.verdict is Standing.NOT_READY:
        return heard.verdict, f"{endpoint}: {'; '.join(heard.reasons)}"
    if route.stage is Stage.V2:
        return Standing.INCONCLUSIVE, f"{endpoint}: stands at v2, where nothing is compared"
    needed = [one for one in known.kinds if one.required]
    absent = [one.evidence for one in needed if (endpoint, one.evidence) not in compared]
    if absent:
        return Standing.INCONCLUSIVE, f"{endpoint}: none of its calls was compared ({', '.join(absent)})"
    if heard.verdict is Standing.INCONCLUSIVE or not all(enough(one) for one in needed):
        return Standing.INCONCLUSIVE, f"{endpoint}: more evidence is needed"
    return Standing.READY, ""
