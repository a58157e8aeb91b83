"""A resource that nobody has written a line of code for: files under a mapping folder, and its laws come by themselves."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from proxy.mapping.api import load
from proxy.mapping.lint import findings
from tests.laws import goldens
from tests.laws.ledger import Ledger
from tests.laws.registry import LAWS, Law, discovered
from tests.laws.run import hold
from tests.laws.world import World, world

HERE = Path(__file__).parent / "mappings"
SHIPPED = Path(__file__).parents[3] / "mappings"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped mapping folder with the made-up resource beside the orders."""
    made = tmp_path_factory.mktemp("with-refunds") / "mappings"
    shutil.copytree(SHIPPED, made, ignore=shutil.ignore_patterns("examples", "__pycache__"))
    shutil.copytree(HERE / "examples", made / "examples")
    shutil.copy(HERE / "refunds.toml", made)
    api = (made / "api.toml").read_text("utf-8")
    api = api.replace('resources = ["orders.toml"', 'resources = ["orders.toml", "refunds.toml"')
    (made / "api.toml").write_text(api.replace("family = [", 'family = ["/v2/refunds", '), "utf-8")
    with (made / "values.toml").open("a", encoding="utf-8") as values:
        values.write((HERE / "values.toml").read_text("utf-8"))
    for side in ("v2", "v2_1"):
        contract = made / "contracts" / f"{side}.json"
        part = json.loads((HERE / f"contract-{side}.json").read_text("utf-8"))
        contract.write_text(json.dumps(_merged(json.loads(contract.read_text("utf-8")), part)), "utf-8")
    return made


def _merged(contract: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    contract["paths"] |= part["paths"]
    contract["components"]["schemas"] |= part["components"]["schemas"]
    return contract


@pytest.fixture(scope="module")
def refunds(folder: Path) -> World:
    return world(folder)


def test_the_lint_has_nothing_to_say(folder: Path) -> None:
    assert [*map(str, findings(load(folder)))] == []


def test_every_law_finds_the_new_endpoints(refunds: World) -> None:
    found = {law.name for law, side in discovered(refunds) if side.spec.id.startswith("refunds.")}
    assert found == {law.name for law in LAWS}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_the_law_holds_for_a_resource_that_was_added_by_files_alone(law: Law, refunds: World) -> None:
    about = [side for one, side in discovered(refunds) if one is law and side.spec.id.startswith("refunds.")]
    for side in about:
        hold(law, refunds, side, Ledger())


def test_its_golden_exchanges_are_carried(folder: Path, refunds: World) -> None:
    examples = goldens.read(folder)
    assert len(examples) == 2
    with goldens.judged_over(refunds):
        for golden in examples:
            goldens.judge(golden)
