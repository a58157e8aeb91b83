"""How much of v2's contract was compared: statuses, places and enumerated values of requests and answers."""

from __future__ import annotations

from collections.abc import Iterable

from proxy.mapping.contract import Operation
from proxy.report.document import Covered
from proxy.store.covering import Part, Touch, promised

MISSING = 20
"""Names of what is missing that a report holds for each part."""
_PARTS: tuple[tuple[Part, str], ...] = (
    ("status", "statuses"),
    ("asked", "fields asked"),
    ("asked_value", "values asked"),
    ("answered", "fields answered"),
    ("answered_value", "values answered"),
)


def coverage(operation: Operation | None, touched: Iterable[Touch]) -> tuple[Covered, ...]:
    """For each part that the contract has something of: how much of it was seen."""
    if operation is None:
        return ()
    seen = frozenset(touched)
    wanted = dict.fromkeys(promised(operation.request, dict(operation.answers)))
    found = []
    for part, name in _PARTS:
        names = [one for one in wanted if one.part == part and one.name]
        absent = [one.name for one in names if one not in seen]
        if names:
            found.append(Covered(name, len(names) - len(absent), len(names), tuple(absent[:MISSING])))
    return tuple(found)
