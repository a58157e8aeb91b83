"""`crossfade check` as an operator meets it: what it prints, its exit code, its JSON."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from proxy.cli.checking import everything
from tests.cli.test_cli import crossfade
from tests.mapping.seeding import FOLDER

UPSTREAM = (
    '[upstream.v2]\nbase_url = "http://localhost:9"\n[upstream.v2_1]\nbase_url = "http://localhost:9"\n'
)
TODAY = date(2026, 6, 1)


def lines(path: Path, text: str, mappings: Path | None = None) -> list[str]:
    """The findings in a configuration with these further lines."""
    file = path / "c.toml"
    file.write_text(text + UPSTREAM)
    _, found = everything(file, mappings, TODAY)
    assert all(one.way_out for one in found)
    return [str(one) for one in found]


IGNORE = '[[ignore]]\nreason = "r"\nowner = "o"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[route]]\nstage = 'shadow\n", ["end of document", "correct the TOML there"]),
        ("[[route]]\nstage = 'shadows'\n", ["route[0].stage", "did you mean \"shadow\""]),
        ("[sever]\nport = 1\n", ["sever", "did you mean \"server\""]),
        ("[shadow]\nsample = 2\n", ["shadow.sample", "at most 1"]),
        ("[[route]]\nendpoint = 'orders.got'\nstage = 'v2'\n", ["route[0].endpoint", "orders.get"]),
        ("[[route]]\ncallers = ['nobody']\nstage = 'v2'\n", ["route[0].callers", "add a [[caller]]"]),
        ("[[route]]\nstage = 'v2'\n[[route]]\nreads = true\nstage = 'live'\n", ["route[1]", "never reached"]),
        ("[compat]\nguest_reff = 'refuse'\n", ["compat.guest_reff", "did you mean 'guest_ref'"]),
        ("[compat]\nguest_ref = 'refused'\n", ["compat.guest_ref", "'refuse', 'ignore'"]),
        (IGNORE + "endpoint = 'orders.gets'\npath = '/href'\nuntil = 2027-01-01\n", ["ignore[0].endpoint", "orders.get"]),
        (IGNORE + "endpoint = 'orders.get'\npath = '/modified'\nuntil = 2027-01-01\n", ["ignore[0].path", "/modifiedAt"]),
        (IGNORE + "endpoint = '*'\npath = '/href'\nuntil = 2026-05-31\n", ["ignore[0].until", "2026-05-31"]),
        ("[[route]]\nstage = 'shadow'\n[shadow]\nsample = 0\n", ["shadow.sample", "compares nothing"]),
        ("[[route]]\nendpoint = 'orders.delete'\nstage = 'live'\n", ["route[0]", "compat.order_delete = 'refuse'"]),
    ],
)  # fmt: skip
def test_each_mistake_of_a_configuration_is_named_and_nothing_else(
    tmp_path: Path, text: str, said: list[str]
) -> None:
    found = lines(tmp_path, text)
    assert len(found) == 1, found
    assert found[0].startswith("c.toml: ")
    for part in said:
        assert part in found[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[[route]]\nendpoint = 'orders.delete'\nstage = 'live'\n[compat]\norder_delete = 'forward'\n",
        "[[route]]\nendpoint = 'orders.delete'\nstage = 'shadow'\n",
        "[shadow]\nsample = 0\n",
        IGNORE + "endpoint = 'orders.*'\npath = '/developerMessage'\nuntil = 2026-06-01\n",
        IGNORE + "endpoint = 'orders.get'\npath = '/{unknown:1a}'\nuntil = 2026-06-01\n",
    ],
)
def test_what_is_right_is_not_found(tmp_path: Path, text: str) -> None:
    assert lines(tmp_path, text) == []


RENAMED = """
[[table]]
type = "channel"
says = "So."
[[table.entry]]
id = "made.up"
v2 = "OTA"
v2-1 = "AGENCY"
says = "So."
grade = "D"
"""


def renaming(path: Path) -> Path:
    """Mappings that store another word than the caller wrote."""
    folder = path / "renaming"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("examples", "__*"))
    values = folder / "values.toml"
    values.write_text(values.read_text() + RENAMED)
    native = folder / "contracts" / "v2_1.json"
    native.write_text(native.read_text().replace('"OTA"', '"AGENCY"'))
    return folder


@pytest.mark.parametrize(
    ("routes", "count"),
    [
        ("[[route]]\nwrites = true\nstage = 'canary'\npercent = 1\n", 1),
        ("[[route]]\nwrites = true\nstage = 'live'\n[[route]]\nstage = 'canary'\npercent = 99\n", 1),
        ("[[route]]\nreads = true\nstage = 'live'\n[[route]]\nstage = 'canary'\npercent = 1\n", 0),
        ("[[route]]\nreads = true\nstage = 'live'\n", 0),
        ("[[route]]\nendpoint = 'orders.create'\ncallers = ['a1b2c3d4']\nstage = 'live'\n", 1),
    ],
)
def test_writes_do_not_lead_where_stored_values_are_renamed(tmp_path: Path, routes: str, count: int) -> None:
    caller = '[[caller]]\nid = "a1b2c3d4"\nname = "a"\n'
    found = [one for one in lines(tmp_path, routes + caller, renaming(tmp_path)) if "orders.list" in one]
    assert len(found) == count, found
    assert all("route[0]" in one and "to live first" in one for one in found)
    assert all("items.list" in one for one in lines(tmp_path, routes + caller))


def test_a_read_that_shows_records_of_another_resource_comes_before_their_writes(tmp_path: Path) -> None:
    items = "[[route]]\nendpoint = 'items.*'\nstage = 'live'\n"
    (found,) = lines(tmp_path, items + "[[route]]\nreads = true\nstage = 'canary'\npercent = 99\n")
    assert (
        "items.create writes values that orders.get would read raw from v2; bring orders.get to live" in found
    )
    assert lines(tmp_path, items + "[[route]]\nendpoint = 'orders.get'\nstage = 'live'\n") == []
    alone = items.replace("stage", "callers = ['a1b2c3d4']\nstage") + "[[route]]\nstage = 'shadow'\n"
    assert len(lines(tmp_path, alone)) == 1, "also a caller that has no name"


def test_mapping_and_configuration_are_judged_together(tmp_path: Path) -> None:
    folder = renaming(tmp_path)
    orders = folder / "orders.toml"
    orders.write_text(
        orders.read_text().replace("maximum = 100", "").replace("guest_ref = ", "guest_reff = ")
    )
    found = lines(tmp_path, "[[route]]\nstage = 'shadow'\n[shadow]\nsample = 0\n", folder)
    assert [one.split(": ")[1] for one in found] == [
        "orders.create.guest",
        "orders.create.guest-ignored",
        "orders.list.limit",
    ]
    orders.write_text("x")
    assert len(lines(tmp_path, "[shadow]\nsample = 2\n", folder)) == 2


def test_the_command_with_nothing_to_find(tmp_path: Path) -> None:
    alone = crossfade("check", folder=tmp_path)
    assert (alone.returncode, alone.stdout) == (0, "the mappings (no configuration here): no findings\n")
    crossfade("config", "init", folder=tmp_path)
    done = crossfade("check", folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "crossfade.toml and its mappings: no findings\n",
        "",
    )


def test_the_command_with_findings(tmp_path: Path) -> None:
    folder = renaming(tmp_path)
    orders = folder / "orders.toml"
    orders.write_text(orders.read_text().replace("maximum = 100\n", ""))
    (tmp_path / "c.toml").write_text(f"mappings = 'renaming'\n[compat]\nguest_reff = 'x'\n{UPSTREAM}")
    done = crossfade("check", "--config", "c.toml", folder=tmp_path)
    assert done.returncode == 1
    text = done.stdout.splitlines()
    assert (text[0], text[2]) == ("c.toml", "orders.toml")
    assert text[1].startswith("  compat.guest_reff: there is no such switch; did you mean 'guest_ref'?")
    assert text[3] == "  orders.list.limit: maximum: 'clamp' needs `maximum`; add it"
    assert text[4] == "c.toml and its mappings: 2 findings in 2 files"


def test_the_json_of_the_command(tmp_path: Path) -> None:
    folder = renaming(tmp_path)
    orders = folder / "orders.toml"
    orders.write_text(orders.read_text().replace("maximum = 100\n", ""))
    done = crossfade("check", "--mappings", folder, "--json", folder=tmp_path)
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "format": 1,
        "ok": False,
        "config": None,
        "mappings": str(folder),
        "findings": [
            {
                "kind": "argument",
                "file": "orders.toml",
                "place": "maximum",
                "rule": "orders.list.limit",
                "message": "'clamp' needs `maximum`",
                "way_out": "add it",
            }
        ],
    }


@pytest.mark.parametrize("words", [("--config", "none.toml"), ("--mappings", "none"), ("--jsn",)])
def test_a_wrong_command_line_is_no_finding(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = crossfade("check", *words, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert words[-1] in done.stderr


def test_no_colour_where_none_is_wanted(tmp_path: Path) -> None:
    assert "\x1b" not in crossfade("check", folder=tmp_path, NO_COLOR="1").stdout
