"""Which element of one array stands for which element of the other: by their key, then by position."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from msgspec import Raw


class Match(NamedTuple):
    """Index pairs (v2's, ours), what has no partner, and whether the order or only the length is different."""

    pairs: list[tuple[int, int]]
    only_v2: list[int]
    only_ours: list[int]
    moved: bool
    length: bool


Keys: TypeAlias = Sequence[str | None]


def by_key(v2: Keys, ours: Keys) -> Match:
    """Pair two arrays in linear time. An element without a key is paired by its place among those without one."""
    places: dict[str, deque[int]] = {}
    blank_ours: list[int] = []
    for index, name in enumerate(ours):
        if name is None:
            blank_ours.append(index)
        else:
            places.setdefault(name, deque()).append(index)
    pairs: list[tuple[int, int]] = []
    blank_v2: list[int] = []
    only_v2: list[int] = []
    for index, name in enumerate(v2):
        if name is None:
            blank_v2.append(index)
        elif waiting := places.get(name):
            pairs.append((index, waiting.popleft()))
        else:
            only_v2.append(index)
    if blank_v2:
        pairs = sorted([*pairs, *zip(blank_v2, blank_ours, strict=False)])
    moved = any(one[1] > two[1] for one, two in pairwise(pairs))
    only_ours = [index for waiting in places.values() for index in waiting]
    return Match(pairs, only_v2, only_ours, moved, len(blank_v2) != len(blank_ours))


def by_position(v2: Sequence[Raw], ours: Sequence[Raw]) -> Match:
    """Pair two arrays whose elements have no keys; the same elements in another order are only told to have moved."""
    if len(v2) == len(ours) and v2 != ours and Counter(map(bytes, v2)) == Counter(map(bytes, ours)):
        return Match([], [], [], moved=True, length=False)
    common = range(min(len(v2), len(ours)))
    return Match([(index, index) for index in common], [], [], moved=False, length=len(v2) != len(ours))
