"""The tables of the store, for SQLite and PostgreSQL alike. No column has room for a value of a request.

Rows are folded: what happens ten thousand times is a number in one row. A caller is its id, a record its keyed hash, a
place a contract pointer. `SCHEMA` is raised whenever a table changes; a store of an older schema is set aside.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, MetaData, Table, Text

SCHEMA = 2
"""The stamp of these tables."""

METADATA = MetaData()


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


META = Table("meta", METADATA, _key("name"), _text("value"))
"""`schema`: the stamp."""

WRITERS = Table("writers", METADATA, _key("id"), _number("batch"), _number("at"))
"""The last batch of each process, so that one whose commit went unheard is not added twice."""

COUNTS = Table(
    "counts",
    METADATA,
    Column("window", BigInteger, primary_key=True, autoincrement=False),
    *map(_key, ("endpoint", "route", "stage", "evidence", "class", "reason", "caller")),
    _number("count"),
    _number("records"),
)
"""Comparisons by how they ended. `window` is the Unix time at which its minute begins; `records` are distinct in it."""

GROUPS = Table(
    "groups",
    METADATA,
    _key("id"),
    _text("endpoint"),
    Column("status_v2", BigInteger),
    Column("status_v2_1", BigInteger),
    _text("pointer"),
    _text("kind"),
    _text("v2", nullable=True),
    _text("v2_1", nullable=True),
    _number("first_seen"),
    _number("last_seen"),
    _number("count"),
    _text("examples"),
)
"""Divergences of one kind. Times are milliseconds since 1970; `examples` is JSON: shapes of a few comparisons."""

TRIAGE = Table(
    "triage",
    METADATA,
    _key("group"),
    _text("state"),
    _text("reason"),
    _text("owner"),
    _text("until"),
    _number("at"),
)
"""What people have said about a group; `until` is a date, or empty. A group without a row is new."""

SIGHTINGS = Table(
    "sightings", METADATA, _key("group"), _key("record"), _number("count"), _number("last_seen")
)
"""Which records showed a group."""

TOUCHED = Table("touched", METADATA, _key("group"), _key("caller"), _number("count"), _number("last_seen"))
"""Which callers met a group."""

ACTIVITY = Table(
    "activity",
    METADATA,
    Column("window", BigInteger, primary_key=True, autoincrement=False),
    *map(_key, ("caller", "endpoint", "version", "call")),
    _number("calls"),
    _number("failures"),
    Column("seconds", Float, nullable=False),
    _number("last_seen"),
)
"""Calls of callers by hour. `call` is method and path template of what no mapping covers; `failures` are answers 5xx."""

COVERED = Table(
    "covered", METADATA, *map(_key, ("endpoint", "evidence", "part", "name")), _number("last_seen")
)
"""What of v2's contract was compared, by kind of evidence: contract pointers, enumerated values, statuses."""

FIRED = Table("fired", METADATA, *map(_key, ("endpoint", "rule")), _number("count"), _number("last_seen"))
"""The declarations of a mapping that acted in comparisons, by id, and in how many."""

DECISIONS = Table(
    "decisions",
    METADATA,
    _key("id"),
    _number("at"),
    *map(_text, ("route", "endpoint", "old_stage", "new_stage", "rule", "evidence", "config")),
)
"""What was decided about routes; `evidence` is JSON."""

GUARD_STATE = Table("guard_state", METADATA, _key("route"), _key("kind"), _text("state"), _number("at"))
"""What the guard remembers of each route and kind of event; `state` is JSON."""

OVERRIDES = Table("overrides", METADATA, _key("route"), _text("stage"), _text("rule"), _number("at"))
"""Stages that stand above the file's, by the key of the route entry."""

Index("counts_endpoint", COUNTS.c.endpoint, COUNTS.c.window)
Index("groups_last_seen", GROUPS.c.last_seen)
Index("sightings_record", SIGHTINGS.c.record)
Index("sightings_last_seen", SIGHTINGS.c.last_seen)
Index("touched_caller", TOUCHED.c.caller)
Index("decisions_at", DECISIONS.c.at)
