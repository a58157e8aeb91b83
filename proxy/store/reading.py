"""The store as its readers see it: commands, the guard, reports. Every question is one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self, TypeVar

import msgspec
from sqlalchemy import RowMapping, Select, Table, cast, delete, func, select

from proxy.store.database import Database
from proxy.store.rows import (
    Activity,
    Count,
    Decision,
    Group,
    GroupKey,
    Override,
    Shape,
    Sighting,
    Triage,
)
from proxy.store.schema import (
    ACTIVITY,
    COUNTS,
    DECISIONS,
    GROUPS,
    GUARD_STATE,
    OVERRIDES,
    SIGHTINGS,
    TOUCHED,
    TRIAGE,
)
from proxy.store.writing import add

_SHAPES = msgspec.json.Decoder(tuple[Shape, ...])
_EVIDENCE = msgspec.json.Decoder(dict[str, object])
_KEY = GroupKey.__struct_fields__
_SAID = Triage.__struct_fields__
One = TypeVar("One")


class Store:
    """Reads what was recorded, and writes what people and the guard decide. Every method may raise `StoreError`.

    Methods block for as long as the database takes: on an event loop, call them in a thread.
    """

    def __init__(self, address: str) -> None:
        """`address` is `store.url`; nothing is opened yet. Raises `ConfigError` for a driver that is missing."""
        self.database = Database(address, patience=5.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def groups(self, *, ids: Iterable[str] | None = None) -> list[Group]:
        """All groups, or those with these ids: the most recent first."""
        wanted = (
            select(GROUPS, TRIAGE, _names_in(SIGHTINGS, "records"), _names_in(TOUCHED, "callers"))
            .outerjoin(TRIAGE, TRIAGE.c.group == GROUPS.c.id)
            .order_by(GROUPS.c.last_seen.desc(), GROUPS.c.id)
        )
        if ids is not None:
            wanted = wanted.where(GROUPS.c.id.in_(list(ids)))
        return [_group(row) for row in self._named(wanted)]

    def callers_of(self, group: str) -> dict[str, int]:
        """Which callers met a group, and how often: the most often first."""
        wanted = (
            select(TOUCHED.c.caller, TOUCHED.c.count)
            .where(TOUCHED.c.group == group)
            .order_by(TOUCHED.c.count.desc(), TOUCHED.c.caller)
        )
        return {row[0]: row[1] for row in self._rows(wanted)}

    def groups_of(self, caller: str) -> set[str]:
        """The groups that a caller met."""
        return {row[0] for row in self._rows(select(TOUCHED.c.group).where(TOUCHED.c.caller == caller))}

    def open_groups(self) -> dict[str, int]:
        """For each caller, the groups that it met and that are new or a bug."""
        closed = select(TRIAGE.c.group).where(TRIAGE.c.state.in_(["accepted", "ignored"]))
        wanted = select(TOUCHED.c.caller, func.count()).where(TOUCHED.c.group.not_in(closed))
        return {row[0]: row[1] for row in self._rows(wanted.group_by(TOUCHED.c.caller))}

    def sightings(self, record: str) -> list[Sighting]:
        """The groups that a record (its keyed hash) showed: the most recent first."""
        wanted = (
            select(SIGHTINGS.c.group, SIGHTINGS.c.count, SIGHTINGS.c.last_seen)
            .where(SIGHTINGS.c.record == record)
            .order_by(SIGHTINGS.c.last_seen.desc(), SIGHTINGS.c.group)
        )
        return _all(Sighting, self._rows(wanted))

    def counts(self, *, since: int = 0, windows: bool = False) -> list[Count]:
        """Comparisons by how they ended, from a Unix time on; by window, or all windows in one."""
        keys = [
            COUNTS.c[name] for name in ("endpoint", "route", "stage", "evidence", "class", "reason", "caller")
        ]
        window = COUNTS.c.window if windows else func.min(COUNTS.c.window)
        sums = [_sum(COUNTS.c[name]) for name in ("count", "records")]
        wanted = select(window, *keys, *sums).where(COUNTS.c.window >= since)
        return _all(
            Count, self._rows(wanted.group_by(*([COUNTS.c.window] if windows else []), *keys).order_by(*keys))
        )

    def callers(self, *, since: int = 0) -> list[Activity]:
        """Who called what, answered by which version, from a Unix time on."""
        keys = [ACTIVITY.c[name] for name in ("caller", "endpoint", "version", "call")]
        sums = [_sum(ACTIVITY.c[name]) for name in ("calls", "failures", "seconds")]
        wanted = select(*keys, *sums, func.max(ACTIVITY.c.last_seen)).where(ACTIVITY.c.window >= since)
        return _all(Activity, self._rows(wanted.group_by(*keys).order_by(*keys)))

    def triage(self, group: str, triage: Triage) -> None:
        """Say what becomes of a group; `new` forgets what was said."""
        with self.database.writing() as connection:
            if triage.state == "new":
                connection.execute(delete(TRIAGE).where(TRIAGE.c.group == group))
            else:
                add(connection, TRIAGE, [{"group": group, **msgspec.structs.asdict(triage)}])

    def decisions(self, *, limit: int = 100) -> list[Decision]:
        """What was decided about routes, the last first."""
        wanted = select(DECISIONS).order_by(DECISIONS.c.at.desc(), DECISIONS.c.id).limit(limit)
        return [_decision(row) for row in self._named(wanted)]

    def decide(self, decision: Decision) -> None:
        """Remember a decision."""
        values = msgspec.structs.asdict(decision)
        values["evidence"] = msgspec.json.encode(decision.evidence).decode()
        with self.database.writing() as connection:
            add(connection, DECISIONS, [values])

    def overrides(self) -> list[Override]:
        """The stages that stand above the file's."""
        return _all(Override, self._rows(select(OVERRIDES).order_by(OVERRIDES.c.route)))

    def override(self, override: Override) -> None:
        """Set the stage of a route entry above the file's."""
        with self.database.writing() as connection:
            add(connection, OVERRIDES, [msgspec.structs.asdict(override)])

    def lift(self, routes: Iterable[str]) -> None:
        """Take overrides away."""
        with self.database.writing() as connection:
            connection.execute(delete(OVERRIDES).where(OVERRIDES.c.route.in_(list(routes))))

    def guard_states(self) -> dict[tuple[str, str], str]:
        """What the guard remembers, as JSON, by route and kind."""
        wanted = select(GUARD_STATE.c.route, GUARD_STATE.c.kind, GUARD_STATE.c.state)
        return {(row[0], row[1]): row[2] for row in self._rows(wanted)}

    def remember(self, states: Mapping[tuple[str, str], str], at: int) -> None:
        """Keep what the guard remembers; `at` is milliseconds since 1970."""
        rows = [
            {"route": route, "kind": kind, "state": state, "at": at}
            for (route, kind), state in states.items()
        ]
        with self.database.writing() as connection:
            add(connection, GUARD_STATE, rows)

    def close(self) -> None:
        """Let go of all connections."""
        self.database.close()

    def _rows(self, wanted: Select[Any]) -> Sequence[Any]:
        with self.database.reading() as connection:
            return connection.execute(wanted).all()

    def _named(self, wanted: Select[Any]) -> Sequence[RowMapping]:
        with self.database.reading() as connection:
            return connection.execute(wanted).mappings().all()


def _names_in(table: Table, name: str) -> Any:
    size = select(func.count()).select_from(table).where(table.c.group == GROUPS.c.id)
    return size.scalar_subquery().label(name)


def _sum(column: Any) -> Any:
    return cast(func.sum(column), column.type)  # PostgreSQL's sum of large integers is a decimal number


def _all(kind: Callable[..., One], rows: Sequence[Any]) -> list[One]:
    return [kind(*row) for row in rows]


def _group(row: RowMapping) -> Group:
    said = Triage(*(row[name] for name in _SAID)) if row["state"] else Triage()
    return Group(
        key=GroupKey(*(row[name] for name in _KEY)),
        first_seen=row["first_seen"],
        last_seen=row["last_seen"],
        count=row["count"],
        records=row["records"],
        callers=row["callers"],
        triage=said,
        examples=_SHAPES.decode(row["examples"]),
    )


def _decision(row: RowMapping) -> Decision:
    return Decision(**{**row, "evidence": _EVIDENCE.decode(row["evidence"])})
