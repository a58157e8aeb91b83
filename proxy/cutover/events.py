"""What one comparison says to the guard: at most one good or bad event for each of its tests.

    test        bad                                      good                      of which evidence
    compared    an unexpected divergence                 equal, expected           both versions were asked
    contract    an unexpected divergence                 equal, expected           one version was asked: says less
    failed      v2.1 could not be asked, or failed       any other end             v2.1 was asked
    slow        v2.1 took longer than slow_after         it took no longer         v2.1 answered the caller

Noise and races say nothing about divergence; what was skipped says nothing at all, and neither does a platform that has had
enough calls, or a mistake of ours. Comparing and checking are two tests, because most calls are checked and few compared:
added up, a break that only comparing can see would drown.
"""

from __future__ import annotations

from enum import StrEnum

from proxy.evidence.classify import Verdict
from proxy.evidence.observation import Observation


class Kind(StrEnum):
    """The guard's tests of one route."""

    COMPARED = "compared"
    CONTRACT = "contract"
    FAILED = "failed"
    SLOW = "slow"


_DIVERGENCE = {
    "shadow_read": Kind.COMPARED,
    "reverse_shadow": Kind.COMPARED,
    "read_back": Kind.COMPARED,
    "contract": Kind.CONTRACT,
    "translate_only": Kind.CONTRACT,
}
_ASKED_V2_1 = frozenset({"shadow_read", "contract"})
"""Evidence in which v2.1 is asked and nobody else, so that a failure is v2.1's."""
_ANSWERED_V2_1 = frozenset({"contract"})
"""Evidence that every call has which v2.1 answers, with the time that it took."""
_FAILURES = frozenset({"v2_1_failed", "unreachable", "broken", "bad_answer", "timeout"})
_JUDGED = frozenset({"equal", "expected", "unexpected"})
_FINISHED = _JUDGED | {"noise", "race"}


def events(observation: Observation, verdict: Verdict, slow_after: float) -> dict[Kind, bool]:
    """The tests that this comparison is an event for, and whether it is a bad one. `slow_after`: the route's, in seconds."""
    found: dict[Kind, bool] = {}
    kind = _DIVERGENCE.get(observation.evidence)
    if kind is not None and verdict.cls in _JUDGED:
        found[kind] = verdict.cls == "unexpected"
    if observation.evidence in _ASKED_V2_1:
        if verdict.cls == "failed" and verdict.reason in _FAILURES:
            found[Kind.FAILED] = True
        elif verdict.cls in _FINISHED:
            found[Kind.FAILED] = False
    if observation.evidence in _ANSWERED_V2_1 and observation.seconds:
        found[Kind.SLOW] = observation.seconds > slow_after
    return found


def unit(observation: Observation) -> str:
    """What counts once however often it is asked for: the record; a caller's calls of an endpoint where none is named."""
    return observation.record or f"{observation.caller} {observation.endpoint.id}"
