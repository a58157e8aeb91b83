"""Everything that a report rests on, read in one transaction: numbers of one moment that belong together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, Text, case, cast, func, literal, or_, select

from proxy.store.covering import Touch
from proxy.store.database import Database
from proxy.store.rows import Activity, GroupKey, State
from proxy.store.schema import ACTIVITY, COUNTS, COVERED, FIRED, GROUPS, SIGHTINGS, TOUCHED, TRIAGE

DAY = 86_400
"""Seconds that count as today's traffic."""
SHOWN = 20
"""Open groups of one endpoint that are named; the others are counted."""

_OPEN: tuple[State, ...] = ("new", "bug")
_KEY = GroupKey.__struct_fields__


class Compared(msgspec.Struct, frozen=True):
    """Comparisons of one caller that ended alike. Windows are Unix seconds."""

    endpoint: str
    stage: str
    evidence: str
    cls: str
    caller: str
    count: int
    records: int
    """Distinct records in each minute, added up."""
    today: int
    """Of those, the ones of the last day."""
    first: int
    last: int


class Open(msgspec.Struct, frozen=True):
    """A group that nobody has closed."""

    key: GroupKey
    state: State
    count: int
    records: int
    callers: int
    last_seen: int


class Summary(msgspec.Struct, frozen=True):
    """What the store knows at one moment."""

    compared: tuple[Compared, ...] = ()
    activity: tuple[Activity, ...] = ()
    groups: tuple[Open, ...] = ()
    """Of each endpoint the most frequent."""
    open_by_endpoint: dict[str, int] = {}
    open_by_caller: dict[str, int] = {}
    covered: dict[tuple[str, str], frozenset[Touch]] = {}
    """By endpoint and kind of evidence."""
    fired: dict[tuple[str, str], int] = {}
    """By endpoint and declaration: comparisons in which it acted."""


def summary(database: Database, at: int) -> Summary:
    """What was recorded until a Unix time. Raises `StoreError`."""
    with database.reading() as connection:
        groups, by_endpoint = _groups(connection, at)
        return Summary(
            compared=tuple(Compared(*row) for row in connection.execute(_compared(at))),
            activity=tuple(Activity(*row) for row in connection.execute(_activity(at))),
            groups=groups,
            open_by_endpoint=by_endpoint,
            open_by_caller=_open_by_caller(connection),
            covered=_covered(connection),
            fired={(row[0], row[1]): row[2] for row in connection.execute(_fired())},
        )


def _sum(column: Any) -> Any:
    return cast(
        func.sum(column), COUNTS.c.count.type
    )  # PostgreSQL's sum of large integers is a decimal number


def _compared(at: int) -> Any:
    keys = [COUNTS.c[name] for name in ("endpoint", "stage", "evidence", "class", "caller")]
    today = case((COUNTS.c.window > at - DAY, COUNTS.c.records), else_=0)
    sums = [_sum(one) for one in (COUNTS.c.count, COUNTS.c.records, today)]
    span = [func.min(COUNTS.c.window), func.max(COUNTS.c.window)]
    return select(*keys, *sums, *span).where(COUNTS.c.window <= at).group_by(*keys).order_by(*keys)


def _activity(at: int) -> Any:
    keys = [ACTIVITY.c[name] for name in ("caller", "endpoint", "version", "call")]
    sums = [_sum(ACTIVITY.c[name]) for name in ("calls", "failures")]
    rest = [func.sum(ACTIVITY.c.seconds), func.max(ACTIVITY.c.last_seen)]
    return select(*keys, *sums, *rest).where(ACTIVITY.c.window <= at).group_by(*keys).order_by(*keys)


def _fired() -> Any:
    return select(FIRED.c.endpoint, FIRED.c.rule, FIRED.c.count).order_by(FIRED.c.endpoint, FIRED.c.rule)


def _covered(connection: Connection) -> dict[tuple[str, str], frozenset[Touch]]:
    found: dict[tuple[str, str], set[Touch]] = {}
    wanted = select(COVERED.c.endpoint, COVERED.c.evidence, COVERED.c.part, COVERED.c.name)
    for endpoint, evidence, part, name in connection.execute(wanted):
        found.setdefault((endpoint, evidence), set()).add(Touch(part, name))
    return {key: frozenset(touches) for key, touches in found.items()}


def _groups(connection: Connection, at: int) -> tuple[tuple[Open, ...], dict[str, int]]:
    """The most frequent open groups of each endpoint, and how many there are of each."""
    state = func.coalesce(TRIAGE.c.state, cast(literal("new"), Text))
    place = func.row_number().over(
        partition_by=GROUPS.c.endpoint, order_by=(GROUPS.c.count.desc(), GROUPS.c.id)
    )
    every = func.count().over(partition_by=GROUPS.c.endpoint)
    ranked = (
        select(
            *(GROUPS.c[name] for name in _KEY),
            state.label("state"),
            GROUPS.c.count.label("times"),
            GROUPS.c.last_seen,
            place.label("place"),
            every.label("every"),
        )
        .outerjoin(TRIAGE, TRIAGE.c.group == GROUPS.c.id)
        .where(GROUPS.c.first_seen <= at * 1000, or_(TRIAGE.c.state.is_(None), TRIAGE.c.state.in_(_OPEN)))
        .subquery()
    )
    shown = select(ranked).where(ranked.c.place <= SHOWN).order_by(ranked.c.endpoint, ranked.c.place)
    rows = connection.execute(shown).all()
    names = [row.id for row in rows]
    records, callers = (_sizes(connection, table, names) for table in (SIGHTINGS, TOUCHED))
    groups = tuple(
        Open(
            GroupKey(*row[: len(_KEY)]),
            row.state,
            row.times,
            records.get(row.id, 0),
            callers.get(row.id, 0),
            row.last_seen,
        )
        for row in rows
    )
    return groups, {row.endpoint: row.every for row in rows}


def _sizes(connection: Connection, table: Any, names: Iterable[str]) -> dict[str, int]:
    counted = select(table.c.group, func.count()).where(table.c.group.in_(names)).group_by(table.c.group)
    return {row[0]: row[1] for row in connection.execute(counted)}


def _open_by_caller(connection: Connection) -> dict[str, int]:
    """All that a caller met, less what is closed: counting along an index is quick, and few groups are closed."""
    met = connection.execute(select(TOUCHED.c.caller, func.count()).group_by(TOUCHED.c.caller))
    found = {row[0]: row[1] for row in met}
    closed = select(TRIAGE.c.group).where(TRIAGE.c.state.not_in(_OPEN)).scalar_subquery()
    caller = (TOUCHED.c.caller + "").label(
        "caller"
    )  # no column: SQLite would walk its index, and read all of the table
    less = select(caller, func.count()).where(TOUCHED.c.group.in_(closed)).group_by(caller)
    for row in connection.execute(less):
        found[row[0]] -= row[1]
    return {name: number for name, number in found.items() if number}
