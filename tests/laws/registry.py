"""The seven laws: which endpoints each is about, and what it is tried on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.laws.cases import Case, changes, failures, reads, writes
from tests.laws.ledger import Ledger
from tests.laws.reading import no_aliasing, same_answer, tokens, unknowns
from tests.laws.world import Side, World
from tests.laws.writing import echo, mutation, read_modify_write

Hold: TypeAlias = Callable[[World, Side, Case, Ledger], None]
Draw: TypeAlias = Callable[[World, Side], SearchStrategy[Case]]


@dataclass(frozen=True)
class Law:
    """One law: its name, its check (which raises `AssertionError`), its examples, and the endpoints it is about."""

    name: str
    hold: Hold
    cases: Draw
    about: Callable[[World, Side], bool]


def _posts(world: World, side: Side) -> bool:
    return not side.reads and side.v2.request is not None


def _replaces(world: World, side: Side) -> bool:
    return _posts(world, side) and side.single


def _read_back(world: World, side: Side) -> SearchStrategy[Case]:
    return reads(world, world.reader(side), plain=True)


def _any(world: World, side: Side) -> SearchStrategy[Case]:
    return reads(world, side) if side.reads else writes(world, side)


def _answers(world: World, side: Side) -> SearchStrategy[Case]:
    return st.one_of(reads(world, side), reads(world, side), reads(world, side), failures(world, side)) if side.reads else failures(world, side)


LAWS = (
    Law("Echo", echo, writes, _posts),
    Law("Read-modify-write", read_modify_write, _read_back, _replaces),
    Law("Mutation", mutation, changes, _posts),
    Law("Same answer", same_answer, _answers, lambda world, side: True),
    Law("Unknowns", unknowns, _any, lambda world, side: True),
    Law("Tokens", tokens, _any, lambda world, side: True),
    Law("No aliasing", no_aliasing, _any, lambda world, side: True),
)


def discovered(world: World) -> Iterator[tuple[Law, Side]]:
    """Every law with every endpoint that it is about."""
    return ((law, side) for law in LAWS for side in world.sides.values() if law.about(world, side))
