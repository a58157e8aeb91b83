"""Which element of one array stands for which element of the other: by their key, then by position."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from msgspec import Raw


class Match(NamedTuple):
    """Index pairs (v2's, ours), what has no partner, and whether the order or only the length is different."""

    pairs: list[tuple[int, int]]
    only_v2: list[int]
    only_ours: list[int]
    moved: bool
    length: bool


def match(v2: Sequence[Raw], ours: Sequence[Raw], key: Callable[[Raw], str | None] | None) -> Match:
    """Pair two arrays in linear time. An element without a key is paired by its place among those without one."""
    if key is None:
        return _by_position(v2, ours)
    places: dict[str, deque[int]] = {}
    blank_ours: list[int] = []
    for index, element in enumerate(ours):
        name = key(element)
        if name is None:
            blank_ours.append(index)
        else:
            places.setdefault(name, deque()).append(index)
    pairs: list[tuple[int, int]] = []
    blank_v2: list[int] = []
    only_v2: list[int] = []
    for index, element in enumerate(v2):
        name = key(element)
        if name is None:
            blank_v2.append(index)
        elif waiting := places.get(name):
            pairs.append((index, waiting.popleft()))
        else:
            only_v2.append(index)
    moved = any(one[1] > two[1] for one, two in pairwise(pairs))
    pairs += zip(blank_v2, blank_ours, strict=False)
    only_ours = [index for waiting in places.values() for index in waiting]
    return Match(pairs, only_v2, only_ours, moved, len(blank_v2) != len(blank_ours))


def _by_position(v2: Sequence[Raw], ours: Sequence[Raw]) -> Match:
    if len(v2) == len(ours) and v2 != ours and Counter(map(bytes, v2)) == Counter(map(bytes, ours)):
        return Match([], [], [], moved=True, length=False)
    common = range(min(len(v2), len(ours)))
    return Match([(index, index) for index in common], [], [], moved=False, length=len(v2) != len(ours))
