"""A store that is full, locked, corrupt, deleted or gone costs evidence at most: traffic goes on, and it mends itself."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event

from proxy.store import CallKey, Store
from proxy.store.database import Database
from tests.emulator.caller import FIRST_REF, order
from tests.endtoend.running import Carried, carried
from tests.store.servers import PostgreSQL, postgresql

READ = f"/v2/orders/{FIRST_REF}"
RECOVERY = 10.0
"""Seconds after which a store that can be used again is in use."""
Breaking = Callable[[Carried, str], AbstractContextManager[None]]


@dataclass(frozen=True)
class Trouble:
    """What goes wrong, the word that is shown for it (none where it mends itself at once), and what it destroys."""

    name: str
    breaking: Breaking
    word: str = ""
    loses: bool = False


def file_of(address: str) -> Path:
    return Path(address.removeprefix("sqlite:///"))


@contextmanager
def locked_file(_proxy: Carried, address: str) -> Iterator[None]:
    other = sqlite3.connect(file_of(address), isolation_level=None)
    other.execute("PRAGMA busy_timeout = 5000")
    other.execute("BEGIN EXCLUSIVE")
    yield
    other.execute("ROLLBACK")
    other.close()


@contextmanager
def corrupt_file(_proxy: Carried, address: str) -> Iterator[None]:
    replace_with(file_of(address), os.urandom(65_536))
    yield


@contextmanager
def broken_pages(_proxy: Carried, address: str) -> Iterator[None]:
    """The head of the file is right, what is behind it is not."""
    whole = file_of(address).read_bytes()
    replace_with(file_of(address), whole[:4096] + b"\xff" * (len(whole) - 4096))
    yield


def replace_with(file: Path, content: bytes) -> None:
    """Another file takes its place at once, so that nobody is caught in the middle of writing."""
    draft = file.with_name("draft")
    draft.write_bytes(content)
    for end in ("-wal", "-shm"):
        file.with_name(file.name + end).unlink(missing_ok=True)
    draft.rename(file)


@contextmanager
def deleted_file(_proxy: Carried, address: str) -> Iterator[None]:
    for end in ("", "-wal", "-shm"):
        file_of(address).with_name(file_of(address).name + end).unlink(missing_ok=True)
    yield


@contextmanager
def folder_gone(_proxy: Carried, address: str) -> Iterator[None]:
    folder = file_of(address).parent
    folder.rename(folder.with_name("elsewhere"))
    yield
    folder.with_name("elsewhere").rename(folder)


@contextmanager
def full_disk(proxy: Carried, _address: str) -> Iterator[None]:
    """SQLite may not add a page: it says what it says when the disk has no room for one."""

    def no_room(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 1").close()

    engine = proxy.snapshot.recorder._database.engine
    event.listen(engine, "connect", no_room)
    for number in range(100):  # more callers than the pages that there are can hold
        key = CallKey(f"{'x' * 900}{number}", "orders.get", "v2", "")
        proxy.snapshot.recorder.called(key, failed=False, seconds=0)
    yield
    event.remove(engine, "connect", no_room)


@contextmanager
def locked_tables(_proxy: Carried, address: str) -> Iterator[None]:
    with psycopg.connect(address) as other:
        other.execute("LOCK TABLE crossfade.counts IN EXCLUSIVE MODE")
        yield


@contextmanager
def dropped_tables(_proxy: Carried, address: str) -> Iterator[None]:
    with psycopg.connect(address, autocommit=True) as other:
        other.execute("DROP SCHEMA crossfade CASCADE")
    yield


@contextmanager
def read_only(_proxy: Carried, address: str) -> Iterator[None]:
    with psycopg.connect(address, autocommit=True) as other:
        name = other.info.dbname
        other.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
        other.execute(others, [name])
        yield
        other.execute("SET default_transaction_read_only = off")
        other.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
        other.execute(others, [name])


FILES = [
    Trouble("locked", locked_file, "locked"),
    Trouble("corrupt", corrupt_file, loses=True),
    Trouble("broken pages", broken_pages, loses=True),
    Trouble("deleted", deleted_file, loses=True),
    Trouble("folder gone", folder_gone, "unwritable"),
    Trouble("full", full_disk, "full"),
]
TABLES = [
    Trouble("locked", locked_tables, "locked"),
    Trouble("dropped", dropped_tables, loses=True),
    Trouble("read only", read_only, "unwritable"),
]


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.store.recorder.FLUSH", 0.2)


@pytest.mark.parametrize("trouble", FILES, ids=lambda one: one.name)
def test_a_file_in_trouble(tmp_path: Path, trouble: Trouble) -> None:
    (tmp_path / "place").mkdir()
    survives(f"sqlite:///{tmp_path}/place/crossfade.db", trouble)
    aside = [one.name for one in (tmp_path / "place").iterdir() if one.name.endswith("Z")]
    assert len(aside) == (trouble.name in {"corrupt", "broken pages"})


@pytest.mark.parametrize("trouble", TABLES, ids=lambda one: one.name)
def test_a_database_in_trouble(server: PostgreSQL, trouble: Trouble) -> None:
    survives(server.created(f"trouble_{os.getpid()}_{TABLES.index(trouble)}"), trouble)


def test_a_server_that_goes_away_and_comes_back() -> None:
    with postgresql() as own:
        if own is None:
            pytest.skip("no PostgreSQL server is installed (Debian: apt-get install postgresql)")

        @contextmanager
        def gone(_proxy: Carried, _address: str) -> Iterator[None]:
            own.stop()
            yield
            own.start()

        survives(own.address, Trouble("gone", gone, "gone"))


def survives(address: str, trouble: Trouble) -> None:
    """Traffic before, during and after; every answer is v2's, and soon; the store mends itself and has what it can have."""
    keys = {"store.url": address, "shadow.sample": 1.0, "shadow.max_calls_per_second": 10_000}
    with carried(["shadow"], keys=keys) as proxy:
        proxy.json("POST", "/v2/orders", order())
        plain = traffic(proxy, 20)
        wait_for(lambda: reads(address) == 20, proxy)
        with trouble.breaking(proxy, address):
            troubled = traffic(proxy, 20)
            if trouble.word:
                wait_for(lambda: health(proxy).get("degraded") == ["store"], proxy)
                assert reasons(proxy) == {trouble.word}
                assert "crossfade_store_degraded 1.0" in proxy.metrics()
                troubled += traffic(proxy, 20)
        begun = time.monotonic()
        wait_for(lambda: "degraded" not in health(proxy), proxy)
        traffic(proxy, 20)
        wait_for(lambda: reads(address) >= (20 if trouble.loses else 80), proxy)
        assert time.monotonic() - begun < RECOVERY
        assert "crossfade_store_lost_total 0.0" in proxy.metrics()
        assert sorted(troubled)[len(troubled) // 2] < max(0.1, 3 * sorted(plain)[len(plain) // 2])
        assert max(troubled) < 1.5
        # A server that refuses and then cuts the line is told twice, each time with its reason.
        states = [state for state, _ in groupby(one["state"] for one in proxy.log_lines("degraded"))]
        assert states == (["degraded", "recovered"] if trouble.word else [])


def traffic(proxy: Carried, count: int) -> list[float]:
    """Seconds that each call took; all of them have to succeed."""
    times = []
    for _ in range(count):
        begun = time.perf_counter()
        assert proxy.ask("GET", READ).status == 200
        times.append(time.perf_counter() - begun)
    return times


def reads(address: str) -> int:
    """Reads that the store knows of; 0 while it cannot be asked."""
    try:
        with Store(address) as store:
            return sum(
                one.calls for one in store.callers() if one.endpoint == "orders.get" and len(one.caller) < 20
            )
    except Exception:  # noqa: BLE001 - it is broken on purpose
        return 0


def health(proxy: Carried) -> dict[str, object]:
    answer: dict[str, object] = json.loads(proxy.ask("GET", "/-/readyz").body)
    assert answer["status"] == "ready"
    return answer


def reasons(proxy: Carried) -> set[str]:
    return {one["reason"] for one in proxy.log_lines("degraded", least=1) if one["state"] == "degraded"}


def wait_for(true: Callable[[], bool], proxy: Carried) -> None:
    until = time.monotonic() + RECOVERY
    while not true():
        assert time.monotonic() < until, (health(proxy), proxy.log_lines("degraded"))
        time.sleep(0.05)


def test_a_database_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'theirs.db'}"
    with sqlite3.connect(tmp_path / "theirs.db") as theirs:
        theirs.execute("CREATE TABLE precious (thing)")
    theirs.close()
    with carried(["v2"], keys={"store.url": address}) as proxy:
        wait_for(lambda: health(proxy).get("degraded") == ["store"], proxy)
        assert reasons(proxy) == {"foreign"}
    with sqlite3.connect(tmp_path / "theirs.db") as theirs:
        assert theirs.execute("SELECT name FROM sqlite_master").fetchall() == [("precious",)]
    theirs.close()
    Database(address).close()
