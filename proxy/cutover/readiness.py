"""Whether a route may go on: ready, not ready, or not known yet, with what is missing and when it will be there.

No data is inconclusive, never success. Nothing is promoted here: `ready` is a proposal, with the command to type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from proxy.cutover.detector import Run, missing, reached
from proxy.cutover.events import Kind
from proxy.cutover.guard import Guard
from proxy.cutover.splitter import off


class Standing(StrEnum):
    """What can be said of a route."""

    READY = "ready"
    NOT_READY = "not ready"
    INCONCLUSIVE = "inconclusive"


class Readiness(msgspec.Struct, frozen=True):
    """A verdict with its reasons, each a sentence."""

    verdict: Standing
    reasons: tuple[str, ...] = ()
    needed: int = 0
    """Clean comparisons of distinct records that are still missing, if none diverges."""
    in_seconds: float | None = None
    """When they will be there at today's traffic; `None` where there is no traffic to say it from."""


_SAYS_NO = {
    Kind.COMPARED: "the two versions disagree more often than the budget allows",
    Kind.CONTRACT: "answers break v2's contract more often than the budget allows",
    Kind.FAILED: "v2.1 fails more often than the budget allows",
    Kind.SLOW: "v2.1 is slow more often than the budget allows",
}


def obstacles(
    conflicts: Mapping[str, int], split: tuple[int, float], configured: float, *, decided: bool
) -> list[str]:
    """What stands in the way whatever the evidence says: creates that v2.1 would refuse, a share that is off.

    `conflicts` are those of the route's endpoints, `decided` whether the operator has chosen what becomes of them.
    """
    found = []
    if not decided:
        found += [
            f"{count} calls of {endpoint} met a record that v2.1 would refuse; choose compat.on_conflict"
            for endpoint, count in conflicts.items()
            if count
        ]
    keys, percent = split
    if off(keys, percent, configured):
        found.append(
            f"v2.1 answered {percent:.1f} % of {keys} sticky keys where {configured:g} % are configured; "
            "look at what keeps calls together"
        )
    return found


def standing(guard: Guard, route: str, now: float, blocked: Sequence[str] = ()) -> Readiness:
    """What the guard can say of a route; `blocked` are reasons from elsewhere that no evidence outweighs."""
    watched = guard.watched.get(route)
    reasons = list(blocked)
    if watched is not None:
        reasons += [
            text
            for kind, text in _SAYS_NO.items()
            if kind is watched.fired
            or (kind in watched.runs and reached(guard.tests[kind], watched.runs[kind]))
        ]
    if reasons:
        return Readiness(Standing.NOT_READY, tuple(reasons))
    if watched is None or Kind.COMPARED not in watched.runs:
        nothing = "nothing has been compared yet"
        return Readiness(Standing.INCONCLUSIVE, (nothing,), missing(guard.promotion, Run()))
    if reached(guard.promotion, watched.promotion):
        return Readiness(Standing.READY)
    needed = missing(guard.promotion, watched.promotion)
    events, passed = watched.promotion.events, now - watched.since
    text = f"{events} distinct records compared; {needed} more without a divergence are needed"
    return Readiness(Standing.INCONCLUSIVE, (text,), needed, needed * passed / events if passed > 0 else None)
