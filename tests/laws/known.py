"""What follows from a contract alone, worked out once: a law asks for it again with every example."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import TypeVar

from proxy.mapping.check import Checker
from proxy.mapping.contract import Contract, Operation, Schema

T = TypeVar("T")
PART = "/extensions/ext"
"""How the path of a part ends."""


def once(made: Callable[..., T]) -> Callable[..., T]:
    """Remember what a function made of these very objects; they are kept, so that no other gets their identity."""
    kept: dict[tuple[int, ...], tuple[tuple[Schema | Contract, ...], T]] = {}

    @wraps(made)
    def remembered(*given: Schema | Contract) -> T:
        key = tuple(map(id, given))
        if key not in kept:
            kept[key] = given, made(*given)
        return kept[key][1]

    return remembered


@once
def places(schema: Schema) -> Mapping[str, Schema]:
    """Every place of a document by its contract pointer."""
    return dict(schema.walk())


@once
def checker(schema: Schema) -> Checker:
    """What holds a document against the schema."""
    return Checker(schema)


@dataclass(frozen=True)
class Terms:
    """What follows from the two contracts alone."""

    v2: Contract
    operations: list[tuple[re.Pattern[str], Operation]]
    """v2.1's, each with a pattern of its path."""
    queries: frozenset[str]
    """The parameters that v2 has a meaning for anywhere."""
    stamps: frozenset[str]
    """The times that the platform sets."""
    told: dict[tuple[str, str], set[str]] = field(default_factory=dict, compare=False)

    @staticmethod
    @once
    def of(v2: Contract, native: Contract) -> Terms:
        """The terms of these two."""
        bodies = [one.request for one in v2.operations.values() if one.request is not None]
        return Terms(
            v2,
            [
                (re.compile(re.sub(r"\{\w+\}", "([^/]+)", one.path)), one)
                for one in native.operations.values()
            ],
            frozenset(name for one in v2.operations.values() for name in one.query),
            frozenset(
                name
                for one in bodies
                for name, member in one.members.items()
                if member.read_only and member.codec == "timestamp"
            ),
        )

    def spoken(self, path: str, around: str) -> set[str]:
        """The names that v2 gives a meaning in the object `around`, where v2.1 does not know a member."""
        if path.endswith(PART):
            return set()  # pairs have any names
        key = path.split("/")[2], around
        if key not in self.told:
            self.told[key] = {
                name
                for one in self.v2.operations.values()
                if one.request is not None and one.path.split("/")[2] == key[0]
                for name in places(one.request).get(around, Schema()).members
            }
        return self.told[key]
