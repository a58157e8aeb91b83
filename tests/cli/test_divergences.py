"""`crossfade divergences`, `callers` and `purge` as an operator meets them: a real store, real files, exit codes."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from proxy.cli.app import app
from proxy.config.identity import load_key
from proxy.evidence.difference import Difference
from proxy.store import CallKey, Keep, Store
from proxy.wire.credentials import CallerIds, record_name
from tests.cli.test_cli import crossfade
from tests.endtoend.configured import configuration
from tests.store.seen import CARD, PRICE, bench, group_of, unexpected

REFERENCE = "B94TXY-1"
FOR_EVER = Keep(age=1e10, size=1 << 40)
STATUS = Difference("", "status", 200, 404)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration with a comment in it, and a store in which three groups were seen."""
    path = configuration(
        tmp_path, "http://localhost:9", {"caller": [{"id": "a1b2c3d4e5f6", "name": "booking engine"}]}, {}
    )
    path.write_text("# our own words\n" + path.read_text())
    record = record_name(load_key(tmp_path / "identity.key"), REFERENCE)

    async def fill() -> None:
        async with bench(f"sqlite:///{tmp_path / 'crossfade.db'}", tmp_path, FOR_EVER) as made:
            made.tell(unexpected(PRICE, CARD), record=record, caller="a1b2c3d4e5f6")
            made.tell(unexpected(STATUS), record="other", caller="caller-2", endpoint="orders.list")
            made.clock.now = time.time()
            for version, count in (("v2", 3), ("v2.1", 2)):
                for _ in range(count):
                    key = CallKey("a1b2c3d4e5f6", "orders.get", version, "")
                    made.recorder.called(key, failed=False, seconds=0.1)
            key = CallKey("caller-2", "unmapped", "v2", "PATCH /v2/orders/{orderRef}")
            made.recorder.called(key, failed=False, seconds=0.1)
            assert await made.recorder.flush()

    asyncio.run(fill())
    return tmp_path


def run(folder: Path, *words: str, text: str | None = None) -> Result:
    """A command in this process, with everything that it says."""
    return CliRunner().invoke(app, [*words, "--config", str(folder / "crossfade.toml")], input=text)


def told(folder: Path, *words: str) -> Any:
    done = run(folder, *words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_list_shows_every_group_and_can_be_narrowed(folder: Path) -> None:
    groups = told(folder, "divergences", "list")["groups"]
    assert {(one["id"], one["endpoint"], one["pointer"], one["kind"]) for one in groups} == {
        (group_of(PRICE), "orders.get", "/price", "type"),
        (group_of(CARD), "orders.get", "/cardType", "missing"),
        (group_of(STATUS, "orders.list"), "orders.list", "", "status"),
    }
    assert {one["state"] for one in groups} == {"new"}
    assert len(told(folder, "divergences", "list", "--endpoint", "orders.list")["groups"]) == 1
    assert len(told(folder, "divergences", "list", "--caller", "booking engine")["groups"]) == 2
    assert told(folder, "divergences", "list", "--state", "bug")["groups"] == []
    done = run(folder, "divergences", "list", "--state", "gone")
    assert (done.exit_code, done.stderr.split(":")[0]) == (2, "--state")


def test_a_table_has_whole_lines_in_a_pipe(folder: Path) -> None:
    done = crossfade("divergences", "list", folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert any(
        re.search(r"g-\w{6} +new +orders.get +200/200 +/cardType +missing +string", one) for one in lines
    )
    assert lines[-1] == "3 groups"
    assert REFERENCE not in done.stdout


def test_one_group_with_its_shapes_and_callers(folder: Path) -> None:
    shown = told(folder, "divergences", "show", group_of(PRICE))
    assert shown["by_caller"] == {"a1b2c3d4e5f6": 1}
    assert [one["pointer"] for one in shown["examples"][0]["differences"]] == ["/price", "/cardType"]
    text = run(folder, "divergences", "show", group_of(PRICE)).stdout
    assert "booking engine" in text
    assert "request request-1" in text
    done = run(folder, "divergences", "show", "g-none")
    assert (done.exit_code, "divergences list" in done.stderr) == (1, True)


def test_a_record_is_found_by_its_key(folder: Path) -> None:
    found = told(folder, "divergences", "find", "--reference", REFERENCE)["groups"]
    assert {one["id"] for one in found} == {group_of(PRICE), group_of(CARD)}
    done = run(folder, "divergences", "find", "--reference", "nothing-like-it")
    assert (done.exit_code, done.stdout) == (1, "no groups\n")


def test_accepting_needs_a_reason_and_an_owner_and_can_be_undone(folder: Path) -> None:
    group = group_of(PRICE)
    assert run(folder, "divergences", "accept", group).exit_code == 2
    done = run(
        folder, "divergences", "accept", group, "--reason", "agreed", "--owner", "ana", "--until", "soon"
    )
    assert (done.exit_code, done.stderr.split(":")[0]) == (2, "--until")
    words = ("divergences", "accept", group, "--reason", "agreed", "--owner", "ana", "--until", "2099-01-31")
    assert run(folder, *words).stdout == f"{group} is accepted\n"
    (shown,) = told(folder, "divergences", "list", "--state", "accepted")["groups"]
    assert (shown["reason"], shown["owner"], shown["until"]) == ("agreed", "ana", "2099-01-31")
    assert "accepted until 2099-01-31 by ana: agreed" in run(folder, "divergences", "show", group).stdout
    assert run(folder, *words[:-2], "--bug").stdout == f"{group} is bug\n"
    assert run(folder, "divergences", "accept", group, "--undo").stdout == f"{group} is new\n"
    assert told(folder, "divergences", "list", "--state", "new")["groups"][0]["reason"] == ""


IGNORE = ("--reason", "rounding", "--owner", "ben", "--until", "2099-01-31")


def test_an_ignore_rule_is_printed_or_put_into_the_file_with_its_comments_kept(folder: Path) -> None:
    group, file = group_of(CARD), folder / "crossfade.toml"
    before = file.read_text()
    done = run(folder, "divergences", "ignore", group, *IGNORE)
    (rule,) = tomllib.loads(done.stdout)["ignore"]
    assert (rule["endpoint"], rule["path"], rule["owner"]) == ("orders.get", "/cardType", "ben")
    assert file.read_text() == before
    for number in (1, 2):
        assert run(folder, "divergences", "ignore", group, *IGNORE, "--write").exit_code == 0
        assert len(tomllib.loads(file.read_text())["ignore"]) == number
    assert file.read_text().startswith("# our own words\n")
    assert tomllib.loads(file.read_text())["ignore"][0] == rule
    assert [one["id"] for one in told(folder, "divergences", "list", "--state", "ignored")["groups"]] == [
        group
    ]


def test_what_no_rule_can_name_is_not_ignored_and_a_file_is_never_spoilt(folder: Path) -> None:
    done = run(folder, "divergences", "ignore", group_of(STATUS, "orders.list"), *IGNORE)
    assert (done.exit_code, "divergences accept" in done.stderr) == (2, True)
    done = run(folder, "divergences", "ignore", group_of(CARD), *IGNORE[:-2])
    assert (done.exit_code, done.stderr.split(":")[0]) == (2, "--until")
    file = folder / "crossfade.toml"
    file.write_text(file.read_text() + "ignore = 5\n")
    assert run(folder, "divergences", "ignore", group_of(CARD), *IGNORE, "--write").exit_code == 2
    assert file.read_text().endswith("ignore = 5\n")


def test_callers_say_how_much_and_what_blocks_each(folder: Path) -> None:
    one, two = told(folder, "callers")["callers"]
    assert (one["caller"], one["name"], one["v2"], one["v2_1"]) == ("a1b2c3d4e5f6", "booking engine", 3, 2)
    assert one["blocks"] == ["2 open divergence groups", "orders.get stands at v2"]
    assert two["blocks"] == ["PATCH /v2/orders/{orderRef} is not mapped (1 call)", "1 open divergence group"]
    assert "booking engine" in run(folder, "callers").stdout


def test_a_caller_id_is_made_from_a_name_on_standard_input(folder: Path) -> None:
    done = run(folder, "callers", "id", text="client-1\n")
    assert done.stdout.strip() == CallerIds(load_key(folder / "identity.key")).of_user(b"client-1")
    for wrong in ("", "user:password\n"):
        assert run(folder, "callers", "id", text=wrong).exit_code == 2


def test_what_is_purged_is_gone_from_the_file_too(folder: Path) -> None:
    file = folder / "crossfade.db"
    assert b"caller-2" in file.read_bytes()
    done = run(folder, "purge", "--caller", "caller-2")
    assert done.stdout == "3 rows deleted\n"
    assert b"caller-2" not in file.read_bytes()
    assert {one["caller"] for one in told(folder, "callers")["callers"]} == {"a1b2c3d4e5f6"}
    assert run(folder, "purge", "--caller", "booking engine").exit_code == 0
    assert told(folder, "callers")["callers"] == []


@pytest.mark.parametrize(
    ("words", "left"), [(("--before", "2026-09-21"), 3), (("--before", "2026-09-22"), 0), (("--all",), 0)]
)
def test_a_purge_takes_what_is_asked_for(folder: Path, words: tuple[str, ...], left: int) -> None:
    assert run(folder, "purge", *words).exit_code == 0
    assert len(told(folder, "divergences", "list")["groups"]) == left


@pytest.mark.parametrize("words", [(), ("--all", "--before", "2026-09-22"), ("--before", "soon")])
def test_a_purge_that_is_not_clear_deletes_nothing(folder: Path, words: tuple[str, ...]) -> None:
    assert run(folder, "purge", *words).exit_code == 2
    assert len(told(folder, "divergences", "list")["groups"]) == 3


def test_without_a_store_the_commands_say_what_makes_one(tmp_path: Path) -> None:
    configuration(tmp_path, "http://localhost:9", {}, {})
    done = run(tmp_path, "divergences", "list")
    assert (done.exit_code, "crossfade serve" in done.stderr) == (3, True)
    assert not (tmp_path / "crossfade.db").exists()


def test_a_store_that_is_no_database_is_told_without_a_trace(folder: Path) -> None:
    (folder / "crossfade.db").write_bytes(b"not a database, but long enough to be taken for one" * 100)
    done = crossfade("divergences", "list", folder=folder)
    assert (done.returncode, "corrupt" in done.stderr, "Traceback" in done.stderr) == (3, True, False)
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(folder / "crossfade.db").execute("SELECT 1 FROM groups")


def test_the_store_knows_what_the_list_shows(folder: Path) -> None:
    with Store(f"sqlite:///{folder / 'crossfade.db'}") as store:
        assert {one.key.id for one in store.groups()} == {
            one["id"] for one in told(folder, "divergences", "list")["groups"]
        }
