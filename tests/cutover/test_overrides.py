"""Overrides: they only ever take back, survive in a file, lapse with their entry, and a broken file is named."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from proxy.cutover.guard import Watched
from proxy.cutover.holding import Holding
from proxy.cutover.memory import Memory, MemoryFile, UnreadableError, memory_path, recall, remember
from proxy.cutover.overrides import KEPT, Keeping, OverrideFile, overrides_path, stages_of
from proxy.cutover.stage import Stage
from proxy.errors import ConfigError
from proxy.store import Store
from proxy.store.rows import Decision, Override
from tests.cutover.test_routes import CALLERS, SOMEBODY, compiled


def override(route: str, stage: str = "shadow") -> Override:
    return Override(route=route, stage=stage, rule="command.rollback", at=1)


def decision(number: int) -> Decision:
    return Decision(
        id=str(number),
        at=number,
        route="r",
        endpoint="orders.get",
        old_stage="canary",
        new_stage="shadow",
        rule="guard.compared",
        evidence={"comparisons": 7},
        config="abc",
    )


def test_the_lower_of_file_and_override_is_in_effect() -> None:
    routes = compiled(
        {"endpoint": "orders.create", "callers": ["booking"], "stage": "canary", "percent": 10},
        {"writes": True, "stage": "live"},
        {"stage": "v2"},
    )
    keys = [entry.key for entry in routes.entries]
    lowered = routes.lowered({keys[0]: Stage.SHADOW, keys[1]: Stage.V2, keys[2]: Stage.SHADOW})
    mine, create = (
        lowered.route_for("orders.create", CALLERS["booking"]),
        lowered.route_for("orders.create", SOMEBODY),
    )
    assert (mine.stage, mine.percent, mine.index) == (Stage.SHADOW, 0.0, 0)
    assert (create.stage, create.percent, create.key) == (Stage.V2, 0.0, keys[1])
    assert lowered.route_for("orders.get", SOMEBODY).stage is Stage.V2
    assert routes.route_for("orders.create", SOMEBODY).stage is Stage.LIVE
    assert lowered.entry(keys[1]) == create
    assert routes.endpoints_of(keys[1]) == {"orders.create", "orders.update"}


def test_an_override_lapses_when_its_entry_changes() -> None:
    before = compiled({"stage": "canary", "percent": 10})
    over = {before.entries[0].key: Stage.SHADOW}
    assert before.lowered(over).entries[0].stage is Stage.SHADOW
    after = compiled({"stage": "canary", "percent": 20})
    assert after.lowered(over) is after
    assert after.entry(before.entries[0].key) is None


def test_overrides_that_nobody_knows_hold_back_what_may_go_back() -> None:
    routes = compiled(
        {"endpoint": "orders.create", "stage": "canary", "percent": 10},
        {"endpoint": "orders.get", "stage": "live"},
        {"writes": True, "stage": "v2.1"},
        {"stage": "shadow"},
    )
    create, get, *_ = (one.key for one in routes.entries)
    lost = Holding(None)
    assert lost.in_effect(routes, lambda key: key == get) == {create: Stage.SHADOW}
    lost.stages[get] = Stage.V2
    assert lost.in_effect(routes, lambda _: False) == {create: Stage.SHADOW, get: Stage.V2}
    taken, lifted = lost.learn({create: Stage.V2})
    assert (set(taken), set(lifted)) == ({create}, {get})
    assert lost.in_effect(routes, lambda _: False) == {create: Stage.V2}
    assert set(lost.keep(frozenset({get}))) == {create}
    assert lost.stages == {}


def test_overrides_and_decisions_are_kept_in_a_file(tmp_path: Path) -> None:
    path = overrides_path(tmp_path / "crossfade.journal")
    kept = OverrideFile(path)
    assert (kept.overrides(), kept.decisions(), kept.stamp()) == ([], [], (0, 0))
    kept.override(override("one"))
    first = kept.stamp()
    kept.override(override("two", "v2"))
    kept.override(override("one", "v2"))
    assert kept.stamp() != first
    for number in range(KEPT + 5):
        kept.decide(decision(number))
    again = OverrideFile(path)
    assert stages_of(again.overrides()) == {"one": Stage.V2, "two": Stage.V2}
    assert [one.at for one in again.decisions(limit=2)] == [KEPT + 4, KEPT + 3]
    assert len(again.decisions(limit=1000)) == KEPT
    again.lift(["one", "never"])
    assert [one.route for one in kept.overrides()] == ["two"]


@pytest.mark.parametrize("place", ["file", "store"])
def test_the_file_and_the_store_keep_the_same(tmp_path: Path, place: str) -> None:
    kept: Keeping = (
        OverrideFile(tmp_path / "overrides")
        if place == "file"
        else Store(f"sqlite:///{tmp_path / 'crossfade.db'}")
    )
    for route, stage in (("one", "shadow"), ("two", "v2"), ("one", "v2")):
        kept.override(override(route, stage))
    for number in range(3):
        kept.decide(decision(number))
    assert stages_of(kept.overrides()) == {"one": Stage.V2, "two": Stage.V2}
    assert kept.decisions(limit=2) == [decision(2), decision(1)]
    kept.lift(["one"])
    assert kept.overrides() == [override("two", "v2")]


def test_an_override_names_no_stage_in_which_v2_1_answers() -> None:
    assert stages_of([override("one", "live"), override("two", "canary"), override("three", "?")]) == {}


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "overrides"

    def write(name: str) -> None:
        for number in range(20):
            OverrideFile(path).override(override(f"{name}{number}"))

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(OverrideFile(path).overrides()) == 60
    assert [one.name for one in tmp_path.iterdir()] == ["overrides"]


@pytest.mark.parametrize("text", ["", "{", '{"format": 9}', "[1]", '{"format": 1, "overrides": 3}'])
def test_a_file_of_something_else_is_named_and_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "overrides"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"overrides: holds no overrides; move it away"):
        OverrideFile(path).overrides()
    with pytest.raises(ConfigError):
        OverrideFile(path).override(override("one"))
    assert path.read_text() == text


def test_what_the_guard_has_learnt_survives(tmp_path: Path) -> None:
    path = memory_path(tmp_path / "crossfade.journal")
    assert recall(path) == Memory()
    kept = Memory(watched={"r": Watched(1.0)}, crossed={"orders": 2.0})
    remember(path, kept)
    path.chmod(0o640)
    remember(path, kept)
    assert recall(path) == kept
    assert path.stat().st_mode & 0o777 == 0o640


BROKEN = [b"", b'{"format": 7}', b'{"watched": 1}', b"\xff", b'{"format": 1, "crossed": {"orders"']


@pytest.mark.parametrize("data", BROKEN)
def test_what_cannot_be_read_is_named_and_not_written_over(tmp_path: Path, data: bytes) -> None:
    path = memory_path(tmp_path / "crossfade.journal")
    path.write_bytes(data)
    with pytest.raises(
        ConfigError, match=r"journal.guard: holds nothing that the guard has learnt; mend it, or"
    ):
        recall(path)
    begun = MemoryFile(path)
    for _ in range(2):
        with pytest.raises(UnreadableError):
            begun.keep(Memory(crossed={"orders": 2.0}))
    assert path.read_bytes() == data
    path.unlink()
    assert begun.keep(Memory(crossed={"orders": 2.0})).crossed == {"orders": 2.0}
    assert recall(path).crossed == {"orders": 2.0}


@pytest.mark.parametrize("data", [*BROKEN, None])
def test_what_is_broken_or_removed_under_a_process_that_knows_is_written_anew(
    tmp_path: Path, data: bytes | None
) -> None:
    path = memory_path(tmp_path / "crossfade.journal")
    knowing = MemoryFile(path)
    kept = knowing.keep(Memory(crossed={"orders": 2.0}))
    if data is None:
        path.unlink()
    else:
        path.write_bytes(data)
    assert knowing.keep(kept) == kept
    assert recall(path) == kept


def test_a_share_of_few_keys_takes_the_place_of_none(tmp_path: Path) -> None:
    path = memory_path(tmp_path / "crossfade.journal")
    MemoryFile(path).keep(Memory(splits={"r": (5_000, 31.0), "gone": (5_000, 9.0)}))
    begun = MemoryFile(path)
    assert begun.keep(Memory(splits={"r": (0, 0.0)})).splits == {"r": (5_000, 31.0)}
    assert begun.keep(Memory(splits={"r": (99, 10.0), "new": (3, 0.0)})).splits["r"] == (5_000, 31.0)
    assert begun.keep(Memory(splits={"r": (100, 11.0)})).splits == {"r": (100, 11.0)}
    assert recall(path).splits == {"r": (100, 11.0)}


def test_processes_of_one_folder_keep_what_the_others_know(tmp_path: Path) -> None:
    path = memory_path(tmp_path / "crossfade.journal")
    one, other = MemoryFile(path), MemoryFile(path)
    mine = Memory(crossed={"orders": 2.0}, conflicts={"orders.create": 3})
    assert one.keep(mine) == mine
    theirs = Memory(watched={"r": Watched(1.0)}, conflicts={"orders.create": 1, "guests.create": 1})
    known = other.keep(theirs)
    assert (known.crossed, known.conflicts) == ({"orders": 2.0}, {"orders.create": 3, "guests.create": 1})
    assert one.keep(mine).conflicts == known.conflicts
    remember(path, Memory())  # written at the same moment, by one who did not know
    assert one.keep(mine).crossed == {"orders": 2.0}
    assert recall(path).crossed == {"orders": 2.0}
    written = path.stat().st_ino
    for process in (one, other):
        process.keep(mine)
    assert path.stat().st_ino != written
    written = path.stat().st_ino
    one.keep(mine)
    other.keep(mine)
    assert path.stat().st_ino == written, "what is known already is not written again"


def test_a_folder_that_cannot_be_written_leaves_no_draft(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    (taken / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        remember(taken, Memory())
    assert [one.name for one in tmp_path.iterdir()] == ["taken"]
