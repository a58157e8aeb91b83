"""`crossfade report` as an operator meets it: a real store, the guard's real file, exit codes, every form."""

from __future__ import annotations

import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner, Result

from proxy.cli.app import app
from proxy.config.load import load
from proxy.config.model import Guard as GuardSettings
from proxy.cutover.detector import missing, promotion, reached, tallied
from proxy.cutover.guard import Watched
from proxy.cutover.memory import Memory, memory_path, remember
from proxy.cutover.routes import Routes
from proxy.cutover.stage import Stage
from proxy.mapping.api import SHIPPED
from proxy.mapping.api import load as mappings
from proxy.report.document import EndpointReport, Kind
from proxy.report.needed import needs
from proxy.store.database import Database
from proxy.store.schema import ACTIVITY, COUNTS, COVERED, FIRED, GROUPS, SIGHTINGS, TOUCHED
from proxy.store.writing import add
from tests.cutover.rollouts import clean

NOW = 1_790_000_040
AT = "2026-09-21T14:14:00Z"
FILE = """\
[upstream.v2]
base_url = "http://127.0.0.1:1"
[upstream.v2_1]
base_url = "http://127.0.0.1:1"
[[caller]]
id = "a1b2c3d4"
name = "<script>|*booking*"
[[route]]
endpoint = "orders.get"
stage = "shadow"
[[route]]
endpoint = "orders.create"
stage = "canary"
percent = 50
"""


SOURCE = cache(lambda: mappings(SHIPPED))
PAST = cache(clean)


class Desk:
    """A configuration, its store and the guard's file, filled by hand."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "crossfade.toml"
        self.write(FILE)
        self.database = Database(f"sqlite:///{folder / 'crossfade.db'}")
        self.add()

    def write(self, text: str) -> None:
        self.path.write_text(text, "utf-8")

    def add(self, *rows: tuple[Any, dict[str, Any]]) -> None:
        with self.database.writing() as connection:
            for table, row in rows:
                add(connection, table, [row])

    def compared(
        self,
        endpoint: str,
        evidence: str,
        stage: str,
        *,
        records: int = 4000,
        cls: str = "equal",
        caller: str = "a1b2c3d4",
    ) -> None:
        row = {
            "window": NOW - 3600, "endpoint": endpoint, "route": "r", "stage": stage, "evidence": evidence, "class": cls,
            "reason": "", "caller": caller, "count": records, "records": records,
        }  # fmt: skip
        self.add((COUNTS, row))

    def called(self, endpoint: str, version: str = "v2", call: str = "", **more: Any) -> None:
        row = {
            "window": NOW // 3600 * 3600, "caller": "a1b2c3d4", "endpoint": endpoint, "version": version, "call": call,
            "calls": 100, "failures": 0, "seconds": 5.0, "last_seen": NOW * 1000,
        }  # fmt: skip
        self.add((ACTIVITY, {**row, **more}))

    def diverged(self, group: str = "g-1") -> None:
        key = {
            "id": group, "endpoint": "orders.get", "status_v2": 200, "status_v2_1": 200, "pointer": "/a|b", "kind": "value",
            "v2": "string", "v2_1": "number", "first_seen": NOW * 1000 - 9000, "last_seen": NOW * 1000 - 9000, "count": 7,
            "examples": "[]",
        }  # fmt: skip
        seen = {"group": group, "count": 7, "last_seen": NOW * 1000}
        self.add(
            (GROUPS, key), (TOUCHED, {**seen, "caller": "a1b2c3d4"}), (SIGHTINGS, {**seen, "record": "r1"})
        )

    def learnt(self, length: int = 4000, **more: Any) -> None:
        """Let the guard have seen so many clean records on each route."""
        known = PAST(length)
        assert known is not None
        loaded = load(self.path, {})
        routes = Routes.compile(loaded.config, SOURCE().writes)
        watched: dict[str, Watched] = {one.key: known for one in routes.entries}
        remember(memory_path(Path(loaded.config.journal.path)), Memory(watched=watched, **more))

    def run(self, *words: str, code: int) -> Result:
        done = CliRunner().invoke(app, ["report", "--config", str(self.path), "--at", AT, *words])
        assert done.exit_code == code, done.output
        return done

    def told(self, *words: str, code: int) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("--json", *words, code=code).stdout)
        return found


def of(report: dict[str, Any], endpoint: str) -> dict[str, Any]:
    (found,) = [one for one in report["endpoints"] if one["endpoint"] == endpoint]
    return found  # type: ignore[no-any-return] # JSON


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def ready(desk: Desk) -> None:
    desk.compared("orders.get", "shadow_read", "shadow")
    desk.called("orders.get")
    desk.learnt()


def test_no_data_is_inconclusive(desk: Desk) -> None:
    found = desk.told(code=3)
    assert (found["verdict"], found["format"]) == ("inconclusive", 1)
    assert "no data says nothing" in found["reasons"][0]
    assert {one["verdict"] for one in found["endpoints"]} == {"inconclusive"}


def test_without_a_store_it_says_so(desk: Desk) -> None:
    assert desk.database.file
    desk.database.file.unlink()
    assert "there is no store yet" in desk.run(code=3).stderr


def test_ready_names_the_command_to_type(desk: Desk) -> None:
    ready(desk)
    one = of(desk.told(code=0), "orders.get")
    assert (one["verdict"], one["reasons"], one["next"]) == (
        "ready",
        [],
        "crossfade cutover set orders.get canary 1",
    )
    typed = one["next"].split()[1:]
    assert CliRunner().invoke(app, [*typed, "--config", str(desk.path)]).exit_code == 0
    assert 'stage = "canary"\npercent = 1' in desk.path.read_text("utf-8")


def test_the_command_moves_none_but_the_callers_of_the_entry(desk: Desk) -> None:
    entry = '[[route]]\nendpoint = "orders.get"\ncallers = ["a1b2c3d4"]\nstage = "shadow"\n\n'
    desk.write(FILE.replace("[[route]]", entry + "[[route]]", 1))
    ready(desk)
    one = of(desk.told(code=0), "orders.get")
    assert one["next"] == "crossfade cutover set orders.get canary 1 --caller a1b2c3d4"


def test_what_is_missing_is_named_and_when_it_will_be_there(desk: Desk) -> None:
    desk.compared("orders.get", "shadow_read", "shadow", records=1000)
    desk.called("orders.get")
    desk.learnt(1000)
    one = of(desk.told(code=3), "orders.get")
    (kind,) = one["kinds"]
    assert 2_200 < kind["needed"] < 2_800
    assert kind["in_seconds"] == round(kind["needed"] * 3.6)
    assert (kind["age"], kind["first"]) == (3600, "2026-09-21T13:14:00Z")
    assert f"{kind['needed']} more distinct records" in one["reasons"][0]


def test_ready_needs_the_guard_too(desk: Desk) -> None:
    desk.compared("orders.get", "shadow_read", "shadow")
    desk.called("orders.get")
    assert "nothing has been compared yet" in of(desk.told(code=3), "orders.get")["reasons"][0]


def test_noise_and_races_are_no_evidence(desk: Desk) -> None:
    for cls in ("noise", "race", "skipped", "failed"):
        desk.compared("orders.get", "shadow_read", "shadow", cls=cls)
    desk.called("orders.get")
    desk.learnt()
    (kind,) = of(desk.told(code=3), "orders.get")["kinds"]
    assert (kind["records"], kind["upper"]) == (0, None)
    assert kind["classes"]["noise"] == 4000


def test_an_open_group_stands_in_the_way_until_somebody_closes_it(desk: Desk) -> None:
    ready(desk)
    desk.diverged()
    report = desk.told(code=1)
    one = of(report, "orders.get")
    assert (one["verdict"], one["open_groups"], one["next"]) == (
        "not ready", 1, "crossfade divergences list --endpoint orders.get"
    )  # fmt: skip
    assert one["blockers"][0] == {
        "group": "g-1", "pointer": "/a|b", "kind": "value", "state": "new", "count": 7, "records": 1, "callers": 1
    }  # fmt: skip
    assert report["callers"][0]["verdict"] == "not ready"
    words = ["divergences", "accept", "g-1", "--reason", "r", "--owner", "o", "--config", str(desk.path)]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert of(desk.told(code=0), "orders.get")["verdict"] == "ready"


def test_kinds_are_never_added_up(desk: Desk) -> None:
    """Live writes need canary writes: what v2 answered says nothing about v2.1's write path."""
    desk.compared("orders.create", "translate_only", "shadow", records=100_000)
    desk.compared("orders.create", "read_back", "shadow", records=100_000)
    desk.called("orders.create")
    desk.learnt()
    one = of(desk.told(code=3), "orders.create")
    assert [kind["evidence"] for kind in one["kinds"] if kind["needed"]] == ["contract", "read_back"]
    desk.compared("orders.create", "contract", "canary")
    assert of(desk.told(code=3), "orders.create")["verdict"] == "inconclusive"
    desk.compared("orders.create", "read_back", "canary")
    one = of(desk.told(code=0), "orders.create")
    assert one["next"] == "crossfade cutover set orders.create live"


def test_conflicts_block_creates_until_somebody_decides(desk: Desk) -> None:
    for evidence in ("contract", "read_back"):
        desk.compared("orders.create", evidence, "canary")
    desk.called("orders.create")
    desk.learnt(conflicts={"orders.create": 2})
    one = of(desk.told(code=1), "orders.create")
    assert one["would_conflict"] == 2
    assert "compat.on_conflict" in one["reasons"][0]
    desk.write(FILE + '[compat]\non_conflict = "pass"\n')
    assert of(desk.told(code=0), "orders.create")["verdict"] == "ready"


def test_too_many_divergences_are_no_question_of_time(desk: Desk) -> None:
    desk.compared("orders.get", "shadow_read", "shadow")
    desk.compared("orders.get", "shadow_read", "shadow", records=3000, cls="unexpected")
    desk.called("orders.get")
    desk.learnt()
    assert "3000 of 7000 distinct records diverged" in of(desk.told(code=3), "orders.get")["reasons"][0]
    assert "diverges too often" in desk.run(code=3).stdout


def test_at_stage_v2_the_next_step_gathers_evidence(desk: Desk) -> None:
    desk.called("items.get")
    one = of(desk.told(code=3), "items.get")
    assert (one["stages"], one["next"]) == (["v2"], "crossfade cutover set items.get shadow")


def test_callers_are_judged_by_what_was_compared_of_their_own(desk: Desk) -> None:
    ready(desk)
    desk.called("orders.get", caller="ffff0000ffff0000")
    desk.called("unmapped", call="PATCH /x/{y}")
    first, second = desk.told(code=0)["callers"]
    assert (first["verdict"], first["unmapped"], first["records"]) == (
        "ready", {"PATCH /x/{y}": 100}, {"shadow_read": 4000}
    )  # fmt: skip
    assert (second["verdict"], second["reasons"]) == (
        "inconclusive", ["orders.get: none of its calls was compared (shadow_read)"]
    )  # fmt: skip
    assert [one["caller"] for one in desk.told("--caller", "ffff0000ffff0000", code=3)["callers"]] == [
        "ffff0000ffff0000"
    ]


def test_unmapped_calls_stand_in_the_way_of_a_caller_that_is_nearly_over(desk: Desk) -> None:
    desk.write(FILE.replace('"shadow"', '"live"'))
    for evidence in ("contract", "reverse_shadow"):
        desk.compared("orders.get", evidence, "live")
    desk.called("orders.get", "v2.1")
    desk.learnt()
    assert desk.told(code=0)["callers"][0]["verdict"] == "ready"
    desk.called("unmapped", call="PATCH /x/{y}")
    (one,) = desk.told(code=0)["callers"]
    assert (one["verdict"], one["reasons"]) == ("not ready", ["PATCH /x/{y} is not mapped (100 calls)"])


def test_the_two_versions_are_held_against_each_other(desk: Desk) -> None:
    desk.called("orders.get")
    desk.called("orders.get", "v2.1", failures=10, seconds=9.0)
    one = of(desk.told(code=3), "orders.get")
    assert (one["latency_delta_ms"], one["error_delta"]) == (40.0, 0.1)


def test_coverage_and_losses_are_out_of_what_the_mapping_declares(desk: Desk) -> None:
    lossy = next(one.id for one in SOURCE().claims() if one.loss)
    seen = {"endpoint": "orders.get", "evidence": "shadow_read", "last_seen": NOW * 1000}
    desk.add(
        (COVERED, {**seen, "part": "status", "name": "200"}),
        (COVERED, {**seen, "part": "answered", "name": "/ref"}),
        (COVERED, {**seen, "part": "answered", "name": "/no-more-in-the-contract"}),
        (FIRED, {"endpoint": "orders.get", "rule": lossy, "count": 3, "last_seen": NOW * 1000}),
        (FIRED, {"endpoint": "orders.get", "rule": "no-loss", "count": 3, "last_seen": NOW * 1000}),
    )
    one = of(desk.told(code=3), "orders.get")
    parts = {part["part"]: part for part in one["coverage"]}
    assert parts["statuses"]["seen"] == parts["fields answered"]["seen"] == 1
    assert parts["fields answered"]["of"] > 20
    assert "404" in parts["statuses"]["missing"]
    assert [(loss["rule"], loss["comparisons"]) for loss in one["losses"]] == [(lossy, 3)]


class Page(HTMLParser):
    """Every address that a page names, and every element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [
            value or "" for name, value in attrs if name in {"src", "href", "action", "srcset"}
        ]


def test_the_page_asks_nobody_for_anything_and_runs_nothing(desk: Desk, tmp_path: Path) -> None:
    ready(desk)
    desk.diverged()
    done = desk.run("--format", "html", "--output", str(tmp_path / "report.html"), code=1)
    assert done.stdout.startswith("not ready; wrote")
    text = (tmp_path / "report.html").read_text("utf-8")
    page = Page(text)
    assert "script" not in page.tags
    assert page.addresses == []
    assert not re.search(r"url\(|@import", text)
    assert "&lt;script&gt;|*booking*" in text
    assert "prefers-color-scheme: dark" in text
    assert "g-1" in text


def test_markdown_shows_names_as_they_are(desk: Desk) -> None:
    ready(desk)
    desk.diverged()
    text = desk.run("--format", "markdown", code=1).stdout
    assert r"| a1b2c3d4 | \<script\>\|\*booking\* | not ready | 100 |" in text
    assert r"| g-1 | /a\|b | value | new | 7 | 1 | 1 |" in text


def crowded(desk: Desk) -> None:
    """A bit of everything that a report may have to say."""
    lossy = next(one for one in SOURCE().claims() if one.loss)
    desk.compared("orders.get", "shadow_read", "shadow", records=10)
    desk.compared("orders.create", "contract", "canary", records=3000, cls="unexpected")
    desk.compared("orders.get", "reverse_shadow", "canary", records=10)
    for version, seconds in (("v2", 5.0), ("v2.1", 9.0)):
        desk.called("orders.get", version, seconds=seconds)
    for endpoint in ("orders.list", "orders.create"):
        desk.called(endpoint)
    desk.called("unmapped", call="PATCH /x/{y}")
    desk.add((FIRED, {"endpoint": "orders.get", "rule": lossy.id, "count": 3, "last_seen": NOW * 1000}))
    desk.diverged()
    desk.learnt(conflicts={"orders.create": 2})


@pytest.mark.parametrize("form", ["markdown", "html", "text"])
def test_every_form_for_people_says_what_stands_in_the_way(desk: Desk, form: str) -> None:
    crowded(desk)
    text = " ".join(desk.run("--format", form, code=1).stdout.replace("\\", "").split())
    lossy = next(one for one in SOURCE().claims() if one.loss)
    for said in (
        "diverges too often",
        "more needed, in ",
        "latency +40.0 ms, failed answers +0.000 points",
        "only one version has answered callers",
        lossy.id,
        "g-1",
        "on_conflict",
        "crossfade divergences list --endpoint orders.get",
    ):
        assert said in text, said
    assert "PATCH /x/{y} is not mapped (100 calls)" in text or form == "text"
    assert "not needed for the next stage" in text
    assert re.search(r"Nobody has called:? [^|]*items.get", text)


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html"])
def test_the_same_data_and_time_give_the_same_bytes(desk: Desk, form: str) -> None:
    ready(desk)
    desk.diverged()
    assert desk.run("--format", form, code=1).stdout == desk.run("--format", form, code=1).stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--at", "soon"], "--at: is not a time"),
        (["--endpoint", "orders.gte"], "orders.get"),
    ],
)
def test_what_cannot_be_meant_is_told(desk: Desk, words: list[str], says: str) -> None:
    assert says in desk.run(*words, code=2).stderr


def test_one_endpoint_alone(desk: Desk) -> None:
    ready(desk)
    desk.called("items.get")
    assert desk.run(code=3).stdout.startswith("Is it safe to cut over?  inconclusive")
    found = desk.told("--endpoint", "orders.g*", code=0)
    assert [one["endpoint"] for one in found["endpoints"]] == ["orders.get"]


def test_sums_alone_ask_for_as_much_as_the_guard() -> None:
    test = promotion(GuardSettings().budget)
    needed = missing(test, tallied(test, 0, 0))
    assert 3_300 < needed < 3_700
    assert reached(test, tallied(test, needed, 0))
    assert not reached(test, tallied(test, needed, 1))
    assert not reached(test, tallied(test, needed - 1, 0))
    assert missing(test, tallied(test, 10_000, 10_000)) > 1_000_000


def test_the_page_in_the_documents_names_every_option_field_and_need() -> None:
    text = (Path(__file__).parents[2] / "docs" / "report.md").read_text("utf-8")
    text = re.sub(r"(?s)```.*?```", "", text)
    named = set(re.findall(r"`([^`]+)`", text))
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    options = {name for one in group.commands["report"].params for name in one.opts if name.startswith("--")}
    assert options - {"--config", "--help"} <= named
    assert {*EndpointReport.__struct_fields__, *Kind.__struct_fields__} <= named
    rows = dict(re.findall(r"(?m)^\| (`(?:shadow|canary)`[^|]*) \| ([^|]*\|[^|]*) \|$", text))
    for stages, cells in rows.items():
        for stage in re.findall(r"`([^`]+)`", stages):
            read, write = cells.split("|")
            for writes, cell in ((False, read), (True, write)):
                wanted = set(needs(Stage(stage), writes=writes))
                assert wanted == set(re.findall(r"`([a-z_]+)`", cell)) - {"canary"}, stage
    assert len(rows) == 2
