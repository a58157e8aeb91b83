"""Folding in memory: what traffic says, added up until it is written. Bounded, whatever callers send."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from proxy.evidence.classify import Verdict
from proxy.evidence.groups import group_id
from proxy.evidence.observation import Observation
from proxy.store.covering import Touch, fired, touched
from proxy.store.rows import GroupKey, Shape

MINUTE = 60
HOUR = 3600
ROWS = 20_000
"""Rows that may wait to be written; what would need more is counted as lost."""
EXAMPLES = 3
"""Shapes that are kept of each group."""
_DISTINCT = 50_000
"""Records of one minute that are told apart."""
_SHAPES = 20
"""Differences of one example."""
_LOOKS = 10
"""Comparisons of one endpoint and kind whose coverage is looked at in a batch: about so many a second."""


class CountKey(NamedTuple):
    """The key columns of `counts`."""

    window: int
    endpoint: str
    route: str
    stage: str
    evidence: str
    cls: str
    reason: str
    caller: str


class CallKey(NamedTuple):
    """The key columns of `activity`, but for the hour."""

    caller: str
    endpoint: str
    version: str
    call: str


@dataclass
class Seen:
    """One group in a batch."""

    key: GroupKey
    first: int
    last: int = 0
    count: int = 0
    records: dict[str, int] = field(default_factory=dict)
    callers: dict[str, int] = field(default_factory=dict)
    examples: list[Shape] = field(default_factory=list)


@dataclass
class Calls:
    """Calls of one caller in a batch."""

    calls: int = 0
    failures: int = 0
    seconds: float = 0.0
    last: int = 0


class Covered(NamedTuple):
    """The key columns of `covered`."""

    endpoint: str
    evidence: str
    touch: Touch


@dataclass
class Batch:
    """What is written together."""

    counts: dict[CountKey, list[int]] = field(default_factory=dict)
    groups: dict[str, Seen] = field(default_factory=dict)
    activity: dict[tuple[int, CallKey], Calls] = field(default_factory=dict)
    covered: dict[Covered, int] = field(default_factory=dict)
    fired: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    """By endpoint and rule: comparisons, and the time of the last."""
    looks: dict[tuple[str, str], int] = field(default_factory=dict)
    """By endpoint and kind: comparisons whose coverage was looked at."""
    rows: int = 0

    def room(self) -> bool:
        """Take one more row, if there is room for it."""
        if self.rows >= ROWS:
            return False
        self.rows += 1
        return True


class Fold:
    """Adds up. Belongs to the event loop; `take` hands the batch over and begins a new one."""

    def __init__(self) -> None:
        self.batch = Batch()
        self.lost = 0
        """Comparisons and calls that found no room."""
        self._minute = 0
        self._distinct: set[tuple[CountKey, str]] = set()
        self._hour = 0
        self._covered: set[Covered] = set()

    def take(self) -> Batch:
        """What has been added up since the last time."""
        taken, self.batch = self.batch, Batch()
        return taken

    def compared(self, observation: Observation, verdict: Verdict, now: float) -> None:
        """Add a comparison; `now` is Unix time in seconds."""
        key = CountKey(
            int(now) // MINUTE * MINUTE,
            observation.endpoint.id,
            observation.route,
            observation.stage,
            observation.evidence,
            verdict.cls,
            verdict.reason or "",
            observation.caller,
        )
        count = self.batch.counts.get(key)
        if count is None:
            if not self.batch.room():
                self.lost += 1
                return
            count = self.batch.counts[key] = [0, 0]
        count[0] += 1
        count[1] += self._is_distinct(key, observation.record)
        if verdict.cls == "unexpected":
            self._diverged(observation, verdict, int(now * 1000))
        self._covers(observation, verdict, now)

    def called(self, key: CallKey, *, failed: bool, seconds: float, now: float) -> None:
        """Add a call that was answered."""
        place = (int(now) // HOUR * HOUR, key)
        calls = self.batch.activity.get(place)
        if calls is None:
            if not self.batch.room():
                self.lost += 1
                return
            calls = self.batch.activity[place] = Calls()
        calls.calls += 1
        calls.failures += failed
        calls.seconds += seconds
        calls.last = int(now * 1000)

    def _is_distinct(self, key: CountKey, record: str) -> bool:
        """Whether the record is new in its window. Without a name, every call is a record of its own."""
        if key.window != self._minute:
            self._minute = key.window
            self._distinct.clear()
        if not record:
            return True
        place = (key, record)
        if place in self._distinct or len(self._distinct) >= _DISTINCT:
            return False
        self._distinct.add(place)
        return True

    def _covers(self, observation: Observation, verdict: Verdict, now: float) -> None:
        """Coverage is a matter of yes and no: each thing is written once an hour, and few bodies are looked at."""
        endpoint, evidence, at = observation.endpoint.id, observation.evidence, int(now * 1000)
        for rule in fired(observation, verdict):
            known = self.batch.fired.get((endpoint, rule))
            if known is not None:
                known[:] = [known[0] + 1, at]
            elif self.batch.room():
                self.batch.fired[endpoint, rule] = [1, at]
        hour = int(now) // HOUR
        if hour != self._hour:
            self._hour = hour
            self._covered.clear()
        looks = self.batch.looks.get((endpoint, evidence), 0)
        if looks >= _LOOKS:
            return
        self.batch.looks[endpoint, evidence] = looks + 1
        for touch in touched(observation, verdict):
            key = Covered(endpoint, evidence, touch)
            if key not in self._covered and self.batch.room():
                self._covered.add(key)
                self.batch.covered[key] = at

    def _diverged(self, observation: Observation, verdict: Verdict, at: int) -> None:
        endpoint = observation.endpoint.id
        found: dict[str, GroupKey] = {}
        for one in verdict.differences:
            if one.unexpected:
                name = group_id(endpoint, verdict.statuses, one)
                sides = [None if side is None else str(side) for side in (one.v2, one.v2_1)]
                found.setdefault(
                    name, GroupKey(name, endpoint, *verdict.statuses, one.pointer, one.kind, *sides)
                )
        for name, key in found.items():
            seen = self.batch.groups.get(name)
            if seen is None:
                if not self.batch.room():
                    self.lost += 1
                    continue
                seen = self.batch.groups[name] = Seen(key, at)
            self._add(seen, observation, at)
            if len(seen.examples) < EXAMPLES:
                seen.examples.append(_shape(observation, verdict, at))

    def _add(self, seen: Seen, observation: Observation, at: int) -> None:
        seen.count += 1
        seen.last = at
        for names, name in ((seen.records, observation.record), (seen.callers, observation.caller)):
            if name in names or (name and self.batch.room()):
                names[name] = names.get(name, 0) + 1


def _shape(observation: Observation, verdict: Verdict, at: int) -> Shape:
    shown = sorted(verdict.differences, key=lambda one: not one.unexpected)[:_SHAPES]
    return Shape(
        at,
        observation.request_id,
        observation.evidence,
        observation.stage,
        tuple((one.pointer, one.kind, one.v2, one.v2_1, one.rule) for one in shown),
    )
