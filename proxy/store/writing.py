"""Writing a batch: one transaction, each table one statement, every row added to what is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import Connection, Table, case, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from proxy.store.fold import EXAMPLES, Batch, Seen
from proxy.store.rows import CLOSED, Reopened, Shape
from proxy.store.schema import ACTIVITY, COUNTS, COVERED, FIRED, GROUPS, SIGHTINGS, TOUCHED, TRIAGE, WRITERS

RECORDS = 10_000
"""Records, and callers, that are remembered of one group; beyond that its counts go on, without names."""
QUIET = 86_400_000
"""Milliseconds after which a closed group that shows again counts as back: what is known and goes on is no news."""

_Row: TypeAlias = dict[str, Any]
_SHAPES = msgspec.json.Decoder(list[Shape])
_EARLIEST, _LATEST = frozenset({"first_seen"}), frozenset({"last_seen", "at"})
_PIECE = 500
"""Names in one question: fewer than the parameters that any SQLite takes."""


def write(connection: Connection, writer: str, number: int, batch: Batch, now: int) -> list[Reopened]:
    """Add a batch, unless this writer's batch of this number is there already; gives the groups that are back.

    `now` is milliseconds since 1970.
    """
    last = connection.execute(select(WRITERS.c.batch).where(WRITERS.c.id == writer)).scalar()
    if last is not None and last >= number:
        return []
    add(connection, WRITERS, [{"id": writer, "batch": number - (last or 0), "at": now}], {"batch"})
    add(connection, COUNTS, _counts(batch), {"count", "records"})
    add(connection, ACTIVITY, _activity(batch), {"calls", "failures", "seconds"})
    add(connection, COVERED, _covered(batch))
    add(connection, FIRED, _fired(batch), {"count"})
    if not batch.groups:
        return []
    known = {row.id: row for row in _found(connection, GROUPS, GROUPS.c.id, batch.groups)}
    back = _reopened(connection, batch, {name: row.last_seen for name, row in known.items()}, now)
    examples = {name: row.examples for name, row in known.items()}
    add(connection, GROUPS, [_group(seen, examples) for seen in batch.groups.values()], {"count"})
    for table, column, part in ((SIGHTINGS, "record", "records"), (TOUCHED, "caller", "callers")):
        add(connection, table, _named(connection, batch, table, column, part), {"count"})
    return back


def add(connection: Connection, table: Table, rows: Iterable[_Row], sums: Iterable[str] = ()) -> None:
    """Insert rows, or bring those that are there up to date: `sums` are added, the other columns replaced.

    Times become the earliest or the latest, by their name. Rows go in the order of their keys, so that two
    writers never wait for each other in a circle.
    """
    keys = [column.name for column in table.primary_key]
    ordered = sorted(rows, key=lambda row: [row[name] for name in keys])
    if not ordered:
        return
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    insert = make(table)
    changes = {}
    for column in table.columns:
        new = insert.excluded[column.name]
        if column.name in keys:
            continue
        if column.name in sums:
            changes[column.name] = column + new
        elif column.name in _EARLIEST | _LATEST:
            better = new < column if column.name in _EARLIEST else new > column
            changes[column.name] = case((better, new), else_=column)
        else:
            changes[column.name] = new
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=changes), ordered)


def _counts(batch: Batch) -> Iterator[_Row]:
    for key, (count, records) in batch.counts.items():
        row = key._asdict()
        yield {**row, "class": row.pop("cls"), "count": count, "records": records}


def _activity(batch: Batch) -> Iterator[_Row]:
    for (window, key), calls in batch.activity.items():
        yield {
            "window": window,
            **key._asdict(),
            "calls": calls.calls,
            "failures": calls.failures,
            "seconds": calls.seconds,
            "last_seen": calls.last,
        }


def _covered(batch: Batch) -> Iterator[_Row]:
    for key, at in batch.covered.items():
        part, name = key.touch
        yield {
            "endpoint": key.endpoint,
            "evidence": key.evidence,
            "part": part,
            "name": name,
            "last_seen": at,
        }


def _fired(batch: Batch) -> Iterator[_Row]:
    for (endpoint, rule), (count, last) in batch.fired.items():
        yield {"endpoint": endpoint, "rule": rule, "count": count, "last_seen": last}


def _group(seen: Seen, examples: Mapping[str, str]) -> _Row:
    older = _SHAPES.decode(examples.get(seen.key.id, "[]"))
    return {
        **msgspec.structs.asdict(seen.key),
        "first_seen": seen.first,
        "last_seen": seen.last,
        "count": seen.count,
        "examples": msgspec.json.encode([*older[: EXAMPLES - 1], *seen.examples][:EXAMPLES]).decode(),
    }


def _named(connection: Connection, batch: Batch, table: Table, column: str, part: str) -> Iterator[_Row]:
    """Records or callers of the groups, as long as a group has room for more."""
    size = func.count().label("size")
    counted = select(table.c.group, size).where(table.c.group.in_(list(batch.groups))).group_by(table.c.group)
    sizes = {row.group: row.size for row in connection.execute(counted)}
    for name, seen in batch.groups.items():
        room = RECORDS - sizes.get(name, 0)
        for one, count in list(getattr(seen, part).items())[: max(room, 0)]:
            yield {"group": name, column: one, "count": count, "last_seen": seen.last}


def _reopened(connection: Connection, batch: Batch, last_seen: Mapping[str, int], now: int) -> list[Reopened]:
    """Groups that show again although somebody closed them: their time is over, or they had been quiet."""
    today = datetime.fromtimestamp(now / 1000, UTC).date().isoformat()
    back: list[Reopened] = []
    for row in _found(connection, TRIAGE, TRIAGE.c.group, batch.groups):
        quiet_since = max(last_seen.get(row.group, 0), row.at)
        over = bool(row.until) and row.until < today
        if row.state in CLOSED and (over or now - quiet_since > QUIET):
            back.append(Reopened(row.group, batch.groups[row.group].key.endpoint, row.state, row.owner))
    if back:
        connection.execute(delete(TRIAGE).where(TRIAGE.c.group.in_([one.group for one in back])))
    return back


def _found(connection: Connection, table: Table, column: Any, names: Iterable[str]) -> Sequence[Any]:
    wanted = sorted(names)
    pieces = [wanted[start : start + _PIECE] for start in range(0, len(wanted), _PIECE)]
    return [
        row for piece in pieces for row in connection.execute(select(table).where(column.in_(piece))).all()
    ]
