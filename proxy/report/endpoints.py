"""One endpoint of the report: its evidence, what stands in the way, and the command to type now."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from proxy.cutover.readiness import Readiness, Standing, obstacles, standing
from proxy.cutover.routes import Route
from proxy.cutover.stage import Stage, following
from proxy.report.coverage import coverage
from proxy.report.document import Blocker, EndpointReport, Kind, Loss, Side
from proxy.report.ground import Ground
from proxy.report.needed import FAR, enough, kinds, needs
from proxy.store.covering import Touch
from proxy.store.rows import Activity
from proxy.store.summary import Summary

_WORST = {Standing.NOT_READY: 0, Standing.INCONCLUSIVE: 1, Standing.READY: 2}


def worst(found: Sequence[Standing]) -> Standing:
    """The verdict on several things together; without any, inconclusive."""
    return min(found, key=_WORST.__getitem__, default=Standing.INCONCLUSIVE)


def endpoint(name: str, known: Summary, ground: Ground, at: int) -> EndpointReport:
    """All that is known of one endpoint, at a Unix time."""
    rows = [one for one in known.compared if one.endpoint == name]
    calls = [one for one in known.activity if one.endpoint == name and not one.call]
    callers = sorted({one.caller for one in calls} | {one.caller for one in rows})
    routes = _routes(name, callers, ground)
    writes = ground.written(name)
    lowest = min(routes, key=lambda one: one.stage.step)
    found = kinds(rows, needs(lowest.stage, writes=writes), ground.guard.promotion, at)
    verdict, reasons = _judged(name, known, ground, routes, found, at)
    sides = _sides(calls)
    v2, v2_1 = sides.get("v2"), sides.get("v2.1")
    return EndpointReport(
        endpoint=name,
        writes=writes,
        stages=tuple(dict.fromkeys(_shown(one) for one in routes)),
        verdict=verdict.value,
        reasons=reasons,
        calls=sum(one.calls for one in calls),
        callers=len(callers),
        callers_compared=len({one.caller for one in rows}),
        kinds=found,
        coverage=coverage(ground.operation(name), _touched(name, known)),
        open_groups=known.open_by_endpoint.get(name, 0),
        blockers=_blockers(name, known),
        losses=_losses(name, known, ground.losses),
        would_conflict=ground.conflicts.get(name, 0),
        versions=tuple(sides.values()),
        latency_delta_ms=round(v2_1.mean_ms - v2.mean_ms, 3) if v2 and v2_1 else None,
        error_delta=round(v2_1.failed_share - v2.failed_share, 6) if v2 and v2_1 else None,
        next=_next(name, lowest, verdict, known, ground),
    )


def said(name: str, route: Route, ground: Ground, at: int) -> Readiness:
    """What the guard says of one endpoint under one route."""
    blocked = obstacles(
        {name: ground.conflicts.get(name, 0)},
        ground.splits.get(route.key, (0, 0.0)),
        route.percent,
        decided=ground.decided,
    )
    return standing(ground.guard, route.key, at, blocked)


def lacking(found: Sequence[Kind], stage: Stage) -> list[str]:
    """The evidence that is still missing, each kind a sentence."""
    if stage is Stage.V2:
        return ["at stage v2 nothing is compared; set shadow first"]
    return [
        f"{one.evidence}: {one.unexpected} of {one.records} distinct records diverged, more than the budget allows"
        if one.needed > FAR
        else f"{one.evidence}: {one.needed} more distinct records without a divergence are needed"
        f" ({one.records} so far, {one.unexpected} diverged)"
        for one in found
        if not enough(one)
    ]


def _routes(name: str, callers: Sequence[str], ground: Ground) -> list[Route]:
    """The entries that its callers come under; those of an unknown caller where nobody has called."""
    found = [ground.routes.route_for(name, one) for one in callers or ("",)]
    return list(dict.fromkeys(sorted(found, key=lambda one: -1 if one.index is None else one.index)))


def _judged(  # noqa: PLR0913, PLR0917 - the parts of one verdict
    name: str, known: Summary, ground: Ground, routes: Sequence[Route], found: Sequence[Kind], at: int
) -> tuple[Standing, tuple[str, ...]]:
    moving = [one for one in routes if one.stage is not Stage.V2_1]
    heard = [said(name, one, ground, at) for one in moving]
    no = [text for one in heard if one.verdict is Standing.NOT_READY for text in one.reasons]
    refused = ground.refusal(name)
    if refused and any(one.stage is Stage.LIVE for one in moving):
        no.append(f"v2.1 has no counterpart: {refused}")
    number = known.open_by_endpoint.get(name, 0)
    if number:
        no.append(f"{number} open divergence group{'s' if number > 1 else ''}; say what becomes of each")
    if no:
        return Standing.NOT_READY, tuple(dict.fromkeys(no))
    open_ = [text for stage in dict.fromkeys(one.stage for one in moving) for text in lacking(found, stage)]
    open_ += [
        f"route[{route.index}]: {text}"
        for route, one in zip(moving, heard, strict=True)
        if one.verdict is Standing.INCONCLUSIVE and route.stage is not Stage.V2
        for text in one.reasons
    ]
    return (Standing.INCONCLUSIVE, tuple(dict.fromkeys(open_))) if open_ else (Standing.READY, ())


def _touched(name: str, known: Summary) -> frozenset[Touch]:
    return frozenset().union(*(found for (one, _), found in known.covered.items() if one == name))


def _blockers(name: str, known: Summary) -> tuple[Blocker, ...]:
    return tuple(
        Blocker(one.key.id, one.key.pointer, one.key.kind, one.state, one.count, one.records, one.callers)
        for one in known.groups
        if one.key.endpoint == name
    )


def _losses(name: str, known: Summary, losses: Mapping[str, str]) -> tuple[Loss, ...]:
    return tuple(
        Loss(rule, losses[rule], count)
        for (one, rule), count in sorted(known.fired.items())
        if one == name and rule in losses
    )


def _sides(calls: Sequence[Activity]) -> dict[str, Side]:
    found = {}
    for version in ("v2", "v2.1"):
        these = [one for one in calls if one.version == version]
        number = sum(one.calls for one in these)
        if number:
            failures = sum(one.failures for one in these)
            mean = 1000 * sum(one.seconds for one in these) / number
            found[version] = Side(version, number, failures, round(failures / number, 6), round(mean, 3))
    return found


def _shown(route: Route) -> str:
    return f"{route.stage} {route.percent:g} %" if route.stage is Stage.CANARY else route.stage.value


def _next(name: str, route: Route, verdict: Standing, known: Summary, ground: Ground) -> str:
    step = following(route.stage, route.percent)
    if (verdict is Standing.READY or route.stage is Stage.V2) and step:
        callers = [word for one in ground.named.get(route.key, ()) for word in ("--caller", one)]
        return shlex.join(["crossfade", "cutover", "set", name, *step.split(), *callers])
    if verdict is Standing.NOT_READY:
        shown = known.open_by_endpoint.get(name, 0)
        return f"crossfade divergences list --endpoint {name}" if shown else f"crossfade cutover why {name}"
    return ""
