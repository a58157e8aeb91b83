"""What the store gives and takes, as frozen rows. Times are milliseconds since 1970 unless a name says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from proxy.evidence.difference import Side

State: TypeAlias = Literal["new", "accepted", "bug", "ignored"]
"""Triage: `new` until somebody looked; `accepted`: it may stay; `bug`: it will be mended; `ignored`: an ignore rule."""

CLOSED: frozenset[State] = frozenset({"accepted", "bug", "ignored"})
"""States of a group that somebody has dealt with: seen again after its end, it is an alert."""


class Shape(msgspec.Struct, frozen=True):
    """One comparison in which a group was seen: its other differences too, and never a value."""

    at: int
    request_id: str
    evidence: str
    stage: str
    differences: tuple[tuple[str, str, Side, Side, str | None], ...]
    """Pointer, kind, what v2 has, what v2.1 has, rule."""


class GroupKey(msgspec.Struct, frozen=True):
    """What makes two differences the same group."""

    id: str
    endpoint: str
    status_v2: int | None
    status_v2_1: int | None
    pointer: str
    kind: str
    v2: str | None
    v2_1: str | None


class Triage(msgspec.Struct, frozen=True):
    """What somebody said about a group. `until` is the last day it counts (ISO), or empty for no end."""

    state: State = "new"
    reason: str = ""
    owner: str = ""
    until: str = ""
    at: int = 0


class Group(msgspec.Struct, frozen=True):
    """Divergences of one kind."""

    key: GroupKey
    first_seen: int
    last_seen: int
    count: int
    """Comparisons that showed it."""
    records: int
    """Distinct records that did, counted up to `RECORDS` of proxy/store/writing.py."""
    callers: int
    triage: Triage
    examples: tuple[Shape, ...] = ()


class Count(msgspec.Struct, frozen=True):
    """Comparisons that ended alike, of one window (`window`, Unix seconds) or of several (its first)."""

    window: int
    endpoint: str
    route: str
    stage: str
    evidence: str
    cls: str
    reason: str
    caller: str
    count: int
    records: int
    """Distinct records in each window, added up."""


class Activity(msgspec.Struct, frozen=True):
    """Calls of one caller to one endpoint, answered by one version; `version` is empty for what was refused."""

    caller: str
    endpoint: str
    version: str
    call: str
    calls: int
    failures: int
    seconds: float
    """Time that the version took, all calls together."""
    last_seen: int


class Sighting(msgspec.Struct, frozen=True):
    """That a record showed a group."""

    group: str
    count: int
    last_seen: int


class Decision(msgspec.Struct, frozen=True):
    """A stage that changed, or would have."""

    id: str
    at: int
    route: str
    endpoint: str
    old_stage: str
    new_stage: str
    rule: str
    evidence: Mapping[str, object]
    config: str


class Override(msgspec.Struct, frozen=True):
    """A stage above the file's, for the route entry with this key."""

    route: str
    stage: str
    rule: str
    at: int


class Reopened(msgspec.Struct, frozen=True):
    """A group that is back after somebody had closed it."""

    group: str
    endpoint: str
    state: State
    owner: str
