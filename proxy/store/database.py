"""Opening a database: which one, with what settings, and what is done about one that is old or broken.

Evidence is disposable: a store of an older schema and a file that is no database any more are set aside under another
name, and a new one is made. A store of a newer schema is left alone, since during an update an old process must not
undo what a new one did; so is a database that belongs to somebody else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from proxy.errors import ConfigError, StoreError
from proxy.store.schema import META, METADATA, SCHEMA

Trouble: TypeAlias = Literal[
    "full", "locked", "unwritable", "refused", "gone", "corrupt", "older_schema", "newer_schema", "foreign", "failed"
]  # fmt: skip
"""Why the store cannot be used; docs/store.md explains each."""

_NONE_YET = "there is no store yet; it is made by `crossfade serve`"
_NAMESPACE = "crossfade"
_LOCK = 0x63726F7373  # any number that all replicas use
_ASIDE = ".set-aside-"
_KEPT_ASIDE = 3
_SQLITE_TROUBLES: tuple[tuple[str, Trouble], ...] = (
    ("SQLITE_FULL", "full"),
    ("SQLITE_BUSY", "locked"),
    ("SQLITE_LOCKED", "locked"),
    ("SQLITE_CORRUPT", "corrupt"),
    ("SQLITE_NOTADB", "corrupt"),
    ("SQLITE_READONLY", "unwritable"),
    ("SQLITE_CANTOPEN", "unwritable"),
    ("SQLITE_PERM", "unwritable"),
)
_POSTGRESQL_TROUBLES: tuple[tuple[str, Trouble], ...] = (
    ("53", "full"),  # insufficient resources
    ("55P03", "locked"),
    ("57014", "locked"),  # a statement that waited too long
    ("25006", "unwritable"),
    ("42501", "unwritable"),
    ("28", "refused"),
    ("3D000", "refused"),  # there is no such database
    ("08", "gone"),
    ("57P", "gone"),
)
_CONNECT = {"connect_timeout": "3", "tcp_user_timeout": "5000"}
"""Seconds and milliseconds after which a server that has vanished counts as gone."""
_SESSION = ("SET search_path TO crossfade", "SET statement_timeout TO '5s'", "SET lock_timeout TO '2s'")


class Database:
    """One store, by its address. Nothing is opened before it is used. Raises `ConfigError` for a driver that is missing."""

    def __init__(self, address: str, *, patience: float = 2.0) -> None:
        """`patience` is how many seconds a file that somebody else writes is waited for."""
        self.file = Path(address.removeprefix("sqlite:///")) if address.startswith("sqlite:///") else None
        self.engine = _sqlite(address, patience) if self.file else _postgresql(address)

    @contextmanager
    def writing(self, *, patience: int = 5) -> Iterator[Connection]:
        """A transaction in tables of our schema; they are made where there are none. Raises `StoreError`.

        `patience` is how many seconds a server may take for one statement.
        """
        with self._told(), self.engine.begin() as connection:
            if self.file:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.exec_driver_sql(f"SET LOCAL statement_timeout TO '{patience}s'")
            self._prepare(connection)
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state. Raises `StoreError`, also where there is no store yet."""
        if self.file and not self.file.exists():
            raise StoreError(_NONE_YET, "gone")
        with self._told(), self.engine.begin() as connection:
            if self.file:
                connection.exec_driver_sql("BEGIN")
            stamp = _stamp(connection)
            if stamp is None:
                raise StoreError(_NONE_YET, "gone")
            if stamp != SCHEMA:
                raise StoreError(
                    f"the store has schema {stamp}, this program reads {SCHEMA}; "
                    "`crossfade serve` of this version makes a new one",
                    "newer_schema" if stamp > SCHEMA else "older_schema",
                )
            yield connection

    def set_aside(self) -> None:
        """Give a broken file another name, so that a new one can be made. Raises `OSError`."""
        if self.file is None:
            return
        self.engine.dispose()
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        for end in ("-wal", "-shm", ""):
            part = self.file.with_name(self.file.name + end)
            if part.exists():
                part.rename(self.file.with_name(f"{self.file.name}{_ASIDE}{stamp}{end}"))
        older = sorted(self.file.parent.glob(f"{self.file.name}{_ASIDE}*Z"))
        for one in older[:-_KEPT_ASIDE]:
            for end in ("-wal", "-shm", ""):
                one.with_name(one.name + end).unlink(missing_ok=True)

    def compact(self) -> None:
        """Write a file anew, so that nothing that was deleted is left in it. Raises `StoreError`."""
        if self.file is None:
            return  # PostgreSQL does that by itself
        with self._told(), self.engine.connect() as connection:
            for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                connection.exec_driver_sql(statement)

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    def _prepare(self, connection: Connection) -> None:
        stamp = _stamp(connection)
        if stamp == SCHEMA:
            return
        if stamp is not None and stamp > SCHEMA:
            raise StoreError("the store belongs to a newer version of this program", "newer_schema")
        if self.file is None:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            stamp = _stamp(connection)
            if stamp is not None and stamp < SCHEMA:
                aside = f"{_NAMESPACE}_set_aside_{datetime.now(UTC):%Y%m%dt%H%M%S%f}"
                connection.exec_driver_sql(f"ALTER SCHEMA {_NAMESPACE} RENAME TO {aside}")
            connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {_NAMESPACE}")
        elif stamp is not None:
            raise StoreError("the store belongs to an older version of this program", "older_schema")
        elif inspect(connection).get_table_names():
            raise StoreError("the file is a database of somebody else; name another in store.url", "foreign")
        METADATA.create_all(connection)
        if _stamp(connection) is None:
            connection.execute(insert(META).values(name="schema", value=str(SCHEMA)))

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            trouble = trouble_of(error)
            raise StoreError(f"the store cannot be used ({trouble}); see docs/store.md", trouble) from None


def trouble_of(error: SQLAlchemyError) -> Trouble:
    """What kind of trouble a database has, from its error codes; never from its texts, which quote values."""
    origin = error.orig if isinstance(error, DBAPIError) else None
    name = getattr(origin, "sqlite_errorname", None)
    state = getattr(origin, "sqlstate", None)
    if name is not None:
        return next((trouble for start, trouble in _SQLITE_TROUBLES if name.startswith(start)), "failed")
    if state is not None:
        return next((trouble for start, trouble in _POSTGRESQL_TROUBLES if state.startswith(start)), "failed")
    return "gone" if isinstance(error, DBAPIError) else "failed"


def _stamp(connection: Connection) -> int | None:
    """The schema of the store; `None` where there is none, 0 for one that is not a number."""
    if not inspect(connection).has_table(META.name):
        return None
    found = connection.execute(select(META.c.value).where(META.c.name == "schema")).scalar()
    return None if found is None else int(found) if re.fullmatch(r"\d{1,9}", found) else 0


def _sqlite(address: str, patience: float) -> Engine:
    # One connection for each use, so that a file that was deleted or replaced is noticed at the next.
    engine = create_engine(address, poolclass=NullPool, connect_args={"timeout": patience})

    @event.listens_for(engine, "connect")
    def _set(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "secure_delete = ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    return engine


def _postgresql(address: str) -> Engine:
    try:
        url = make_url(address).set(drivername="postgresql+psycopg")
        url = url.update_query_dict({**_CONNECT, **url.query})
        engine = create_engine(url, pool_size=1, max_overflow=2, pool_pre_ping=True)
    except (ImportError, NoSuchModuleError):
        raise ConfigError(
            "store.url: PostgreSQL needs its driver; install crossfade with the extra [postgresql]"
        ) from None
    except (ArgumentError, ValueError):
        raise ConfigError(
            "store.url: is no address of a database; write postgresql://user@host/name"
        ) from None

    @event.listens_for(engine, "connect")
    def _set(connection: Any, _record: object) -> None:
        for statement in _SESSION:
            connection.execute(statement)
        connection.commit()

    return engine
