"""Holding laws over examples: Hypothesis draws the first, mere chance the many more; each failure is made small."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from random import Random

from hypothesis import HealthCheck, Phase, example, given, note, settings

from tests.laws.documents import ROW, Dice, dice
from tests.laws.ledger import Ledger
from tests.laws.registry import Law
from tests.laws.world import Side, World

LONG = os.environ.get("CROSSFADE_LAWS") == "long"
EXAMPLES = 10_000 if LONG else 200
"""Examples for each law and endpoint."""
DRAWN = 400
"""How many of them Hypothesis draws, whose search for odd ones takes twice the time of a law."""


def hold(law: Law, world: World, side: Side, ledger: Ledger, examples: int = EXAMPLES) -> None:
    """Try a law on so many examples; raises the smallest failure that was found."""
    met: list[Dice] = []

    def hold_on(dice: Dice) -> None:
        law.hold(world, side, law.make(dice, world, side), ledger)

    def every(dice: Dice) -> None:
        met.append(dice)
        case = law.make(dice, world, side)
        note(case)
        law.hold(world, side, case, ledger)

    searched = settings(
        max_examples=min(examples, DRAWN),
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    searched(given(dice)(every))()
    found = _by_chance(hold_on, met, Random(f"{law.name} {side.spec.id}"), examples - DRAWN)
    if found is not None:
        searched(example(found)(given(dice)(every)))()


def _by_chance(hold_on: Callable[[Dice], None], met: list[Dice], chance: Random, count: int) -> Dice | None:
    """The smallest of the choices that fail out of so many rows of chance, with texts and numbers that were met."""
    for _ in range(count):
        one = replace(chance.choice(met), row=chance.randbytes(ROW), numbers=chance.choice(met).numbers, at=0)
        if _fails(hold_on, one.row, one):
            return _smallest(hold_on, one)
    return None


def _smallest(hold_on: Callable[[Dice], None], one: Dice) -> Dice:
    """The same failure with as many of the plainest choices as there can be."""
    row = next(one.row[:end] for end in range(ROW + 1) if _fails(hold_on, one.row[:end], one))
    for at in range(len(row)):
        plainer = row[:at] + b"\0" + row[at + 1 :]
        row = plainer if _fails(hold_on, plainer, one) else row
    return replace(one, row=row, at=0)


def _fails(hold_on: Callable[[Dice], None], row: bytes, one: Dice) -> bool:
    try:
        hold_on(replace(one, row=row, at=0))
    except Exception:  # noqa: BLE001 - whatever a law raises is its failure
        return True
    return False
