"""The report as a document: what JSON, Markdown and HTML are made from. Times are ISO 8601, spans are seconds."""

from __future__ import annotations

import msgspec

FORMAT = 1
"""Version of the JSON form."""


class Kind(msgspec.Struct, frozen=True):
    """The comparisons of one kind. Kinds are never added up."""

    evidence: str
    classes: dict[str, int]
    """Comparisons by class."""
    records: int
    """Distinct records in each minute that could be judged: equal, expected or unexpected."""
    unexpected: int
    """Of those, the ones that diverged."""
    upper: float | None
    """Upper end of the 95 % Wilson interval of their share. For display: it decides nothing."""
    required: bool
    """Whether the next stage needs this kind."""
    needed: int
    """Clean records that are still missing; 0 where there are enough."""
    in_seconds: int | None
    """When they will be there at today's traffic; absent where there is none."""
    first: str | None
    last: str | None
    age: int | None
    """Seconds since the last one."""


class Covered(msgspec.Struct, frozen=True):
    """How much of one part of the contract was compared."""

    part: str
    seen: int
    of: int
    missing: tuple[str, ...]
    """What was never seen, at most `MISSING` of proxy/report/coverage.py."""


class Blocker(msgspec.Struct, frozen=True):
    """An open group of divergences."""

    group: str
    pointer: str
    kind: str
    state: str
    count: int
    records: int
    callers: int


class Loss(msgspec.Struct, frozen=True):
    """A declared loss that has happened."""

    rule: str
    says: str
    comparisons: int


class Side(msgspec.Struct, frozen=True):
    """How one version has answered callers."""

    version: str
    calls: int
    failures: int
    failed_share: float
    mean_ms: float


class EndpointReport(msgspec.Struct, frozen=True):
    """One endpoint."""

    endpoint: str
    writes: bool
    stages: tuple[str, ...]
    """Stages in effect for its callers, with the percentage of a canary."""
    verdict: str
    reasons: tuple[str, ...]
    calls: int
    callers: int
    callers_compared: int
    kinds: tuple[Kind, ...]
    coverage: tuple[Covered, ...]
    open_groups: int
    blockers: tuple[Blocker, ...]
    losses: tuple[Loss, ...]
    would_conflict: int
    versions: tuple[Side, ...]
    latency_delta_ms: float | None
    """v2.1's mean less v2's, of the calls that they answered."""
    error_delta: float | None
    """v2.1's share of failed answers less v2's."""
    next: str
    """The command to type now."""


class CallerReport(msgspec.Struct, frozen=True):
    """One caller."""

    caller: str
    name: str
    verdict: str
    reasons: tuple[str, ...]
    calls: int
    endpoints: tuple[str, ...]
    records: dict[str, int]
    """Distinct records compared, by kind of evidence."""
    unexpected: dict[str, int]
    open_groups: int
    unmapped: dict[str, int]
    """Calls that no mapping covers, by method and template."""


class Report(msgspec.Struct, frozen=True):
    """The whole report."""

    format: int
    at: str
    config: str
    verdict: str
    reasons: tuple[str, ...]
    budget: float
    endpoints: tuple[EndpointReport, ...]
    callers: tuple[CallerReport, ...]
