"""What is kept and for how long: by age, by size, with a bound on groups; and a size that is about the real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.evidence.difference import Difference
from proxy.store import CallKey, Keep
from proxy.store.keeping import retain, size
from proxy.store.rows import Decision, Triage
from tests.evidence.bench import story
from tests.store.seen import CARD, EQUAL, KEEP, NOON, PRICE, Bench, bench, group_of, unexpected

DAY = 86_400


@story
async def test_what_is_too_old_goes_by_itself(address: str, tmp_path: Path) -> None:
    async with bench(address, tmp_path, Keep(age=5 * DAY, size=64 << 20)) as made:
        made.tell(EQUAL, unexpected(PRICE), record="old")
        made.recorder.called(CallKey("caller-1", "orders.get", "v2", ""), failed=False, seconds=0)
        await made.recorder.flush()
        made.store.decide(Decision("d", int(NOON * 1000), "r", "orders.get", "v2", "shadow", "x", {}, "c"))
        made.store.triage(group_of(PRICE), Triage("accepted", "r", "o"))
        made.clock.now += 4 * DAY
        made.tell(unexpected(CARD), record="new")
        await made.recorder.flush()
        assert len(made.store.groups()) == 2
        made.clock.now += 2 * DAY
        await flushed(made)
        assert [one.key.pointer for one in made.store.groups()] == ["/cardType"]
        assert [made.store.sightings("old"), made.store.decisions(), made.store.callers()] == [[], [], []]
        assert [one.cls for one in made.store.counts()] == ["unexpected"]
        made.tell(unexpected(PRICE))
        await made.recorder.flush()
        assert made.events("reopened") == []


async def flushed(made: Bench) -> None:
    made.tell()
    assert await made.recorder.flush()


@story
async def test_what_is_too_much_goes_oldest_first(address: str, tmp_path: Path) -> None:
    async with bench(address, tmp_path) as made:
        for minute in range(200):
            made.clock.now = NOON + 60 * minute
            for number in range(10):
                made.tell(unexpected(), record=f"r{minute}-{number}", caller=f"caller-{number}")
            if minute % 10 == 9:
                await made.recorder.flush()
        with made.store.database.writing() as connection:
            whole = size(connection)
            retain(connection, Keep(age=30 * DAY, size=whole // 2), made.clock.now)
            assert whole // 4 < size(connection) <= whole // 2
        windows = [one.window for one in made.store.counts(windows=True)]
        assert max(windows) == int(made.clock.now)
        assert min(windows) > NOON + 60 * 50
        assert len(made.store.sightings("r199-0")) == 1
        assert made.store.sightings("r0-0") == []
        assert made.store.groups()[0].count == 2000


@story
async def test_groups_are_bounded_and_those_that_somebody_judged_stay(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proxy.store.keeping.MOST_GROUPS", 20)
    async with bench(address, tmp_path) as made:
        differences = [Difference(f"/{{unknown:{number}}}", "extra", None, "string") for number in range(50)]
        for number, one in enumerate(differences):
            made.clock.now = NOON + number
            made.tell(unexpected(one))
            if not number:
                await made.recorder.flush()
                made.store.triage(group_of(one), Triage("accepted", "r", "o"))
        await made.recorder.flush()
        made.clock.now += 3600
        await flushed(made)
        kept = {one.key.id for one in made.store.groups()}
        assert kept == {group_of(one) for one in [differences[0], *differences[30:]]}


@story
async def test_the_size_is_about_that_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "crossfade.db"
    async with bench(f"sqlite:///{file}", tmp_path) as made:
        for number in range(3000):
            made.clock.now = NOON + 60 * (number // 100)
            name = f"{number % 100:012x}"
            made.tell(unexpected(), record=f"{number:012x}", caller=name)
            made.recorder.called(CallKey(name, "orders.get", "v2", ""), failed=False, seconds=0.1)
        differences = [
            Difference(f"/{{unknown:{number:012x}}}", "extra", None, "string") for number in range(1000)
        ]
        for one in differences:
            made.tell(unexpected(one, PRICE, CARD))
        await made.recorder.flush()
        with made.store.database.reading() as connection:
            counted = size(connection)
    assert 0.6 < counted / file.stat().st_size < 1.7


@story
async def test_memory_is_bounded_while_nothing_can_be_written(tmp_path: Path) -> None:
    async with bench(f"sqlite:///{tmp_path / 'none' / 'crossfade.db'}", tmp_path, KEEP) as made:
        for number in range(60_000):
            made.recorder.called(CallKey(f"c{number}", "orders.get", "v2", ""), failed=False, seconds=0)
            if number % 10_000 == 0:
                assert not await made.recorder.flush()
        for number in range(100):
            made.tell(unexpected(), record=f"r{number}")
        assert made.recorder.failure == "unwritable"
        assert made.sample("crossfade_store_waiting_rows") <= 40_000
        lost = made.sample("crossfade_store_lost_total")
        assert lost >= 60_000 + 100 - 40_000
        (tmp_path / "none").mkdir()
        assert await made.recorder.flush()
        assert await made.recorder.flush()
        assert made.sample("crossfade_store_waiting_rows") == 0
        assert made.sample("crossfade_store_lost_total") == lost
        written = sum(one.calls for one in made.store.callers()) + sum(
            one.count for one in made.store.counts()
        )
        assert written == 60_100 - lost
