"""The whole report from what is known. The same data and the same time give the same report."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from proxy.cutover.events import Kind
from proxy.cutover.readiness import Standing
from proxy.report.callers import callers
from proxy.report.document import FORMAT, CallerReport, EndpointReport, Report
from proxy.report.endpoints import endpoint, worst
from proxy.report.ground import Ground
from proxy.report.needed import iso
from proxy.store.summary import Summary

_NOBODY = "nobody has called anything yet; no data says nothing"


def report(
    known: Summary, ground: Ground, at: int, *, endpoints: Sequence[str] = (), caller: str | None = None
) -> Report:
    """The report at a Unix time: all of it, or these endpoints (ids), or what one caller (its id) calls."""
    if caller is not None:
        known = replace(
            known,
            compared=tuple(one for one in known.compared if one.caller == caller),
            activity=tuple(one for one in known.activity if one.caller == caller),
        )
    made = {name: endpoint(name, known, ground, at) for name in endpoints or ground.source.writes}
    people = callers(known, ground, made, at)
    judged = [one for one in made.values() if one.calls or any(kind.classes for kind in one.kinds)]
    verdict, reasons = _verdict(judged, people if caller is not None else ())
    return Report(
        format=FORMAT,
        at=iso(at),
        config=ground.config,
        verdict=verdict.value,
        reasons=reasons,
        budget=ground.guard.budgets[Kind.COMPARED],
        endpoints=tuple(made.values()),
        callers=people,
    )


def _verdict(
    judged: Sequence[EndpointReport], people: Sequence[CallerReport]
) -> tuple[Standing, tuple[str, ...]]:
    """The worst of what is called; what nobody calls is left out."""
    if not judged:
        return Standing.INCONCLUSIVE, (_NOBODY,)
    found = [*((one.endpoint, one.verdict) for one in judged), *((one.caller, one.verdict) for one in people)]
    verdict = worst([Standing(one) for _, one in found])
    named = [name for name, one in found if one == verdict.value]
    return verdict, () if verdict is Standing.READY else (f"{verdict.value}: {', '.join(named)}",)
