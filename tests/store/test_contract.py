"""What every store must do, whichever database is behind it."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import inspect, update

from proxy.errors import StoreError
from proxy.store import CallKey, Store, fold
from proxy.store.database import Database
from proxy.store.rows import Decision, Override, Triage
from proxy.store.schema import META, METADATA, OVERRIDES, SCHEMA
from proxy.store.writing import RECORDS, add, write
from tests.evidence.bench import story
from tests.store.seen import CARD, EQUAL, NOON, PRICE, bench, group_of, skipped_one, unexpected

ENDPOINTS = ("orders.get", "orders.list")
DAY = 86_400


@story
async def test_what_is_told_is_what_is_read(address: str, tmp_path: Path) -> None:
    async with bench(address, tmp_path) as made:
        made.tell(EQUAL, EQUAL, record="a")
        made.tell(EQUAL, record="b")
        made.tell(unexpected(PRICE, CARD), unexpected(PRICE), record="c", caller="caller-2")
        made.tell(skipped_one(), record="")
        assert await made.recorder.flush()
        found = {(one.cls, one.reason, one.caller): (one.count, one.records) for one in made.store.counts()}
        assert found == {
            ("equal", "", "caller-1"): (3, 2),
            ("unexpected", "", "caller-2"): (2, 1),
            ("skipped", "dropped", "caller-1"): (1, 1),
        }
        price, card = (made.store.groups(ids=[group_of(one)])[0] for one in (PRICE, CARD))
        assert (price.count, price.records, price.callers) == (2, 1, 1)
        assert (card.count, card.key.pointer, card.key.kind, card.key.v2, card.key.v2_1) == (
            1, "/cardType", "missing", "string", None
        )  # fmt: skip
        assert price.triage.state == "new"
        assert [one[0] for one in price.examples[0].differences] == ["/price", "/cardType"]
        assert price.examples[0].request_id == "request-1"
        assert made.store.callers_of(price.key.id) == {"caller-2": 2}
        assert made.store.groups_of("caller-2") == {price.key.id, card.key.id}
        assert made.store.groups_of("caller-1") == set()
        assert made.store.open_groups() == {"caller-2": 2}
        made.store.triage(price.key.id, Triage("accepted", "r", "o"))
        made.store.triage(card.key.id, Triage("bug", "r", "o"))
        assert made.store.open_groups() == {"caller-2": 1}
        assert [(one.group, one.count) for one in made.store.sightings("c")] == sorted(
            [(price.key.id, 2), (card.key.id, 1)]
        )
        assert made.store.sightings("a") == []


@story
async def test_batches_add_up_and_windows_stay_apart(address: str, tmp_path: Path) -> None:
    async with bench(address, tmp_path) as made:
        for minute in range(3):
            made.clock.now = NOON + 60 * minute
            for record in "abc":
                made.tell(unexpected(), record=record, caller=f"caller-{minute}", request_id=f"r{minute}")
            assert await made.recorder.flush()
        (group,) = made.store.groups()
        assert (group.count, group.records, group.callers) == (9, 3, 3)
        assert (group.first_seen, group.last_seen) == (int(NOON * 1000), int(made.clock.now * 1000))
        assert [one.request_id for one in group.examples] == ["r0", "r0", "r2"]
        by_window = made.store.counts(windows=True)
        assert sorted((one.window % 60, one.count, one.records) for one in by_window) == [(0, 3, 3)] * 3
        assert len(made.store.counts(since=int(NOON) + 60)) == 2


@story
async def test_beyond_a_bound_records_of_a_minute_are_not_told_apart(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold, "_DISTINCT", 2)
    async with bench(address, tmp_path) as made:
        for minute in range(2):
            made.clock.now = NOON + 60 * minute
            for record in "abca":
                made.tell(EQUAL, record=record)
        assert await made.recorder.flush()
        assert [(one.count, one.records) for one in made.store.counts(windows=True)] == [(4, 2)] * 2


@story
async def test_calls_of_callers_are_counted_by_version(address: str, tmp_path: Path) -> None:
    async with bench(address, tmp_path) as made:
        for number in range(10):
            key = CallKey("caller-1", "orders.get", "v2" if number % 2 else "v2.1", "")
            made.recorder.called(key, failed=number == 0, seconds=0.5)
        made.recorder.called(CallKey("caller-2", "unmapped", "v2", "PATCH /x/{y}"), failed=False, seconds=0)
        assert await made.recorder.flush()
        found = {
            (one.caller, one.version): (one.calls, one.failures, one.seconds) for one in made.store.callers()
        }
        assert found == {
            ("caller-1", "v2"): (5, 0, 2.5),
            ("caller-1", "v2.1"): (5, 1, 2.5),
            ("caller-2", "v2"): (1, 0, 0.0),
        }
        assert made.store.callers()[-1].call == "PATCH /x/{y}"
        assert made.store.callers(since=int(NOON) + 3600) == []


@story
async def test_a_batch_whose_commit_went_unheard_is_not_added_twice(address: str, tmp_path: Path) -> None:
    async with bench(address, tmp_path) as made:
        made.tell(unexpected())
        batch = made.recorder._fold.take()
        for _ in range(3):
            with made.store.database.writing() as connection:
                write(connection, "writer", 7, batch, 1)
        with made.store.database.writing() as connection:
            write(connection, "another", 1, batch, 1)
        assert [one.count for one in made.store.groups()] == [2]


@story
async def test_two_processes_write_to_one_store(address: str, tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    async with bench(address, tmp_path) as one, bench(address, tmp_path / "two") as two:
        for number in range(20):
            for made in (one, two):
                made.tell(unexpected(PRICE, CARD), record=f"r{number}")
                assert await made.recorder.flush()
        assert [(group.count, group.records) for group in one.store.groups()] == [(40, 20)] * 2


@story
async def test_triage_holds_until_it_is_over(address: str, tmp_path: Path) -> None:
    async with bench(address, tmp_path) as made:
        made.tell(unexpected())
        await made.recorder.flush()
        name = group_of(PRICE)
        said = Triage("accepted", "agreed with the platform", "ana", "2026-09-22", int(NOON * 1000))
        made.store.triage(name, said)
        assert made.store.groups()[0].triage == said
        made.clock.now += 3600
        made.tell(unexpected())
        await made.recorder.flush()
        assert made.events("reopened") == []
        made.clock.now = NOON + 3 * DAY
        made.tell(unexpected(), unexpected())
        await made.recorder.flush()
        (event,) = made.events("reopened")
        assert (event["group"], event["was"], event["owner"], event["endpoint"]) == (
            name, "accepted", "ana", "orders.get"
        )  # fmt: skip
        assert made.store.groups()[0].triage == Triage()
        made.tell(unexpected())
        await made.recorder.flush()
        assert len(made.events("reopened")) == 1
        assert made.sample("crossfade_groups_reopened_total") == 1


@pytest.mark.parametrize("state", ["bug", "ignored"])
@story
async def test_a_closed_group_that_was_quiet_is_an_alert_when_it_comes_back(
    address: str, tmp_path: Path, state: str
) -> None:
    async with bench(address, tmp_path) as made:
        made.tell(unexpected())
        await made.recorder.flush()
        made.store.triage(group_of(PRICE), Triage(state, "mended", "ben", "", int(NOON * 1000)))  # type: ignore[arg-type]  # a word from the list above
        made.clock.now += 2 * DAY
        made.tell(unexpected())
        await made.recorder.flush()
        assert [(one["was"], one["owner"]) for one in made.events("reopened")] == [(state, "ben")]


@story
async def test_what_the_guard_keeps_comes_back(address: str, tmp_path: Path) -> None:
    async with bench(address, tmp_path) as made:
        await made.recorder.flush()
        store = made.store
        decision = Decision("d1", 5, "route-1", "orders.get", "live", "shadow", "guard", {"n": 3}, "abc")
        store.decide(decision)
        store.decide(Decision("d2", 6, "route-1", "orders.get", "shadow", "live", "command", {}, "abd"))
        assert store.decisions(limit=1)[0].id == "d2"
        assert store.decisions()[1] == decision
        store.remember({("route-1", "unexpected"): "[1]", ("route-1", "slow"): "[2]"}, 5)
        store.remember({("route-1", "slow"): "[3]"}, 6)
        assert store.guard_states() == {("route-1", "unexpected"): "[1]", ("route-1", "slow"): "[3]"}
        store.override(Override("route-1", "shadow", "guard", 5))
        store.override(Override("route-1", "v2", "command", 6))
        assert store.overrides() == [Override("route-1", "v2", "command", 6)]
        store.lift(["route-1"])
        assert store.overrides() == []


@story
async def test_names_of_a_group_are_bounded_and_its_counts_go_on(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proxy.store.writing.RECORDS", 50)
    assert RECORDS > 50
    async with bench(address, tmp_path) as made:
        for start in (0, 40, 80):
            for number in range(start, start + 40):
                made.tell(unexpected(), record=f"r{number}")
            await made.recorder.flush()
        (group,) = made.store.groups()
        assert (group.count, group.records) == (120, 50)


@story
async def test_nothing_of_a_request_reaches_the_store(address: str, tmp_path: Path) -> None:
    async with bench(address, tmp_path) as made:
        made.tell(unexpected(PRICE), record="hash")
        await made.recorder.flush()
        with made.store.database.reading() as connection:
            text = json.dumps(
                [
                    list(map(str, row))
                    for table in METADATA.tables.values()
                    for row in connection.execute(table.select())
                ]
            )
        assert "hash" in text
        assert "Authorization" not in text


def test_reading_where_nothing_was_ever_written_says_so(address: str) -> None:
    with Store(address) as store, pytest.raises(StoreError, match="no store yet"):
        store.groups()


@story
async def test_a_newer_store_is_left_alone(address: str, tmp_path: Path) -> None:
    async with bench(address, tmp_path) as made:
        await made.recorder.flush()
        restamp(made.store, "99")
        made.tell(unexpected())
        assert not await made.recorder.flush()
        assert [one["reason"] for one in made.events("degraded")] == ["newer_schema"]
        with pytest.raises(StoreError, match="has schema 99"):
            made.store.groups()
        restamp(made.store, str(SCHEMA), "99")
        assert await made.recorder.flush()
        assert [one.count for one in made.store.groups()] == [1]


@pytest.mark.parametrize("stamp", ["0", "what"])
@story
async def test_an_older_store_is_set_aside_and_a_new_one_made(
    address: str, tmp_path: Path, stamp: str
) -> None:
    async with bench(address, tmp_path) as made:
        made.tell(unexpected())
        await made.recorder.flush()
        restamp(made.store, stamp)
        made.tell(unexpected(CARD))
        assert await made.recorder.flush()
        assert [one.key.pointer for one in made.store.groups()] == ["/cardType"]
        assert made.recorder.failure == ""
        assert len(set_aside(made.store, tmp_path)) == 1


def test_processes_that_start_together_make_one_store(address: str) -> None:
    databases = [Database(address, patience=10.0) for _ in range(8)]
    together = threading.Barrier(len(databases))

    def begin(database: Database) -> int:
        together.wait()
        with database.writing() as connection:
            add(connection, OVERRIDES, [{"route": str(id(database)), "stage": "v2", "rule": "x", "at": 1}])
        return 1

    with ThreadPoolExecutor(len(databases)) as threads:
        assert sum(threads.map(begin, databases)) == 8
    with Store(address) as store:
        assert len(store.overrides()) == 8
    for one in databases:
        one.close()


def restamp(store: Store, stamp: str, before: str = str(SCHEMA)) -> None:
    with store.database.engine.begin() as connection:
        done = connection.execute(update(META).where(META.c.value == before).values(value=stamp))
        assert done.rowcount == 1


def set_aside(store: Store, folder: Path) -> list[str]:
    """Names of the stores that were set aside."""
    if store.database.file:
        return [one.name for one in folder.glob("*.set-aside-*Z")]
    with store.database.engine.begin() as connection:
        names = inspect(connection).get_schema_names()
    return [one for one in names if "set_aside" in one]
