"""`crossfade indoubt` as an operator meets it: real journals, a real platform, exit codes."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proxy.config.identity import load_key
from proxy.emulator import Emulator
from proxy.upstream.entries import Entry, line
from proxy.wire.credentials import record_name
from tests.cli.test_cli import crossfade
from tests.emulator.caller import CREDENTIALS, JSON, order
from tests.endtoend.configured import configuration
from tests.raw import fetch, parse, request
from tests.servers import emulator

SECRET = "client-1:token-1"


@pytest.fixture
def platform() -> Iterator[tuple[str, Emulator]]:
    with emulator() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, platform: tuple[str, Emulator]) -> Path:
    configuration(tmp_path, platform[0], {}, {})
    (tmp_path / "credentials").write_text(f"{SECRET}\n")
    return tmp_path


def doubtful(folder: Path, request_id: str, reference: str = "", **changes: Any) -> None:
    """A journal, left by a process that is gone, with one more write in doubt."""
    record = record_name(load_key(folder / "identity.key"), reference) if reference else ""
    fields: dict[str, Any] = {
        "state": "unknown", "step": 1, "at": 1_790_000_000_000, "endpoint": "orders.create", "method": "POST",
        "version": "v2.1", "caller": "c1", "record": record, "code": "CF-TIMEOUT",
    }  # fmt: skip
    with (folder / "crossfade.journal.0a0a0a0a").open("ab") as file:
        file.write(line(Entry(request=request_id, **{**fields, **changes})))


def listed(folder: Path) -> list[dict[str, Any]]:
    done = crossfade("indoubt", "list", "--json", folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    rows: list[dict[str, Any]] = json.loads(done.stdout)["in_doubt"]
    return rows


def test_without_a_journal_nothing_is_in_doubt(folder: Path) -> None:
    done = crossfade("indoubt", "list", folder=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "no writes in doubt\n", "")


def test_what_a_living_process_has_in_flight_is_counted_only(folder: Path) -> None:
    doubtful(folder, "r1", state="open")
    with (folder / "crossfade.journal.0a0a0a0a").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = crossfade("indoubt", "list", folder=folder)
        assert done.stdout.splitlines() == ["no writes in doubt", "1 write in flight"]
    assert [row["outcome"] for row in listed(folder)] == ["unknown"]


def test_an_endpoint_that_no_mapping_has_cannot_be_looked_up(folder: Path) -> None:
    doubtful(folder, "r1", "B94TXY-1", endpoint="orders.made-up")
    words = ("indoubt", "resolve", "--reference", "B94TXY-1", "--credentials-file", "credentials", "--close")
    done = crossfade(*words, folder=folder)
    assert (done.returncode, done.stderr.split(":")[0]) == (2, "orders.made-up")
    assert len(listed(folder)) == 1


def test_a_list_names_each_write_and_no_record_by_its_key(folder: Path) -> None:
    doubtful(folder, "r1", "B94TXY-1")
    doubtful(folder, "r2", state="answered", code="", at=1_780_000_000_000)
    doubtful(folder, "r3", state="handed")
    assert [(row["request"], row["outcome"], row["code"]) for row in listed(folder)] == [
        ("r2", "answered", ""),
        ("r1", "unknown", "CF-TIMEOUT"),
    ]
    shown = crossfade("indoubt", "list", folder=folder).stdout.splitlines()
    assert shown[0].split()[:4] == ["time", "request", "step", "endpoint"]
    assert shown[2].startswith("2026-09-21T14:13:20.000Z")
    assert shown[-1] == "2 writes in doubt"
    assert "B94TXY" not in "".join(shown)


@pytest.mark.parametrize("version", ["v2", "v2.1"])
def test_a_record_is_looked_up_in_the_version_that_was_written_to_and_closed_on_demand(
    folder: Path, platform: tuple[str, Emulator], version: str
) -> None:
    url, app = platform
    doubtful(folder, "r1", "B94TXY-1", version=version)
    doubtful(folder, "r2", "another", version=version)
    words = ("indoubt", "resolve", "--reference", "B94TXY-1", "--credentials-file", "credentials")
    done = crossfade(*words, folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{version} has no records with this key" in done.stdout
    made = parse(fetch(url, request("POST", "/v2/orders", json.dumps(order()), [CREDENTIALS, JSON])))
    done = crossfade(*words, "--close", folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{version} has 1 record with this key" in done.stdout
    assert f"createdAt {json.loads(made.body)['createdAt'][:19]}" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 write off the list"
    assert [row["request"] for row in listed(folder)] == ["r2"]
    asked = app.recorded[-1]
    assert (asked.method, asked.target.split(b"?")[0]) == ("GET", f"/{version}/orders".encode())
    assert asked.header("authorization") == CREDENTIALS[1]
    assert "token-1" not in done.stdout


@pytest.mark.parametrize("version", ["v2", "v2.1"])
def test_a_record_that_a_path_names_is_read_there(
    folder: Path, platform: tuple[str, Emulator], version: str
) -> None:
    url, app = platform
    made = parse(fetch(url, request("POST", "/v2/orders", json.dumps(order()), [CREDENTIALS, JSON])))
    ref = json.loads(made.body)["ref"]
    doubtful(folder, "r1", ref, endpoint="orders.update", version=version)
    words = ("indoubt", "resolve", "--reference", ref, "--credentials-file", "credentials")
    done = crossfade(*words, folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "has 1 record with this key" in done.stdout
    assert "modifiedAt 20" in done.stdout
    assert app.recorded[-1].target == f"/{version}/orders/{ref}".encode()
    assert [row["request"] for row in listed(folder)] == ["r1"]


def test_what_the_platform_does_not_tell_closes_nothing(folder: Path) -> None:
    doubtful(folder, "r1", "B94TXY-1")
    (folder / "credentials").write_text("nobody")
    words = ("indoubt", "resolve", "--reference", "B94TXY-1", "--credentials-file", "credentials", "--close")
    done = crossfade(*words, folder=folder)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    (folder / "credentials").write_text("Bearer none")
    done = crossfade(*words, folder=folder)
    assert (done.returncode, done.stderr) == (1, "v2.1: the platform answered 401; nothing was closed\n")
    configuration(folder, "http://127.0.0.1:9", {}, {})
    done = crossfade(*words, folder=folder)
    assert done.returncode == 1
    assert "refused" in done.stderr
    assert len(listed(folder)) == 1


def test_a_write_that_names_no_record_is_closed_by_its_request(folder: Path) -> None:
    doubtful(folder, "r1", endpoint="unmapped", version="v2")
    done = crossfade("indoubt", "resolve", "--request", "r1", folder=folder)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "add --close to take this off the list")
    assert len(listed(folder)) == 1
    assert crossfade("indoubt", "resolve", "--request", "r1", "--close", folder=folder).returncode == 0
    assert listed(folder) == []


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("--request", "r9"), 1, "no write in doubt is about that"),
        (("--reference", "x", "--credentials-file", "credentials"), 1, "no write in doubt is about that"),
        ((), 2, "either with --reference or with --request"),
        (("--reference", "x", "--request", "y"), 2, "either with --reference or with --request"),
        (("--reference", "x"), 2, "add --credentials-file"),
    ],
)
def test_what_cannot_be_done_is_a_line(folder: Path, words: tuple[str, ...], code: int, text: str) -> None:
    done = crossfade("indoubt", "resolve", *words, folder=folder)
    assert (done.returncode, done.stdout) == (code, "")
    assert text in done.stderr
