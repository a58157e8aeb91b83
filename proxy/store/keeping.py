"""What is kept, and for how long: by age, by size, and until somebody asks for it to go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, exists, func, select

from proxy.store.schema import (
    ACTIVITY,
    COUNTS,
    COVERED,
    DECISIONS,
    FIRED,
    GROUPS,
    GUARD_STATE,
    SIGHTINGS,
    TOUCHED,
    TRIAGE,
    WRITERS,
)

MOST_GROUPS = 10_000
"""Groups that are kept; beyond that, those go that were not seen for longest and that nobody has said anything about."""

_AGES: tuple[tuple[Table, Any, int], ...] = (
    (COUNTS, COUNTS.c.window, 1),
    (ACTIVITY, ACTIVITY.c.window, 1),
    (SIGHTINGS, SIGHTINGS.c.last_seen, 1000),
    (TOUCHED, TOUCHED.c.last_seen, 1000),
    (COVERED, COVERED.c.last_seen, 1000),
    (FIRED, FIRED.c.last_seen, 1000),
    (DECISIONS, DECISIONS.c.at, 1000),
    (WRITERS, WRITERS.c.at, 1000),
)
"""Tables that age, by which column, and its units in a second."""
_WIDTHS: tuple[tuple[Table, int], ...] = (
    (COUNTS, 200),
    (ACTIVITY, 170),
    (SIGHTINGS, 115),
    (TOUCHED, 75),
    (GROUPS, 600),
    (DECISIONS, 1000),
)
"""Bytes that one row takes with its share of the indexes, measured in SQLite (tests/store/test_keeping.py)."""
_STEPS = 10
"""Cuts by size in one go; each takes a tenth of the time that the store spans."""


@dataclass(frozen=True)
class Keep:
    """How much is kept: `age` in seconds, `size` in bytes."""

    age: float
    size: int


def retain(connection: Connection, keep: Keep, now: float) -> None:
    """Delete what is too old; and where it is still too much, the oldest tenth of the time, again and again.

    `now` is Unix time in seconds. Decisions and what people said about groups go by age alone.
    """
    _forget(connection, now - keep.age)
    _fewer_groups(connection)
    for _ in range(_STEPS):
        oldest = connection.execute(select(func.min(COUNTS.c.window))).scalar()
        if oldest is None or size(connection) <= keep.size:
            return
        _forget(connection, oldest + max((now - oldest) / 10, 60), sparing=(DECISIONS, WRITERS))


def size(connection: Connection) -> int:
    """Bytes that the rows take, about. Counted, not measured: neither database gives space back as rows go."""
    return sum(
        width * int(connection.execute(select(func.count()).select_from(table)).scalar() or 0)
        for table, width in _WIDTHS
    )


def purge_caller(connection: Connection, caller: str) -> int:
    """Delete everything that names a caller; gives the number of rows."""
    return sum(_delete(connection, table, table.c.caller == caller) for table in (COUNTS, ACTIVITY, TOUCHED))


def purge_before(connection: Connection, moment: float) -> int:
    """Delete everything older than a Unix time; gives the number of rows."""
    return _forget(connection, moment)


def purge_all(connection: Connection) -> int:
    """Delete all evidence: what people and the guard decided stays in force; gives the number of rows."""
    tables = (COUNTS, ACTIVITY, SIGHTINGS, TOUCHED, GROUPS, TRIAGE, COVERED, FIRED, DECISIONS, GUARD_STATE)
    return sum(_delete(connection, table) for table in tables)


def _forget(connection: Connection, moment: float, sparing: tuple[Table, ...] = ()) -> int:
    gone = sum(
        _delete(connection, table, column < int(moment * units))
        for table, column, units in _AGES
        if table not in sparing
    )
    said = exists().where(TRIAGE.c.group == GROUPS.c.id)
    stale = GROUPS.c.last_seen < int(moment * 1000)
    gone += _delete(connection, GROUPS, and_(stale, ~said) if sparing else stale)
    return gone + sum(_orphans(connection))


def _fewer_groups(connection: Connection) -> None:
    said = exists().where(TRIAGE.c.group == GROUPS.c.id)
    newest = select(GROUPS.c.last_seen).order_by(GROUPS.c.last_seen.desc()).offset(MOST_GROUPS).limit(1)
    edge = connection.execute(newest).scalar()
    if edge is not None:
        _delete(connection, GROUPS, and_(GROUPS.c.last_seen <= edge, ~said))
        list(_orphans(connection))


def _orphans(connection: Connection) -> Iterator[int]:
    for table in (SIGHTINGS, TOUCHED, TRIAGE):
        yield _delete(connection, table, ~exists().where(GROUPS.c.id == table.c.group))


def _delete(connection: Connection, table: Table, *which: ColumnElement[bool]) -> int:
    return connection.execute(delete(table).where(*which)).rowcount
