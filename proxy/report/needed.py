"""Which kinds of evidence the next stage needs, and how much there is of each.

    stage     a read needs                     a write needs
    v2        -                                -
    shadow    shadow_read                      translate_only, read_back
    canary    contract, reverse_shadow         contract, read_back while in canary or live
    live      contract, reverse_shadow         contract, read_back while in canary or live
    v2.1      -                                -

Where v2 still answered a write, nothing is known of v2.1's write path: hence the last column.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from math import sqrt

from proxy.cutover.detector import Test, missing, reached, tallied
from proxy.cutover.stage import Stage
from proxy.evidence.kinds import EvidenceKind
from proxy.report.document import Kind
from proxy.store.summary import DAY, Compared

_Needs = Mapping[EvidenceKind, frozenset[str]]
_ANY = frozenset(stage.value for stage in Stage)
_V2_1 = frozenset({Stage.CANARY.value, Stage.LIVE.value, Stage.V2_1.value})
_AFTER: _Needs = {"contract": _ANY, "reverse_shadow": _ANY}
_AFTER_WRITE: _Needs = {"contract": _ANY, "read_back": _V2_1}
_NEEDS: Mapping[tuple[Stage, bool], _Needs] = {
    (Stage.SHADOW, False): {"shadow_read": _ANY},
    (Stage.SHADOW, True): {"translate_only": _ANY, "read_back": _ANY},
    (Stage.CANARY, False): _AFTER,
    (Stage.CANARY, True): _AFTER_WRITE,
    (Stage.LIVE, False): _AFTER,
    (Stage.LIVE, True): _AFTER_WRITE,
}
_JUDGED = frozenset({"equal", "expected", "unexpected"})
_Z = 1.96
FAR = 1_000_000
"""Records that nobody waits for: what needs more of them diverges too often."""


def needs(stage: Stage, *, writes: bool) -> _Needs:
    """The kinds that an endpoint at this stage needs to go on, each with the stages whose evidence counts."""
    return _NEEDS.get((stage, writes), {})


def kinds(rows: Iterable[Compared], required: _Needs, test: Test, at: int) -> tuple[Kind, ...]:
    """Every kind that was compared or is required, in the order of their names."""
    found: dict[str, list[Compared]] = {one: [] for one in required}
    for row in rows:
        found.setdefault(row.evidence, []).append(row)
    return tuple(
        _kind(name, found[name], required.get(name), test, at)  # type: ignore[call-overload] # names are kinds
        for name in sorted(found)
    )


def enough(kind: Kind) -> bool:
    """Whether there is as much of it as the next stage needs."""
    return not kind.needed


def _kind(name: str, rows: Sequence[Compared], stages: frozenset[str] | None, test: Test, at: int) -> Kind:
    counting = [row for row in rows if stages is None or row.stage in stages]
    judged = [row for row in counting if row.cls in _JUDGED]
    bad = sum(row.records for row in judged if row.cls == "unexpected")
    events = sum(row.records for row in judged)
    run = tallied(test, events, bad)
    needed = 0 if stages is None or reached(test, run) else missing(test, run)
    classes: dict[str, int] = {}
    for row in rows:
        classes[row.cls] = classes.get(row.cls, 0) + row.count
    first, last = (
        min((row.first for row in rows), default=None),
        max((row.last for row in rows), default=None),
    )
    return Kind(
        evidence=name,
        classes=dict(sorted(classes.items())),
        records=events,
        unexpected=bad,
        upper=round(_upper(bad, events), 6) if events else None,
        required=stages is not None,
        needed=needed,
        in_seconds=_when(needed, judged, at),
        first=None if first is None else iso(first),
        last=None if last is None else iso(last),
        age=None if last is None else max(0, at - last),
    )


def _when(needed: int, judged: Sequence[Compared], at: int) -> int | None:
    """Seconds until so many more records are there, at the rate of the last day."""
    today = sum(row.today for row in judged)
    if not needed or not today or needed > FAR:
        return None
    span = min(DAY, max(60, at - min(row.first for row in judged)))
    return round(needed * span / today)


def _upper(bad: int, events: int) -> float:
    share, z2 = bad / events, _Z * _Z
    middle = share + z2 / (2 * events)
    return (middle + _Z * sqrt(share * (1 - share) / events + z2 / (4 * events**2))) / (1 + z2 / events)


def iso(seconds: int) -> str:
    """A Unix time as the log writes it, to the second."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
