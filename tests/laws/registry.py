"""The seven laws: which endpoints each is about, and what it is tried on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from tests.laws.cases import Case, Make, change, failure, read, read_plainly, write
from tests.laws.changing import mutation
from tests.laws.documents import Dice
from tests.laws.ledger import Ledger
from tests.laws.reading import no_aliasing, same_answer, tokens, unknowns
from tests.laws.world import Side, World
from tests.laws.writing import echo, read_modify_write

Hold: TypeAlias = Callable[[World, Side, Case, Ledger], None]


@dataclass(frozen=True)
class Law:
    """One law: its name, its check (which raises `AssertionError`), its examples, and the endpoints it is about."""

    name: str
    hold: Hold
    make: Make
    about: Callable[[World, Side], bool]


def _posts(world: World, side: Side) -> bool:
    return not side.reads and side.v2.request is not None


def _replaces(world: World, side: Side) -> bool:
    return _posts(world, side) and side.single


def _any(dice: Dice, world: World, side: Side) -> Case:
    return read(dice, world, side) if side.reads else write(dice, world, side)


def _answer(dice: Dice, world: World, side: Side) -> Case:
    return read(dice, world, side) if side.reads and not dice.chance(4) else failure(dice, world, side)


LAWS = (
    Law("Echo", echo, write, _posts),
    Law("Read-modify-write", read_modify_write, read_plainly, _replaces),
    Law("Mutation", mutation, change, _posts),
    Law("Same answer", same_answer, _answer, lambda world, side: True),
    Law("Unknowns", unknowns, _any, lambda world, side: True),
    Law("Tokens", tokens, _any, lambda world, side: True),
    Law("No aliasing", no_aliasing, _any, lambda world, side: True),
)


def discovered(world: World) -> Iterator[tuple[Law, Side]]:
    """Every law with every endpoint that it is about."""
    return ((law, side) for law in LAWS for side in world.sides.values() if law.about(world, side))
