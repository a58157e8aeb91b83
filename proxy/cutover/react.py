"""What a verdict of the guard leads to: a table, and nothing else decides.

stage       records hold what v2 cannot say   guard.action   then
v2 shadow   -                                 -              v2 answers: nothing to take back, the route is not ready
v2.1        -                                 -              v2 is over: announced
canary live -                                 report         announced
canary live yes                               rollback       announced: a way back would break reads
canary live no                                rollback       rolled back to `shadow`: v2 answers, comparing goes on
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from proxy.cutover.stage import Stage

Reason: TypeAlias = Literal[
    "rolled_back",
    "reported",
    "unsafe",
    "v2_is_over",
    "v2_answers",
    "by_hand",
    "lapsed",
    "configured",
    "crossed",
]
"""Why a decision was what it was; docs/cutover.md explains each."""

BACK = Stage.SHADOW
"""Where a rollback leads to."""
_CAN_GO_BACK = frozenset({Stage.CANARY, Stage.LIVE})


def reaction(stage: Stage, action: str, *, unsafe: bool) -> Reason:
    """What becomes of a route at this stage when a test of its has said no."""
    if stage is Stage.V2_1:
        return "v2_is_over"
    if stage not in _CAN_GO_BACK:
        return "v2_answers"
    if action != "rollback":
        return "reported"
    return "unsafe" if unsafe else "rolled_back"


def guarded(stage: Stage) -> bool:
    """Whether a route at this stage can be taken back, and so has a part of alpha."""
    return stage in _CAN_GO_BACK
