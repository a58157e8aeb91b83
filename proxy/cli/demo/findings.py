"""What the proxy says about itself: its log, read as it grows, and its metrics."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from proxy.cli.demo.stage import Member

_COMPARISONS = "crossfade_comparisons"
_STAGES = "crossfade_route_stage"
_OF_INTEREST = {"unexpected": 0, "failed": 1, "race": 2, "expected": 3, "noise": 4, "skipped": 5}
"""Classes, the one that an operator must look at first."""

_SAYS = {
    "missing": "{pointer} is missing in v2.1",
    "extra": "{pointer} is there in v2.1 only",
    "type": "{pointer} is {v2} in v2, {v2_1} in v2.1",
    "value": "{pointer} has another value in v2.1",
    "enum": "{pointer} has a value in v2.1 that v2 does not know",
    "order": "{pointer} is ordered otherwise in v2.1",
    "length": "{pointer} is longer or shorter in v2.1",
    "precision": "{pointer} is less exact in v2.1",
    "format": "{pointer} is spelled otherwise in v2.1",
    "status": "v2 answers {v2}, v2.1 {v2_1}",
    "untranslatable": "{pointer} cannot be said in v2's words",
}


@dataclass(frozen=True)
class Finding:
    """One kind of divergence: what an operator reads about it."""

    kind: str
    """Its class: `unexpected`, `expected`, …"""
    endpoint: str
    says: str

    @property
    def rank(self) -> int:
        """0 for what must be looked at first."""
        return _OF_INTEREST.get(self.kind, len(_OF_INTEREST))


@dataclass
class Row:
    """What became of one caller's calls."""

    statuses: Counter[int] = field(default_factory=Counter)
    versions: Counter[str] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)

    @property
    def typical(self) -> float:
        """The median duration in milliseconds."""
        return median(self.milliseconds) if self.milliseconds else 0.0


@dataclass
class Findings:
    """The log so far. `callers` are by id; who is not in it is shown as it is."""

    path: Path
    callers: Mapping[str, Member]
    rows: dict[str, Row] = field(default_factory=dict)
    found: Counter[Finding] = field(default_factory=Counter)
    other: Counter[str] = field(default_factory=Counter)
    """Events of the log that are neither a request nor a divergence."""
    decisions: list[Mapping[str, Any]] = field(default_factory=list)
    """The guard's and the operator's, oldest first."""
    _offset: int = 0

    def read(self) -> list[Finding]:
        """Take in what was written since; the findings that are new."""
        with self.path.open("rb") as file:
            file.seek(self._offset)
            chunk = file.read()
        whole = chunk[: chunk.rfind(b"\n") + 1]
        self._offset += len(whole)
        before = set(self.found)
        for line in whole.splitlines():
            self._take(json.loads(line))
        return [one for one in self.found if one not in before]

    def ranked(self) -> list[tuple[Finding, int]]:
        """All findings, what must be looked at first on top."""
        return sorted(self.found.items(), key=lambda item: (item[0].rank, -item[1], item[0].endpoint))

    def forget(self) -> None:
        """Begin to count anew."""
        self.rows.clear()
        self.found.clear()
        self.other.clear()
        self.decisions.clear()

    def _take(self, event: Mapping[str, Any]) -> None:
        match event["event"]:
            case "request":
                member = self.callers.get(event["caller"])
                row = self.rows.setdefault(member.name if member else event["caller"], Row())
                row.statuses[event["status"]] += 1
                row.versions[event.get("version") or "neither"] += 1
                row.milliseconds.append(event["duration_ms"])
            case "divergence":
                for one in event["differences"] or [None]:
                    self.found[_finding(event, one)] += 1
            case other:
                self.other[other] += 1
                if other == "decision":
                    self.decisions.append(event)


def _finding(event: Mapping[str, Any], difference: Mapping[str, Any] | None) -> Finding:
    if difference is None:
        return Finding(
            event["class"], event["endpoint"], f"not compared: {event.get('reason') or 'no reason given'}"
        )
    if difference["kind"] == "status" and difference["v2"] is None:
        return Finding(
            event["class"], event["endpoint"], f"v2 does not name the status {difference['v2_1']} of v2.1"
        )
    pointer = difference["pointer"] or "the answer"
    words = {
        "v2": difference["v2"] or "something else",
        "v2_1": difference["v2_1"] or "something else",
        "pointer": pointer,
    }
    says = _SAYS.get(difference["kind"], "{pointer} differs").format(**words)
    rule = difference["rule"]
    if rule is None:
        return Finding(event["class"], event["endpoint"], says)
    # One comparison may hold declared and undeclared differences; only the latter make it unexpected.
    return Finding("expected", event["endpoint"], f"{says} (declared by {rule})")


def comparisons(metrics: str | None) -> Counter[str]:
    """Comparisons by class, out of the metrics page."""
    counts: Counter[str] = Counter()
    for family in text_string_to_metric_families(metrics or ""):
        if family.name == _COMPARISONS:
            for sample in family.samples:
                if sample.name.endswith("_total"):
                    counts[sample.labels["class"]] += int(sample.value)
    return counts


def stage_in_effect(metrics: str | None, route: int) -> str:
    """The stage of a route, which is named by its place in the file; empty where the metrics do not say."""
    for family in text_string_to_metric_families(metrics or ""):
        for sample in family.samples:
            if family.name == _STAGES and sample.labels["route"] == str(route):
                return sample.labels["stage"]
    return ""
