"""docs/store.md and docs/divergences.md say what the program has: metrics, reasons, commands, fields."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import typer.main
from prometheus_client import CollectorRegistry

from proxy.cli import divergences
from proxy.cli.groups import as_dict
from proxy.log import open_log
from proxy.store import Recorder
from proxy.store.database import Trouble
from proxy.store.rows import Group, GroupKey, State, Triage
from tests.store.seen import KEEP

DOCS = Path(__file__).parents[2] / "docs"
STORE, DIVERGENCES = ((DOCS / name).read_text("utf-8") for name in ("store.md", "divergences.md"))


def test_every_metric_of_the_store_is_explained(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    Recorder(f"sqlite:///{tmp_path / 'none.db'}", KEEP, open_log("/dev/null"), registry)
    names = {sample.name for family in registry.collect() for sample in family.samples}
    assert names == set(re.findall(r"^\| `(crossfade_\w+)` \|", STORE, re.MULTILINE))


def test_every_trouble_is_explained() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \|$", STORE, re.MULTILINE)
    assert set(rows) == set(get_args(Trouble))


def test_every_state_is_explained() -> None:
    assert re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \| [^|]+ \|$", DIVERGENCES, re.MULTILINE) == list(
        get_args(State)
    )


def test_every_command_stands_on_the_page() -> None:
    group = typer.main.get_group(divergences.app)
    assert set(re.findall(r"^crossfade divergences (\w+)", DIVERGENCES, re.MULTILINE)) == set(group.commands)


def test_every_field_of_a_group_is_explained() -> None:
    key = GroupKey("g-aaaaaa", "orders.get", 200, 200, "/price", "type", "number", "string")
    fields = set(as_dict(Group(key, 0, 0, 1, 1, 1, Triage())))
    table = DIVERGENCES.partition("| in `groups` |")[2].partition("| in `callers` |")[0]
    told = {
        name
        for row in re.findall(r"^\| ((?:`\w+` ?)+)\|", table, re.MULTILINE)
        for name in re.findall(r"\w+", row)
    }
    assert told == fields | {"by_caller"}
