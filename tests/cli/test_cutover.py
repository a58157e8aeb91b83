"""`crossfade cutover` as an operator meets it: real files, a real running proxy, exit codes."""

from __future__ import annotations

import json
import re
import shlex
import time
from pathlib import Path
from typing import Any, get_args

import pytest
from typer.testing import CliRunner, Result

from proxy.cli.app import app
from proxy.cli.cutover.showing import WHY
from proxy.cutover.guard import Watched
from proxy.cutover.memory import Memory, memory_path, remember
from proxy.cutover.overrides import OverrideFile, overrides_path
from proxy.cutover.react import Reason
from proxy.store.rows import Decision, Override
from tests.cli.test_check import renaming
from tests.cutover.rollouts import clean
from tests.endtoend.process import served
from tests.endtoend.test_guard import until, versions
from tests.servers import emulator

FILE = """\
# the top
[upstream.v2]
base_url = "http://127.0.0.1:1"
[upstream.v2_1]
base_url = "http://127.0.0.1:1"

[[caller]]
id = "a1b2c3d4"
name = "booking"

[[route]]                        # reads first
endpoint = "orders.get"
stage = "canary"                 # since May
percent = 10

[[route]]
reads = true
stage = "shadow"

[[route]]
stage = "v2"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "crossfade.toml").write_text(FILE, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["cutover", *words])


def told(*words: str, code: int = 0) -> dict[str, Any]:
    done = run(*words, "--json")
    assert done.exit_code == code, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["format"] == 1
    return found


def text(folder: Path) -> str:
    return (folder / "crossfade.toml").read_text("utf-8")


def keys(folder: Path) -> list[str]:
    found = told("show")["routes"]
    return [one["key"] for one in found]


def test_show_lists_every_route_and_no_data_is_inconclusive(folder: Path) -> None:
    rows = told("show")["routes"]
    assert [(one["stage"], one["in_effect"], one["verdict"]) for one in rows] == [
        ("canary", "canary", "inconclusive"),
        ("shadow", "shadow", "inconclusive"),
        ("v2", "v2", "inconclusive"),
    ]
    done = run("show")
    assert done.exit_code == 0
    assert "orders.get" in done.output
    assert "nothing has been compared yet" in done.output


def test_show_tells_what_the_running_process_has_learnt(folder: Path) -> None:
    first, second, _ = keys(folder)
    past, short = clean(4_000), clean(1_000)
    assert past is not None
    assert short is not None
    journal = folder / "crossfade.journal"
    remember(memory_path(journal), Memory(watched={first: past, second: short}))
    OverrideFile(overrides_path(journal)).override(Override(first, "shadow", "guard.compared", 1))
    rows = told("show")["routes"]
    assert (rows[0]["verdict"], rows[0]["in_effect"], rows[0]["overridden"]) == ("ready", "shadow", True)
    assert rows[0]["tests"]["compared"]["records"] == 4_000
    assert rows[1]["needed"] > 2_000
    done = run("show")
    assert "go on: crossfade cutover set orders.get canary 50" in done.output
    assert "overridden" in done.output
    assert "at today's traffic" in done.output


def test_the_command_to_type_is_about_this_route_and_no_other(folder: Path) -> None:
    (folder / "crossfade.toml").write_text(
        FILE.replace("reads = true", 'reads = true\ncallers = ["booking"]')
    )
    past = clean(4_000)
    assert past is not None
    remember(memory_path(folder / "crossfade.journal"), Memory(watched={keys(folder)[1]: past}))
    told_to = re.search(r"go on: crossfade cutover (.*)", run("show").output)
    assert told_to is not None
    assert told_to[1] == "set '*' canary 1 --reads --caller booking"
    run(*shlex.split(told_to[1]))
    row = told("show")["routes"][1]
    assert (row["stage"], row["percent"], row["callers"]) == ("canary", 1, ["booking"])


def test_what_stands_in_the_way_is_named_whatever_the_evidence_says(folder: Path) -> None:
    first, _, third = keys(folder)
    past = clean(4_000)
    assert past is not None
    journal = folder / "crossfade.journal"
    known = Memory(
        watched={first: past, third: past}, conflicts={"orders.create": 3}, splits={first: (1_000, 25.0)}
    )
    remember(memory_path(journal), known)
    rows = told("show")["routes"]
    assert (rows[0]["verdict"], rows[2]["verdict"]) == ("not ready", "not ready")
    assert "25.0 % of 1000 sticky keys where 10 % are configured" in rows[0]["reasons"][0]
    assert "3 calls of orders.create met a record that v2.1 would refuse" in rows[2]["reasons"][0]
    (folder / "crossfade.toml").write_text(FILE + '[compat]\non_conflict = "pass"\n', "utf-8")
    assert told("show")["routes"][2]["verdict"] == "ready", "somebody has decided"


def test_set_keeps_every_comment_and_changes_two_lines(folder: Path) -> None:
    done = run("set", "orders.get", "canary", "25")
    assert done.exit_code == 0, done.output
    assert text(folder) == FILE.replace("percent = 10", "percent = 25")
    assert "+percent = 25" in done.output
    done = run("set", "orders.get", "live")
    assert done.exit_code == 0, done.output
    expected = FILE.replace(
        '"canary"                 # since May\npercent = 10\n', '"live"                 # since May\n'
    )
    assert text(folder) == expected


def test_set_puts_a_new_entry_in_front_of_the_one_that_decided_so_far(folder: Path) -> None:
    done = run("set", "orders.create", "shadow", "--caller", "booking")
    assert done.exit_code == 0, done.output
    rows = told("show")["routes"]
    assert [(one["endpoint"], one["callers"], one["stage"]) for one in rows] == [
        ("orders.get", [], "canary"),
        ("*", [], "shadow"),
        ("orders.create", ["booking"], "shadow"),
        ("*", [], "v2"),
    ]
    refused = run("set", "*", "shadow", "--writes")
    assert (refused.exit_code, "route[4]: is never reached" in refused.stderr) == (2, True)


def test_a_new_entry_keeps_what_holds_calls_together_and_what_is_slow(folder: Path) -> None:
    broad = FILE.replace(
        'endpoint = "orders.get"\n', 'sticky = "header:X-Case"\nslow_after = "300ms"\nendpoint = "*"\n'
    )
    (folder / "crossfade.toml").write_text(broad.partition("[[route]]\nreads")[0], "utf-8")
    assert run("set", "orders.get", "canary", "25").exit_code == 0
    added = text(folder).partition("[[route]]")[2].partition("[[route]]")[0]
    assert 'sticky = "header:X-Case"\nslow_after = "300ms"' in added
    why = run("why", "orders.get").output
    assert "canary 10 % → 25 %" in why


def test_set_in_a_file_without_routes_adds_the_first(folder: Path) -> None:
    (folder / "crossfade.toml").write_text(FILE.partition("[[route]]")[0], "utf-8")
    assert run("set", "*", "shadow", "--reads").exit_code == 0
    (row,) = told("show")["routes"]
    assert (row["endpoint"], row["kind"], row["stage"]) == ("*", "reads", "shadow")


REFUSED = [
    (
        ("set", "orders.create", "live"),
        "v2 to live jumps over shadow, which would gather the evidence; set shadow first",
    ),
    (
        ("set", "orders.gte", "shadow"),
        '"orders.gte" is no endpoint and no pattern of a route; did you mean "orders.get"?',
    ),
    (("set", "orders.get", "canary"), 'stage "canary" needs a percent'),
    (("set", "orders.get", "live", "10"), 'percent counts in stage "canary" only'),
    (("set", "orders.get", "onwards"), "'onwards' is no stage; write one of v2, shadow, canary, live, v2.1"),
    (("set", "orders.get", "v2", "--writes"), "none of its endpoints writes; leave --writes out"),
    (("set", "orders.get", "v2", "--writes", "--reads"), "--reads and --writes exclude each other"),
    (("set", "orders.get", "v2", "--caller", "nobody"), '"nobody" is no caller'),
    (("rollback", "orders.get", "--to", "live"), '--to "live": only v2 and shadow lead back'),
    (("rollback", "orders.gte"), '"orders.gte" is no endpoint'),
]


@pytest.mark.parametrize(("words", "said"), REFUSED)
def test_what_cannot_be_meant_is_refused_and_changes_nothing(
    folder: Path, words: tuple[str, ...], said: str
) -> None:
    done = run(*words)
    assert (done.exit_code, said in done.stderr) == (2, True), done.output
    assert text(folder) == FILE


def test_a_jump_is_possible_when_it_is_meant(folder: Path) -> None:
    assert run("set", "orders.create", "live", "--force").exit_code == 0
    assert 'endpoint = "orders.create"\nstage = "live"' in text(folder)


def test_where_the_file_cannot_be_written_the_change_is_printed(folder: Path) -> None:
    # No draft fits beside a name of this length: the system refuses it, as it would in a read-only mount.
    long = folder / f"{'c' * 246}.toml"
    (folder / "crossfade.toml").rename(long)
    found = told("set", "orders.get", "canary", "25", "--config", long.name, code=1)
    assert found["written"] is False
    assert "+percent = 25" in found["change"]
    assert long.read_text("utf-8") == FILE
    assert (
        "make this change where it comes from"
        in run("set", "orders.get", "canary", "25", "-c", long.name).output
    )


def test_rollback_is_an_override_and_the_file_stays(folder: Path) -> None:
    assert told("rollback", "orders.get") == {"format": 1, "taken_back": ["route[0]"], "kept": []}
    rows = told("show")["routes"]
    assert (rows[0]["stage"], rows[0]["in_effect"]) == ("canary", "shadow")
    assert text(folder) == FILE
    assert told("rollback", "orders.get")["taken_back"] == [], "it is back already"
    made = told("why", "orders.get")["decision"]
    assert (made["rule"], made["old_stage"], made["new_stage"]) == ("command.rollback", "canary", "shadow")
    assert told("rollback", "orders.get", "--to", "v2")["taken_back"] == ["route[0]"]
    assert told("show")["routes"][0]["in_effect"] == "v2"


def test_setting_a_stage_by_hand_wins_over_a_rollback(folder: Path) -> None:
    run("rollback", "orders.get")
    done = run("set", "orders.get", "canary", "10")
    assert done.exit_code == 0
    assert "the file says so already" in done.output
    assert told("show")["routes"][0]["in_effect"] == "canary"
    assert told("why")["decision"]["evidence"]["reason"] == "lapsed"


def test_a_decision_names_the_stage_that_the_calls_stood_at_before(folder: Path) -> None:
    run("set", "orders.create", "shadow")
    made = told("why", "orders.create")["decision"]
    assert (made["old_stage"], made["new_stage"]) == ("v2", "shadow")
    assert made["evidence"]["reason"] == "configured", "nothing stood above it"
    assert told("why", "orders.list", code=1)["decision"] is None, "it was about another route"
    run("set", "orders.create", "shadow")
    assert told("why", "orders.create")["decision"] == made, "nothing has changed, nothing was decided"


def test_a_file_that_is_a_link_stays_one(folder: Path) -> None:
    (folder / "crossfade.toml").rename(folder / "real.toml")
    (folder / "crossfade.toml").symlink_to("real.toml")
    assert run("set", "orders.get", "canary", "20").exit_code == 0
    assert (folder / "crossfade.toml").is_symlink()
    assert "percent = 20" in (folder / "real.toml").read_text("utf-8")


@pytest.mark.parametrize("share", ["nan", "inf", "0", "101"])
def test_a_share_that_is_none_is_refused_in_one_line(folder: Path, share: str) -> None:
    done = run("set", "orders.get", "canary", share)
    assert (done.exit_code, text(folder)) == (2, FILE)
    assert re.fullmatch(r"crossfade\.toml: route\[0\]\.percent: must be .*; .*\n", done.output), done.output


def test_why_explains_the_last_decision(folder: Path) -> None:
    assert told("why", code=1) == {"format": 1, "decision": None}
    first = keys(folder)[0]
    figures = {
        "test": "compared",
        "comparisons": 17,
        "unexpected": 2,
        "evidence": 312.5,
        "bar": 200,
        "budget": 0.001,
    }
    made = Decision(
        id="1",
        at=1_790_000_000_000,
        route=first,
        endpoint="orders.get",
        old_stage="canary",
        new_stage="shadow",
        rule="guard.compared",
        evidence={**figures, "reason": "rolled_back", "place": 0},
        config="abc",
    )
    OverrideFile(overrides_path(folder / "crossfade.journal")).decide(made)
    done = run("why", "orders.get")
    assert done.exit_code == 0
    assert "canary → shadow" in done.output
    assert "2 of 17 distinct records were bad, where 0.10% may be" in done.output
    assert run("why", "orders.create").exit_code == 1


def test_plan_shows_the_change_and_changes_nothing(folder: Path) -> None:
    found = told("plan", "orders.get", "canary", "50")
    assert "+percent = 50" in found["change"]
    assert text(folder) == FILE
    done = run("plan", "orders.get", "live")
    assert "nobody has called this within a day" in done.output
    assert "traffic is not known: there is no store yet" in done.output


def test_writes_do_not_lead_where_stored_values_are_renamed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    mappings = renaming(tmp_path / "m")
    (folder / "crossfade.toml").write_text(f'mappings = "{mappings}"\n' + FILE, "utf-8")
    done = run("set", "orders.create", "canary", "1", "--force")
    assert done.exit_code == 2
    assert (
        "orders.create writes values that orders.list would read raw from v2; bring orders.list to live first"
        in done.stderr
    )
    assert run("set", "orders.get", "live").exit_code == 0
    assert run("set", "*", "live", "--reads", "--force").exit_code == 0
    found = told("plan", "orders.create", "canary", "1", "--force")
    assert "the point of no return" in found["warnings"][0]
    assert run("set", "orders.create", "canary", "1", "--force").exit_code == 0
    remember(
        memory_path(folder / "crossfade.journal"),
        Memory(crossed={"orders": 1.0}, watched={"x": Watched(1.0)}),
    )
    for back in ("shadow", "v2"):
        refused = run("set", "orders.create", back)
        assert (refused.exit_code, "orders is behind its point of no return" in refused.stderr) == (2, True)
    assert run("plan", "orders.create", "shadow", "--force").exit_code == 0
    assert run("plan", "items.create", "shadow").exit_code == 0, "of another resource"
    found = told("rollback", "orders.create", code=1)
    assert found["taken_back"] == []
    assert "behind its point of no return" in found["kept"][0]
    assert run("rollback", "orders.create", "--force").exit_code == 0


def test_a_running_proxy_follows_within_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    keys = {"log.requests": "all"}
    with emulator() as (url, _), served(tmp_path, url, {"route": [{"stage": "live"}]}, keys) as proxy:
        assert versions(proxy) == "v2.1"
        begun = time.monotonic()
        assert told("rollback", "*")["taken_back"] == ["route[0]"]
        until(lambda: versions(proxy) == "v2", 5)
        assert time.monotonic() - begun < 3, (
            "a quarter of a second, on a machine that does other things as well"
        )
        assert run("set", "*", "live").exit_code == 0
        until(lambda: versions(proxy) == "v2.1", 5)
        made = [one for one in proxy.events() if one["event"] == "decision"]
        assert [one["rule"] for one in made] == ["command.rollback"]
        until(lambda: told("plan", "*", "v2.1")["moves"], 15)
        (move,) = told("plan", "*", "v2.1")["moves"]
        assert (move["endpoint"], move["from"], move["to"]) == ("orders.list", "live", "v2.1")
        assert (move["extra_calls_before"] > 0, move["extra_calls_per_second"]) == (True, 0)


def test_every_command_has_help(folder: Path) -> None:
    for one in ("show", "plan", "set", "rollback", "why"):
        done = CliRunner().invoke(app, ["cutover", one, "--help"])
        assert done.exit_code == 0
        assert "--json" in done.output


def test_every_reason_of_a_decision_is_explained() -> None:
    page = (Path(__file__).parents[2] / "docs" / "cutover.md").read_text("utf-8")
    section = page.partition("## Decisions")[2].partition("## Metrics")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == set(get_args(Reason)) == set(WHY)


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_set_changes_no_byte_of_the_other_lines(folder: Path, ends: str, last: bool) -> None:
    whole = FILE if last else FILE.removesuffix("\n")
    (folder / "crossfade.toml").write_bytes(whole.replace("\n", ends).encode())
    done = run("set", "orders.get", "canary", "25")
    assert "-percent = 10\n+percent = 25\n" in done.output
    expected = whole.replace("percent = 10", "percent = 25")
    assert (folder / "crossfade.toml").read_bytes() == expected.replace("\n", ends).encode()
    done = run("set", "*", "shadow", "--force")
    assert done.exit_code == 0, done.output
    assert "+endpoint" not in done.output, "one line stands for another"
    assert '-stage = "v2"\n+stage = "shadow"' in done.output
    expected = expected.replace('stage = "v2"', 'stage = "shadow"')
    assert (folder / "crossfade.toml").read_bytes() == expected.replace("\n", ends).encode()
    run("set", "items.get", "shadow")
    lines = (folder / "crossfade.toml").read_bytes().decode().split("\n")
    assert {one.endswith("\r") for one in lines[:-1]} == {ends == "\r\n"}
    assert bool(lines[-1]) is not last


def test_set_tells_what_stays_after_a_way_back(folder: Path) -> None:
    (folder / "crossfade.toml").write_text(
        '[compat]\npoint_of_sale = "accept"\nguest_ref = "ignore"\n' + FILE, "utf-8"
    )
    found = told("plan", "orders.create", "canary", "1", "--force")["warnings"]
    assert [one.partition(":")[0] for one in found if one.startswith("stays")] == [
        "stays after a way back as well, orders.point-of-sale",
        "stays after a way back as well, orders.create.guest-ignored",
    ]
    assert not any("no return" in one for one in found)
    assert run("set", "*", "live", "--reads", "--force").exit_code == 0
    assert run("set", "orders.get", "live", "--force").exit_code == 0
    found = told("plan", "items.create", "canary", "1", "--force")["warnings"]
    (crossing,) = (one for one in found if one.startswith("the point of no return"))
    assert crossing.endswith("takes nothing back"), "items alone"
    found = told("plan", "*", "canary", "1", "--force")["warnings"]
    assert any(one.endswith("for the whole entry: set items.* by itself") for one in found)
    assert "values.item-type.flight, values.item-type.hotel, items.create.flight" in crossing
    assert any(one.startswith("stays after a way back as well, items.name: ") for one in found)
