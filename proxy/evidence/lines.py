"""What the log gets of a comparison: never a value, and no more differences than a person reads."""

from __future__ import annotations

import traceback
from pathlib import PurePath
from time import monotonic

from proxy.evidence.classify import Verdict
from proxy.evidence.groups import group_ids
from proxy.evidence.observation import Observation
from proxy.log import EventLog

LINE_DIFFERENCES = 50
"""Differences that one line of the log holds at most, unexpected ones first; all of them are classified."""
CROWDED = frozenset({"dropped", "lag"})
"""Reasons for skipping when there is too much to do: a line a second tells it, the metrics count them all."""


class Lines:
    """Writes the lines of one engine's comparisons."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._told: dict[str, float] = {}

    def write(self, observation: Observation, verdict: Verdict) -> None:
        """Write the line of a comparison that is not equal; where there is too much to compare, not one for each."""
        if verdict.reason in CROWDED:
            now = monotonic()
            if now - self._told.get(verdict.reason, now - 1) < 1:
                return
            self._told[verdict.reason] = now
        _write_divergence(self._log, observation, verdict)


def _write_divergence(log: EventLog, observation: Observation, verdict: Verdict) -> None:
    shown = sorted(verdict.differences, key=lambda one: not one.unexpected)[:LINE_DIFFERENCES]
    why = {} if verdict.reason is None else {"reason": verdict.reason}
    log.write(
        "divergence",
        request_id=observation.request_id,
        endpoint=observation.endpoint.id,
        stage=observation.stage,
        evidence=observation.evidence,
        caller=observation.caller,
        record=observation.record or None,
        groups=group_ids(observation.endpoint.id, verdict)[:LINE_DIFFERENCES],
        differences=[
            {"pointer": one.pointer, "kind": one.kind, "v2": one.v2, "v2_1": one.v2_1, "rule": one.rule}
            for one in shown
        ],
        **{"class": verdict.cls},
        **why,
    )


def write_mistake(log: EventLog, observation: Observation, error: Exception) -> None:
    """Write where a mistake of ours happened: the kind of the exception and the place, never its text."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    log.write(
        "internal_error",
        exception=type(error).__name__,
        place=f"{PurePath(place.filename).name}:{place.lineno}",
        request_id=observation.request_id,
        endpoint=observation.endpoint.id,
    )
