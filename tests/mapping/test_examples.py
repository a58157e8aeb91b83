"""The golden exchanges are well formed and keep to the contracts; nothing of the program judges them.

A mistake in the engine and one in the data must not cover for each other, so this reads plain files.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.mapping.test_contracts import V2, V2_1, Schema, operations, resolved

EXAMPLES = Path(__file__).parents[2] / "mappings" / "examples"
ENDPOINTS = {path.name for path in EXAMPLES.iterdir()}
FILES = {f"{path.parent.name}/{path.stem}": path for path in sorted(EXAMPLES.rglob("*.toml"))}

COMPAT: Mapping[str, set[object]] = {
    "point_of_sale": {"require", "accept"},
    "guest_ref": {"refuse", "ignore"},
    "on_conflict": {"pass", "update"},
    "new_statuses": {"sentinel", "pass"},
    "both_filters": {"refuse", "referenceId", "guestRef"},
    "error_link": {"both", "moreInfo", "moreInfoUrl"},
    "update_status": {200, 201},
    "order_delete": {"refuse", "forward"},
    "child_links": {"forward", "refuse"},
    "item_delete_status": {200, 204},
}
LOOSENED = {"point_of_sale": ("/pointOfSale", "missing"), "new_statuses": ("/status", "value")}
"""The switches that let an exchange leave the v2 contract, and where."""

NATIVE = {("/productId", "missing"), ("/referenceId", "missing"), ("/status", "value"), ("/type", "value")}
"""What an item of v2.1's own writers may lack or say (accepted.toml)."""

EDITED = {
    "href",
    "createdAt",
    "modifiedAt",
    "orderedAt",
    "status",
    "contacts",
    "consumers",
    "orderItems",
    "items",
    "order",
    "guest",
    "name",
    "type",
    "quantity",
    "passengerTypeCode",
    "flightSegments",
}
EDITED |= {"first", "last", "next", "previous"}
"""Members of an answer that the mapping writes anew."""

KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}


def misfits(contract: Schema, schema: Schema, value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Where a value breaks the contract: `(pointer, missing | type | value)`; unknown members are free."""
    schema = resolved(contract, schema)
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    right = any(isinstance(value, KINDS[one]) for one in types)
    if not right or (isinstance(value, bool) and "boolean" not in types):
        yield place, "type"
        return
    if value not in schema.get("enum", [value]):
        yield place, "value"
    if isinstance(value, dict):
        for name in set(schema.get("required", [])) - value.keys():
            yield f"{place}/{name}", "missing"
        for name, member in schema.get("properties", {}).items():
            if name in value:
                yield from misfits(contract, member, value[name], f"{place}/{name}")
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            yield from misfits(contract, schema["items"], item, f"{place}/{number}")


def absent(value: Any) -> bool:
    """What a v2 request may say instead of leaving a member out (F§7.1)."""
    return value is None or (isinstance(value, str) and value.startswith("0001-"))


def said(value: Any) -> Any:
    """A value without the members that say nothing."""
    if isinstance(value, list):
        return [said(one) for one in value]
    if isinstance(value, dict):
        return {name: said(one) for name, one in value.items() if not absent(one)}
    return value


def operation_of(contract: Schema, method: str, target: str) -> Schema:
    """A trailing slash is a declared alias of a path (F§2.0)."""
    path = urlsplit(target).path.rstrip("/")
    for place, operation in operations(contract):
        template = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(place))
        if re.fullmatch(template, f"{method} {path}"):
            return operation
    raise AssertionError(f"the contract has no {method} {path}")


def documented(request: Mapping[str, str]) -> bool:
    try:
        return bool(operation_of(V2, request["method"], request["target"]))
    except AssertionError:
        return False


def body_schema(contract: Schema, holder: Schema) -> Schema:
    return resolved(contract, holder["content"]["application/json"]["schema"])


def loosened(golden: dict[str, Any]) -> set[tuple[str, str]]:
    return {LOOSENED[name] for name in golden.get("compat", {}) if name in LOOSENED}


def answers(golden: dict[str, Any]) -> list[str]:
    return [call["answer"] for call in golden["upstream"]]


def tokens(text: str) -> dict[str, Any]:
    """An object whose numbers are kept as they are written."""
    value: dict[str, Any] = json.loads(text, parse_float="#".__add__, parse_int="#".__add__)
    return value


def is_json(text: str) -> bool:
    return text.lstrip().startswith(("{", "["))


@pytest.fixture(params=list(FILES.values()), ids=list(FILES))
def golden(request: pytest.FixtureRequest) -> dict[str, Any]:
    path: Path = request.param
    return tomllib.loads(path.read_text(encoding="utf-8"))


def test_each_endpoint_has_at_least_four() -> None:
    for endpoint in ENDPOINTS:
        assert sum(name.startswith(endpoint + "/") for name in FILES) >= 4, endpoint


def test_it_has_the_agreed_keys_and_nothing_else(golden: dict[str, Any]) -> None:
    assert {"says", "source", "request", "answer"} <= golden.keys()
    assert golden.keys() <= {"says", "source", "compat", "request", "upstream", "answer"}
    assert golden["says"].endswith(".")
    assert re.search(r"seed 00[0-3]|F§\d|design: ", golden["source"])
    assert (
        {"method", "target", "headers"} <= golden["request"].keys() <= {"method", "target", "headers", "body"}
    )
    for call in golden.get("upstream", []):
        assert {"method", "target", "status", "answer"} <= call.keys()
        assert call.keys() <= {"method", "target", "status", "answer", "body"}
    for name, value in golden.get("compat", {}).items():
        assert value in COMPAT[name], name


def test_it_ends_in_an_answer_or_in_a_refusal_that_sends_nothing(golden: dict[str, Any]) -> None:
    answer = golden["answer"]
    if "code" in answer:
        assert re.fullmatch(r"CF-[A-Z-]+", answer["code"])
        assert answer.keys() <= {"code", "pointer", "contains"}
        assert answer["contains"].keys() >= {"status", "code"}
        assert not golden.get("upstream")
    else:
        assert answer.keys() - {"partial"} in ({"status", "body"}, {"status", "contains"})
        assert golden.get("upstream")


def test_the_request_breaks_the_contract_exactly_where_the_refusal_points(golden: dict[str, Any]) -> None:
    request, answer = golden["request"], golden["answer"]
    if request["method"] != "POST" or answer.get("code") == "CF-JSON":
        return
    if not documented(request):
        assert "code" in answer, "v2 does not document this call, and it is carried all the same"
        return
    operation = operation_of(V2, request["method"], request["target"])
    body = said(json.loads(request["body"]))
    found = set(misfits(V2, body_schema(V2, operation["requestBody"]), body))
    if answer.get("code") == "CF-FIELD":
        assert {place for place, _ in found} == {answer["pointer"]}
    else:
        assert found <= loosened(golden)


def test_the_upstream_calls_keep_the_new_contract(golden: dict[str, Any]) -> None:
    for call in golden.get("upstream", []):
        operation = operation_of(V2_1, call["method"], call["target"])
        if "requestBody" in operation:
            assert not set(
                misfits(V2_1, body_schema(V2_1, operation["requestBody"]), json.loads(call["body"]))
            )
        else:
            assert "body" not in call
        response = operation["responses"].get(str(call["status"]), operation["responses"]["400"])
        if is_json(call["answer"]):
            problems = misfits(V2_1, body_schema(V2_1, response), json.loads(call["answer"]))
            assert {kind for _, kind in problems} <= {"missing"}


def test_the_answer_keeps_the_old_contract(golden: dict[str, Any]) -> None:
    request, answer = golden["request"], golden["answer"]
    if not answer.get("body"):
        return
    responses = operation_of(V2, request["method"], request["target"])["responses"]
    response = responses.get(str(answer["status"]), responses["400"])
    body = json.loads(answer["body"])
    free = NATIVE if "/orderItems/" in request["target"] else set()
    assert set(misfits(V2, body_schema(V2, response), body)) <= loosened(golden) | free
    assert "/v2.1/" not in answer["body"]
    assert "api-engage" not in answer["body"]
    stamps = re.findall(r'"\w+At": ?"([^"]*)"', answer["body"])
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", stamp) for stamp in stamps)


def test_the_members_of_a_record_come_back_token_for_token_and_in_place(golden: dict[str, Any]) -> None:
    """Money, references and members that no rule names (F§6.19)."""
    if golden["answer"].get("status") not in {200, 201} or not golden["answer"].get("body"):
        return  # a refusal, an error or an empty answer holds no record
    went = tokens(golden["answer"]["body"])
    came = next(one for one in map(tokens, reversed(answers(golden))) if one.get("ref") == went.get("ref"))
    assert {k: v for k, v in came.items() if k not in EDITED} == {
        k: v for k, v in went.items() if k not in EDITED
    }
    assert [name for name in went if name in came] == [name for name in came if name in went]
