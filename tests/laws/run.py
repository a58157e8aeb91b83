"""Holding laws over examples that Hypothesis draws."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, given, note, settings

from tests.laws.documents import Dice, dice
from tests.laws.ledger import Ledger
from tests.laws.registry import Law
from tests.laws.world import Side, World

LONG = os.environ.get("CROSSFADE_LAWS") == "long"
EXAMPLES = 10_000 if LONG else 200
"""Examples for each law and endpoint."""


def hold(law: Law, world: World, side: Side, ledger: Ledger, examples: int = EXAMPLES) -> None:
    """Try a law on so many examples; raises the smallest failure that was found."""

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(dice)
    def every(dice: Dice) -> None:
        case = law.make(dice, world, side)
        note(case)
        law.hold(world, side, case, ledger)

    every()
