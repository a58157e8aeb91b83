"""The stages that a route goes through on its way from v2 to v2.1."""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """Who answers a call, and what is compared. The order of the members is the order of the way."""

    V2 = "v2"
    """v2 answers, untouched; nothing is compared."""
    SHADOW = "shadow"
    """v2 answers; reads are compared with v2.1, writes are translated only and read back."""
    CANARY = "canary"
    """v2.1 answers its share of sticky keys, v2 the rest; both directions are compared."""
    LIVE = "live"
    """v2.1 answers; reads are compared with v2, writes are read back through both."""
    V2_1 = "v2.1"
    """v2.1 answers and v2 is never called; answers are held against v2's contract."""

    @property
    def step(self) -> int:
        """How far on the way: 0 for `v2`, 4 for `v2.1`."""
        return _WAY[self]


_WAY = {stage: number for number, stage in enumerate(Stage)}


def following(stage: str, percent: float | None) -> str:
    """What comes next, as `crossfade cutover set` takes it; empty at the end. A canary grows before it is all."""
    share = percent or 0
    return {
        Stage.V2: "shadow",
        Stage.SHADOW: "canary 1",
        Stage.CANARY: f"canary {min(share * 5, 50):g}" if share < 50 else "live",
        Stage.LIVE: "v2.1",
        Stage.V2_1: "",
    }[Stage(stage)]
