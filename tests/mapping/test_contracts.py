"""The two contracts keep to their dialect and to the facts; nothing of the program judges them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

MAPPINGS = Path(__file__).parents[2] / "mappings"
V2: dict[str, Any] = json.loads((MAPPINGS / "contracts" / "v2.json").read_text(encoding="utf-8"))
V2_1: dict[str, Any] = json.loads((MAPPINGS / "contracts" / "v2_1.json").read_text(encoding="utf-8"))
CONTRACTS = pytest.mark.parametrize("contract", [V2, V2_1], ids=["v2", "v2.1"])

LEAF_TYPES = {"string", "number", "integer", "boolean"}
VALUE_TABLES = {"status", "channel", "itemType", "itemStatus", "gender"}
CODECS = {"href", "timestamp", "money", "ref", "plain", "integer", "whole", "nested", *VALUE_TABLES}
SCHEMA_WORDS = {
    *("type", "format", "description", "enum", "default", "minimum", "maximum", "maxLength", "readOnly"),
    *("required", "properties", "items", "$ref", "x-type", "x-grade", "x-source", "x-key", "x-banned"),
}
SOURCE = re.compile(r"[SG]\d{1,2}(, [SG]\d{1,2})*")

Schema = dict[str, Any]


def below(schema: Schema, place: str) -> Iterator[tuple[str, Schema]]:
    """This schema and all inside it; references are not followed, their targets are visited by name."""
    yield place, schema
    for name, member in schema.get("properties", {}).items():
        yield from below(member, f"{place}/{name}")
    if "items" in schema:
        yield from below(schema["items"], f"{place}/*")


def operations(contract: Schema) -> Iterator[tuple[str, Schema]]:
    for path, methods in contract["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def schemas(contract: Schema) -> Iterator[tuple[str, Schema]]:
    for name, schema in contract["components"]["schemas"].items():
        yield from below(schema, name)
    for place, operation in operations(contract):
        for parameter in operation.get("parameters", []):
            yield from below(parameter["schema"], f"{place}?{parameter['name']}")


def resolved(contract: Schema, schema: Schema) -> Schema:
    reference = schema.get("$ref")
    return contract["components"]["schemas"][reference.rpartition("/")[2]] if reference else schema


def is_leaf(schema: Schema) -> bool:
    return schema.get("x-type") == "nested" or not schema.keys() & {"properties", "items", "$ref"}


def assert_graded(place: str, element: Schema) -> None:
    assert element.get("x-grade") in {"A", "B", "C", "D"}, f"{place} has no grade"
    assert SOURCE.fullmatch(element.get("x-source", "")), f"{place} has no source"


@CONTRACTS
def test_every_leaf_says_its_type_its_grade_and_its_source(contract: Schema) -> None:
    leaves = [(place, schema) for place, schema in schemas(contract) if is_leaf(schema)]
    assert len(leaves) > 50
    for place, leaf in leaves:
        assert leaf.get("x-type") in CODECS, f"{place} has no type"
        types = leaf["type"] if isinstance(leaf["type"], list) else [leaf["type"]]
        allowed = {"object", "array"} if leaf["x-type"] == "nested" else LEAF_TYPES
        assert set(types) <= allowed, place
        assert_graded(place, leaf)


@CONTRACTS
def test_every_operation_parameter_and_status_is_graded(contract: Schema) -> None:
    for place, operation in operations(contract):
        assert_graded(place, operation)
        assert operation["operationId"]
        assert any(status.startswith("2") for status in operation["responses"]), place
        for parameter in operation.get("parameters", []):
            assert_graded(f"{place}?{parameter['name']}", parameter)
        for status, response in operation["responses"].items():
            assert_graded(f"{place} {status}", response)


@CONTRACTS
def test_every_host_and_scheme_is_graded(contract: Schema) -> None:
    for server in contract["servers"]:
        assert_graded(server["url"], server)
    for name, scheme in contract["components"]["securitySchemes"].items():
        assert_graded(name, scheme)


@CONTRACTS
def test_only_the_words_of_the_dialect_are_used(contract: Schema) -> None:
    for place, schema in schemas(contract):
        assert schema.keys() <= SCHEMA_WORDS, f"{place}: {sorted(schema.keys() - SCHEMA_WORDS)}"
        assert "null" not in schema.get("type", []), f"{place} is nullable"
        assert set(schema.get("required", [])) <= schema.get("properties", {}).keys(), place


@CONTRACTS
def test_references_lead_to_named_schemas_and_none_is_left_over(contract: Schema) -> None:
    used = set(re.findall(r'"\$ref": "([^"]*)"', json.dumps(contract)))
    assert used == {f"#/components/schemas/{name}" for name in contract["components"]["schemas"]}


@CONTRACTS
def test_an_array_is_compared_by_a_member_that_its_items_have(contract: Schema) -> None:
    arrays = [(place, schema) for place, schema in schemas(contract) if "items" in schema]
    assert arrays
    for place, array in arrays:
        if is_leaf(array["items"]):
            assert "x-key" not in array, f"{place} holds texts, which are compared by their places"
            continue
        assert array["x-key"] in resolved(contract, array["items"])["properties"], place


@CONTRACTS
def test_path_parameters_are_declared(contract: Schema) -> None:
    for place, operation in operations(contract):
        held = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
        assert held == set(re.findall(r"\{(\w+)\}", place)), place


def table(contract: Schema, name: str) -> set[str]:
    found = [
        schema["enum"] for _, schema in schemas(contract) if schema.get("x-type") == name and "enum" in schema
    ]
    assert found
    assert all(set(one) == set(found[0]) and len(one) == len(set(one)) for one in found), (
        f"{name} differs from itself"
    )
    return set(found[0])


def test_the_value_tables_are_the_documented_ones() -> None:
    assert len(table(V2, "status")) == 11
    assert table(V2_1, "status") - table(V2, "status") == {"BROWSED", "SEARCHED"}
    assert table(V2, "status") < table(V2_1, "status")
    assert table(V2, "channel") == table(V2_1, "channel")
    assert len(table(V2, "channel")) == 11
    assert len(table(V2, "itemType")) == 33
    assert len(table(V2, "itemStatus")) == 8


def test_the_two_versions_require_what_their_pages_require() -> None:
    common = {"currencyCode", "price", "orderedAt", "referenceId"}
    assert set(V2["components"]["schemas"]["OrderWrite"]["required"]) == common | {"pointOfSale"}
    assert set(V2_1["components"]["schemas"]["OrderWrite"]["required"]) == common
    stamps = {"href", "ref", "createdAt", "modifiedAt"}
    members = V2["components"]["schemas"]["OrderWrite"]["properties"]
    assert {name for name, member in members.items() if member.get("readOnly")} == stamps


EXTENSION = ("list", "get", "create", "update", "patch", "delete", "fields")


def test_the_statuses_are_the_documented_ones() -> None:
    generic = {"400", "401", "404", "415", "500", "503"}
    v2 = {operation["operationId"]: set(operation["responses"]) for _, operation in operations(V2)}
    assert v2["orders.create"] == {"201"} | generic
    assert v2["orders.update"] == {"200", "201"} | generic
    assert v2["orders.get"] == v2["orders.list"] == v2["orderItems.list"] == {"200"} | generic
    v2_1 = {operation["operationId"]: set(operation["responses"]) for _, operation in operations(V2_1)}
    assert v2_1["orders.create"] == {"201", "400", "401", "409"}
    assert v2["orderItems.delete"] == {"200", "204"} | generic
    assert v2["orderContacts.delete"] == {"204"} | generic
    assert v2_1["orderContacts.delete"] == {"204", "400", "401"}
    assert v2_1.keys() - v2.keys() == {"orders.delete", "orderConsumers.delete", "orderConsumers.items"} | {
        *(f"{name}.patch" for name in ("orders", "orderItems", "orderContacts", "orderConsumers")),
        *(f"orderItemExtensions.{name}" for name in EXTENSION),
        *(f"orderExtensions.{name}" for name in ("patch", "delete", "fields")),
    }
    assert v2.keys() <= v2_1.keys()
