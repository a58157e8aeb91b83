"""The journal on a real disk: what it holds after crashes, full disks and several processes."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from proxy.log import EventLog, open_log
from proxy.upstream import journal as under_test
from proxy.upstream.entries import Entry, line, read, standing
from proxy.upstream.journal import Journal
from proxy.upstream.journals import alone, resolve, survey

NAME = "crossfade.journal"
ROOT = Path(__file__).parents[2]


def entry(request: str = "r1", **changes: Any) -> Entry:
    fields: dict[str, Any] = {
        "state": "open",
        "request": request,
        "step": 1,
        "at": 1,
        "endpoint": "things.make",
    }
    return Entry(**{**fields, "method": "POST", "caller": "c", "record": "abc", **changes})


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventLog]:
    made = open_log(str(tmp_path / "log.jsonl"), strict=True)
    yield made
    assert made.lost == 0
    made.close()


def events(folder: Path, name: str) -> list[dict[str, Any]]:
    lines = [json.loads(one) for one in (folder / "log.jsonl").read_text().splitlines()]
    return [one for one in lines if one["event"] == name]


def enter(journal: Journal, *entries: Entry) -> None:
    async def all_of_them() -> None:
        for one in entries:
            await journal.enter(one)

    asyncio.run(all_of_them())


def close(journal: Journal, entry: Entry) -> None:
    """Note that a write is closed, and let the turn of the loop end."""

    async def in_a_turn() -> None:
        journal.note(entry)
        await asyncio.sleep(0)

    asyncio.run(in_a_turn())


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{NAME}.*"))


def doubtful(folder: Path) -> dict[str, str]:
    return {one.request: one.state for one in survey(folder / NAME).in_doubt}


def test_nothing_is_made_before_the_first_write(tmp_path: Path, log: EventLog) -> None:
    journal = Journal(tmp_path / NAME, log)
    assert (files(tmp_path), journal.in_doubt()) == ([], 0)
    journal.close()
    assert files(tmp_path) == []


def test_a_write_stands_while_it_is_in_flight_and_goes_when_its_caller_has_the_answer(
    tmp_path: Path, log: EventLog
) -> None:
    journal = Journal(tmp_path / NAME, log)
    enter(journal, entry())
    assert survey(tmp_path / NAME) == ([], 1)
    close(journal, entry().closing("handed", 2))
    assert survey(tmp_path / NAME) == ([], 0)
    journal.close()
    assert files(tmp_path) == []


@pytest.mark.parametrize("state", ["unknown", "answered"])
def test_what_stays_in_doubt_is_told_counted_and_kept_for_the_next_process(
    tmp_path: Path, log: EventLog, state: Any
) -> None:
    journal = Journal(tmp_path / NAME, log)
    enter(journal, entry())
    journal.note(entry().doubtful(state, "CF-TIMEOUT"))
    [told] = events(tmp_path, "in_doubt")
    assert (told["request_id"], told["outcome"], told["code"], told["record"]) == (
        "r1",
        state,
        "CF-TIMEOUT",
        "abc",
    )
    assert (journal.in_doubt(), doubtful(tmp_path)) == (1, {"r1": state})
    journal.close()
    following = Journal(tmp_path / NAME, log)
    following.start()
    assert (following.in_doubt(), doubtful(tmp_path), len(files(tmp_path))) == (1, {"r1": state}, 1)
    following.close()
    assert doubtful(tmp_path) == {"r1": state}


def test_an_operators_word_closes_it_while_the_process_runs(tmp_path: Path, log: EventLog) -> None:
    journal = Journal(tmp_path / NAME, log)
    for name in ("r1", "r2"):
        enter(journal, entry(name))
        journal.note(entry(name).doubtful("unknown"))
    resolve(tmp_path / NAME, [("r1", 1)])
    assert (doubtful(tmp_path), journal.in_doubt()) == ({"r2": "unknown"}, 1)
    enter(journal, entry("r3"))
    journal.note(entry("r3").doubtful("unknown"))
    resolve(tmp_path / NAME, [("r3", 1)])
    journal.close()
    assert doubtful(tmp_path) == {"r2": "unknown"}


def test_a_line_cut_short_by_a_crash_is_passed_over(tmp_path: Path, log: EventLog) -> None:
    journal = Journal(tmp_path / NAME, log)
    enter(journal, entry("r1"), entry("r2"))
    [path] = files(tmp_path)
    whole = path.read_bytes()
    left = tmp_path / f"{NAME}.00000000"
    ends = [len(whole.splitlines(keepends=True)[0]), len(whole) - 1]
    for size in range(len(whole) + 1):
        left.write_bytes(whole[:size])
        found = [one.request for one in read(left.read_bytes())]
        assert found == ["r1", "r2"][: sum(size >= end - (n == 0) for n, end in enumerate(ends))]
    left.write_bytes(b"\x00\xff{]\n" + whole[:-9] + b"\n[]\n")
    assert [one.request for one in read(left.read_bytes())] == ["r1"]
    journal.close()


def test_an_operators_word_counts_behind_a_line_cut_short(tmp_path: Path) -> None:
    left = tmp_path / f"{NAME}.00000000"
    left.write_bytes(line(entry("r1")) + line(entry("r2")) + b'{"state":"op')
    resolve(tmp_path / NAME, [("r1", 1)])
    assert doubtful(tmp_path) == {"r2": "unknown"}


def test_lines_add_up_in_any_order() -> None:
    lines = [entry(), entry().doubtful("unknown"), entry().closing("resolved", 2), entry("r2")]
    assert standing(lines) == standing(reversed(lines)) == {("r2", 1): entry("r2")}
    assert standing([entry().doubtful("answered"), entry()])["r1", 1].state == "answered"


def test_closed_entries_go_when_the_file_has_grown(
    tmp_path: Path, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "GROWTH", 2000)
    journal = Journal(tmp_path / NAME, log)
    enter(journal, entry("kept"))
    largest = 0
    for number in range(200):
        one = entry(f"r{number}")
        enter(journal, one)
        close(journal, one.closing("handed", 2))
        [path] = files(tmp_path)
        largest = max(largest, path.stat().st_size)
    assert 1500 < largest < 2600
    assert survey(tmp_path / NAME) == ([], 1)
    journal.close()


def test_closed_entries_go_after_a_while(
    tmp_path: Path, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "AGE", 0.0)
    journal = Journal(tmp_path / NAME, log)
    enter(journal, entry("r1"))
    close(journal, entry("r1").closing("handed", 2))
    enter(journal, entry("r2"))
    [path] = files(tmp_path)
    assert [one.request for one in read(path.read_bytes())] == ["r2"]
    journal.close()


def test_closing_lines_of_a_turn_are_written_together_or_with_the_next_write(
    tmp_path: Path, log: EventLog
) -> None:
    journal = Journal(tmp_path / NAME, log)
    ones = [entry(f"r{number}") for number in range(3)]
    enter(journal, *ones)
    [path] = files(tmp_path)
    before = path.read_bytes()

    async def in_a_turn() -> list[int]:
        journal.note(ones[0].closing("handed", 2))
        journal.note(ones[1].closing("handed", 2))
        sizes = [len(path.read_bytes())]
        await journal.enter(entry("r3"))
        sizes.append(len(read(path.read_bytes()[len(before) :])))
        journal.note(ones[2].closing("handed", 2))
        await asyncio.sleep(0)
        return [*sizes, len(read(path.read_bytes()[len(before) :]))]

    assert asyncio.run(in_a_turn()) == [len(before), 3, 4]
    assert survey(tmp_path / NAME) == ([], 1)
    journal.close()


def test_closing_lines_are_not_lost_where_it_is_closed_while_its_folder_is_held(
    tmp_path: Path, log: EventLog
) -> None:
    journal = Journal(tmp_path / NAME, log)
    enter(journal, entry("r1"), entry("r2"))

    async def within_a_turn() -> None:
        journal.note(entry("r1").closing("handed", 2))
        journal.close()

    with alone(tmp_path / NAME, wait=True):
        asyncio.run(within_a_turn())
    assert doubtful(tmp_path) == {"r2": "unknown"}


def test_closing_lines_that_could_not_be_written_are_not_kept(tmp_path: Path, log: EventLog) -> None:
    journal = Journal(tmp_path / "later" / NAME, log)
    for number in range(3):
        close(journal, entry(f"r{number}").closing("handed", 2))
        assert (journal._ends, bool(journal.failure)) == (b"", True)


def test_it_does_not_wait_for_a_folder_that_is_held(
    tmp_path: Path, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "AGE", 0.0)
    journal = Journal(tmp_path / NAME, log)
    with alone(tmp_path / NAME, wait=True):
        enter(journal, entry("r1"), entry("r2"))
    assert survey(tmp_path / NAME) == ([], 2)
    journal.close()


def test_too_many_in_doubt_are_no_longer_taken(
    tmp_path: Path, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "GROWTH", 100)
    monkeypatch.setattr(under_test, "LIMIT", 1000)
    journal = Journal(tmp_path / NAME, log)
    with pytest.raises(OSError, match="large"):
        enter(journal, *(entry(f"r{number}") for number in range(100)))
    assert journal.failure == "File too large"
    journal.close()


def test_a_folder_that_is_not_there_degrades_it_until_it_is(
    tmp_path: Path, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "BREATH", 0.0)
    folder = tmp_path / "later"
    journal = Journal(folder / NAME, log)
    journal.start()
    with pytest.raises(FileNotFoundError):
        enter(journal, entry("r1"))
    journal.note(entry("r1").doubtful("unknown"))
    folder.mkdir()
    enter(journal, entry("r2"))
    assert [one["state"] for one in events(tmp_path, "degraded")] == ["degraded", "recovered"]
    assert (doubtful(folder), journal.failure) == ({"r1": "unknown"}, "")
    journal.close()


def test_a_failure_is_not_tried_again_at_once(tmp_path: Path, log: EventLog) -> None:
    journal = Journal(tmp_path / "later" / NAME, log)
    journal.start()
    (tmp_path / "later").mkdir()
    with pytest.raises(OSError, match="No such file"):
        enter(journal, entry())


@contextmanager
def room(size: int) -> Iterator[None]:
    """Files of this process may only grow to so many bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_degrades_it_and_loses_nothing_that_stands(
    tmp_path: Path, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "BREATH", 0.0)
    journal = Journal(tmp_path / NAME, log)
    enter(journal, entry("r1"), entry("r2"))
    [path] = files(tmp_path)
    with room(path.stat().st_size + 20):
        with pytest.raises(OSError, match=r"space|large"):
            enter(journal, entry("r3"))
        torn = survey(tmp_path / NAME)
        close(journal, entry("r1").closing("handed", 2))
    assert (torn.in_flight, bool(journal.failure)) == (2, False)
    enter(journal, entry("r4"))
    assert {one.request for one in read(files(tmp_path)[0].read_bytes())} == {"r2", "r3", "r4"}
    journal.close()


def test_what_found_no_room_is_entered_later_also_while_the_folder_is_held(
    tmp_path: Path, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "BREATH", 0.0)
    journal = Journal(tmp_path / NAME, log)
    enter(journal, entry("r1"), entry("r2"))
    [path] = files(tmp_path)
    with room(path.stat().st_size + 20), pytest.raises(OSError, match=r"space|large"):
        enter(journal, entry("r3"))
    with alone(tmp_path / NAME, wait=True):
        close(journal, entry("r1").closing("handed", 2))
        enter(journal, entry("r4"))
    assert journal.failure == ""
    assert set(standing(read(path.read_bytes()))) == {("r2", 1), ("r3", 1), ("r4", 1)}
    journal.close()


def test_many_wait_for_the_disk_together(
    tmp_path: Path, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0
    real = os.fdatasync

    def counted(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", counted)
    journal = Journal(tmp_path / NAME, log, fsync=True)
    journal.start()

    async def at_once() -> None:
        await asyncio.gather(*(journal.enter(entry(f"r{number}")) for number in range(50)))

    asyncio.run(at_once())
    assert (survey(tmp_path / NAME).in_flight, 1 <= calls <= 3) == (50, True)
    journal.close()


def test_a_disk_that_fails_is_told_to_the_one_who_waits(
    tmp_path: Path, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    journal = Journal(tmp_path / NAME, log, fsync=True)
    journal.start()
    monkeypatch.setattr(os, "fdatasync", broken)
    with pytest.raises(OSError, match="Input/output"):
        enter(journal, entry())
    assert journal.failure == "Input/output error"
    journal.close()


CHILD = """
import asyncio, os, sys
from pathlib import Path
from proxy.log import open_log
from proxy.upstream.entries import Entry
from proxy.upstream.journal import Journal
journal = Journal(Path(sys.argv[1]), open_log("/dev/null"))
asyncio.run(journal.enter(Entry("open", sys.argv[2], 1, 5)))
print("there", flush=True)
sys.stdin.read()
"""


@contextmanager
def process(folder: Path, request: str) -> Iterator[subprocess.Popen[bytes]]:
    words = [sys.executable, "-c", CHILD, str(folder / NAME), request]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"there\n"
        yield child
        child.kill()


def test_what_a_killed_process_had_in_flight_is_in_doubt_and_taken_over(
    tmp_path: Path, log: EventLog
) -> None:
    with process(tmp_path, "dies") as one, process(tmp_path, "lives"):
        assert survey(tmp_path / NAME) == ([], 2)
        one.kill()
        one.wait()
        assert (doubtful(tmp_path), survey(tmp_path / NAME).in_flight) == ({"dies": "unknown"}, 1)
        journal = Journal(tmp_path / NAME, log)
        journal.start()
        assert (journal.in_doubt(), len(files(tmp_path))) == (1, 2)
        assert (doubtful(tmp_path), survey(tmp_path / NAME).in_flight) == ({"dies": "unknown"}, 1)
        assert [one["request_id"] for one in events(tmp_path, "in_doubt")] == ["dies"]
        journal.close()


def test_another_file_of_the_folder_is_left_alone(tmp_path: Path, log: EventLog) -> None:
    others = [
        tmp_path / f"{NAME}.old",
        tmp_path / f"{NAME}.0123456z",
        tmp_path / f"{NAME}x.01234567",
        tmp_path / NAME,
    ]
    for one in others:
        one.write_bytes(b'{"state":"unknown","request":"r9","step":1,"at":1}\n')
    journal = Journal(tmp_path / NAME, log)
    enter(journal, entry())
    assert doubtful(tmp_path) == {}
    journal.close()
    assert all(one.exists() for one in others)
