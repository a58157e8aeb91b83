"""The migration guide is what the mapping files say, and no difference between the contracts goes without an answer."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from proxy.errors import MappingError
from proxy.mapping.answered import answered
from proxy.mapping.api import Source, load
from proxy.mapping.contract import load_contract
from proxy.mapping.declared import catalogue
from proxy.mapping.differences import Difference, Part, differences
from proxy.mapping.guide import guide
from tests.mapping import toy
from tests.mapping.goldens import FOLDER

PAGE = FOLDER.parent / "docs" / "migration-guide.md"
SOURCE = load(FOLDER)
V2, V2_1 = (json.loads((FOLDER / "contracts" / f"{one}.json").read_text("utf-8")) for one in ("v2", "v2_1"))


def names(found: list[Difference]) -> set[str]:
    return {str(one) for one in found}


def edited(tmp_path: Path, version: str, document: dict[str, Any]) -> Source:
    """The shipped mapping with another contract."""
    path = tmp_path / f"{version}.json"
    path.write_text(json.dumps(document), "utf-8")
    contract = load_contract(path)
    return replace(SOURCE, v2=contract) if version == "v2" else replace(SOURCE, v2_1=contract)


def schema(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"][name]
    return found


def copied(document: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(document))
    return made


def test_the_page_is_what_the_mapping_files_say() -> None:
    assert PAGE.read_text("utf-8") == guide(SOURCE), "write it anew: crossfade guide docs/migration-guide.md"


def test_it_is_the_same_every_time() -> None:
    assert guide(load(FOLDER)) == guide(load(FOLDER))


def test_another_sentence_in_a_rule_makes_the_page_stale(tmp_path: Path) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "mappings")
    rules = folder / "orders.toml"
    text = rules.read_text("utf-8")
    assert "The point of sale may be missing" in text
    rules.write_text(text.replace("The point of sale may be missing", "The shop may be missing"), "utf-8")
    assert PAGE.read_text("utf-8") != guide(load(folder))


def test_every_declaration_stands_on_the_page() -> None:
    page = PAGE.read_text("utf-8")
    # A table without two-way entries acts under the ids of its entries only; errors are listed by member.
    for name in catalogue(SOURCE):
        shown = name.removeprefix("error.") if name.startswith("error.") else name
        assert f"`{shown}`" in page or name in {f"values.{one.type}" for one in SOURCE.values.table}, name
    for switch in SOURCE.api.compat:
        assert f"`compat.{switch}`" in page
    for entry in SOURCE.accepted:
        assert f"`{entry.id}`" in page


def test_every_loss_stands_on_the_page_with_its_reason() -> None:
    page = PAGE.read_text("utf-8")
    losses = [one for one in catalogue(SOURCE).values() if one.loss]
    assert len(losses) > 5
    for one in losses:
        assert re.search(
            rf"\| `{one.loss}` \| `{re.escape(one.id)}` \| .* \| {re.escape(one.reason)} \|", page
        )


def test_everything_that_answers_for_a_difference_is_declared() -> None:
    known = {*catalogue(SOURCE), *(one.id for one in SOURCE.accepted)}
    rows = answered(SOURCE)
    assert len(rows) > 60
    for one, ids in rows:
        assert ids, one
        assert known.issuperset(ids), one


@pytest.mark.parametrize(
    ("version", "name", "edit", "expected"),
    [
        (
            "v2_1",
            "OrderWrite",
            {"properties": {"tax": {"type": "number"}}},
            "orders.create request /tax: only v2.1 has it",
        ),
        (
            "v2",
            "OrderWrite",
            {"properties": {"tax": {"type": "number"}}},
            "orders.update request /tax: only v2 has it",
        ),
        (
            "v2_1",
            "OrderWrite",
            {"required": ["cardType"]},
            "orders.create request /cardType: only v2.1 requires it",
        ),
        (
            "v2_1",
            "Order",
            {"properties": {"tax": {"type": "number"}}},
            "orders.get answer /tax: only v2.1 has it",
        ),
        (
            "v2_1",
            "Order",
            {"properties": {"price": {"type": "string"}}},
            "orders.get answer /price: type (number in v2, string in v2.1)",
        ),
        ("v2_1", "Error", {"properties": {"hint": {"type": "string"}}}, "error /hint: only v2.1 has it"),
        (
            "v2",
            "Error",
            {"required": ["hint"], "properties": {"hint": {"type": "string"}}},
            "error /hint: only v2 has it",
        ),
    ],
)
def test_a_new_difference_in_a_contract_is_found_and_named(
    tmp_path: Path, version: str, name: str, edit: dict[str, Any], expected: str
) -> None:
    document = copied(V2 if version == "v2" else V2_1)
    target = schema(document, name)
    target["properties"] |= edit.get("properties", {})
    target["required"] = [*target.get("required", []), *edit.get("required", [])]
    source = edited(tmp_path, version, document)
    assert expected in names(differences(source)) - names(differences(SOURCE))
    with pytest.raises(MappingError) as refused:
        guide(source)
    assert expected in str(refused.value)
    assert "accept" in str(refused.value)


def test_a_new_value_a_new_status_a_new_parameter_and_a_new_call_are_found(tmp_path: Path) -> None:
    document = copied(V2_1)
    paths = document["paths"]
    schema(document, "OrderWrite")["properties"]["channel"]["enum"].append("DRONE")
    schema(document, "OrderWrite")["properties"]["status"]["enum"].remove("CANCELLED")
    paths["/v2.1/orders"]["post"]["responses"]["422"] = {"description": "No."}
    paths["/v2.1/orders"]["get"]["parameters"].append(
        {"name": "since", "in": "query", "schema": {"type": "string"}}
    )
    paths["/v2.1/refunds"] = {"get": {"responses": {}}}
    source = edited(tmp_path, "v2_1", document)
    new = {
        "orders.create request /channel: values of v2.1 only (DRONE)",
        "orders.update request /status: values of v2 only (CANCELLED)",
        "orders.create status 422: only v2.1 has it",
        "orders.list query ?since: only v2.1 has it",
        "call GET /v2.1/refunds: only v2.1 has it",
    }
    assert new <= names(differences(source))
    with pytest.raises(MappingError) as refused:
        answered(source)
    for one in new:
        assert one in str(refused.value)


def test_an_answer_without_a_body_has_no_members_to_compare(tmp_path: Path) -> None:
    document = copied(V2_1)
    del document["paths"]["/v2.1/orders"]["get"]["responses"]["200"]["content"]
    found = differences(edited(tmp_path, "v2_1", document))
    assert not [one for one in found if one.endpoint == "orders.list" and one.part is Part.ANSWER]


def test_what_a_further_call_brings_is_compared_as_well(tmp_path: Path) -> None:
    document = copied(V2_1)
    del schema(document, "OrderItem")["properties"]["vendor"]
    source = edited(tmp_path, "v2_1", document)
    assert "orders.get answer /orderItems/items/*/vendor: only v2 has it" in names(differences(source))


@pytest.mark.parametrize("gone", ["orders.children-in-body", "orders.response-only", "orders.get.contacts"])
def test_without_its_rule_a_difference_has_no_answer(gone: str) -> None:
    (file,) = SOURCE.resources[:1]
    fewer = msgspec.structs.replace(file, rule=[one for one in file.rule if one.id != gone])
    with pytest.raises(MappingError):
        answered(replace(SOURCE, resources=[fewer, *SOURCE.resources[1:]]))


def test_without_its_accepted_entry_a_difference_has_no_answer() -> None:
    fewer = [one for one in SOURCE.accepted if one.id != "accepted.sort"]
    with pytest.raises(MappingError, match=r"\?sort: only v2.1 has it: nothing answers for it"):
        guide(replace(SOURCE, accepted=fewer))


def test_a_rename_is_no_difference_of_members(tmp_path: Path) -> None:
    properties = {
        ("weight" if name == "size" else name): one for name, one in toy.THING["properties"].items()
    }
    other = json.dumps(toy.contract("v2.1", {**toy.THING, "properties": properties}))
    rule = toy.rule("both", "/size", "rename", native="/weight")
    source = load(toy.folder(tmp_path, things=toy.THINGS + rule, v2_1=other))
    assert not [
        one
        for one in differences(source)
        if one.place in {"/size", "/weight"} and one.endpoint == "things.create"
    ]
    assert [one for one in differences(source) if one.place == "/size" and one.endpoint == "things.get"]


def test_an_id_that_stands_twice_is_refused() -> None:
    (file,) = SOURCE.resources[:1]
    twice = msgspec.structs.replace(file, rule=[*file.rule, file.rule[0]])
    with pytest.raises(MappingError, match="two declarations"):
        catalogue(replace(SOURCE, resources=[twice]))
