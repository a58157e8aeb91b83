"""Data extensions: v2's of orders, v2.1's of orders and items, over one store."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.emulator.caller import JSON, Caller

HOME = "https://api.example"
PAIRS = {"tripType": "RETURN", "seats": 2, "weight": 7.5, "window": True}


@pytest.fixture
def order(call: Caller) -> str:
    return call.created()


def extend(call: Caller, path: str, body: Any = None) -> dict[str, Any]:
    answer = call("POST", path, PAIRS if body is None else body)
    assert answer.status == 201, answer.body
    seen: dict[str, Any] = json.loads(answer.body)
    return seen


def test_v2_1_names_the_extension_and_its_owner(call: Caller, order: str) -> None:
    item = call.hung(order)
    for owner, word in ((f"orders/{order}", "order"), (f"orderItems/{item}", "orderItem")):
        made = extend(call, f"/v2.1/{owner}/extensions/ext")
        assert made == {
            "name": "ext",
            "ref": made["ref"],
            "href": f"{HOME}/v2.1/{owner}/extensions/ext",
            "key": "default",
            "createdAt": made["createdAt"],
            "modifiedAt": made["createdAt"],
            **PAIRS,
            word: {"href": f"{HOME}/v2.1/{owner}"},
        }
        assert call.json("GET", f"/v2.1/{owner}/extensions/ext") == made


def test_v2_names_it_by_its_ref(call: Caller, order: str) -> None:
    made = extend(call, f"/v2/orders/{order}/extext", {"key": "default", **PAIRS})
    href = f"{HOME}/v2/orders/{order}/extext/{made['ref']}"
    assert made == {
        "href": href,
        "ref": made["ref"],
        "createdAt": made["createdAt"],
        "modifiedAt": made["createdAt"],
        "key": "default",
        **PAIRS,
        "order": {"href": f"{HOME}/v2/orders/{order}"},
    }
    assert call.json("GET", href.removeprefix(HOME)) == made
    assert call.json("GET", f"/v2/orders/{order}/extext")["items"] == [{"href": href}]
    assert call.json("GET", f"/v2/orders/{order}/extSpending")["items"] == []
    assert call.status("GET", f"/v2/orders/{order}/extSpending/{made['ref']}") == 404


def test_what_one_version_writes_the_other_reads(call: Caller, order: str) -> None:
    ref = extend(call, f"/v2/orders/{order}/extext", {"key": "default", "a": 1})["ref"]
    assert call.json("PUT", f"/v2.1/orders/{order}/extensions/ext", {"b": 2})["ref"] == ref
    read = call.json("GET", f"/v2/orders/{order}/extext/{ref}")
    assert (read["b"], "a" in read, "name" in read) == (2, False, False)
    updated = call("POST", f"/v2/orders/{order}/extext/{ref}", {"key": "default", "c": 3})
    assert updated.status == 200
    newer = call.json("GET", f"/v2.1/orders/{order}/extensions/ext")
    assert (newer["c"], "b" in newer, newer["createdAt"] < newer["modifiedAt"]) == (3, False, True)
    assert call.status("DELETE", f"/v2/orders/{order}/extext/{ref}") == 204
    assert call.status("GET", f"/v2.1/orders/{order}/extensions/ext") == 404


def test_v2_may_have_several_of_one_name_apart_by_key(call: Caller, order: str) -> None:
    call.app.platform.switches = call.app.platform.switches.changed({"v2_extension_key": "any"})
    path = f"/v2/orders/{order}/extext"
    refs = [extend(call, path, {"key": key, "of": key})["ref"] for key in ("default", "budgets")]
    assert [call.json("GET", f"{path}/{ref}")["of"] for ref in refs] == ["default", "budgets"]
    assert len(call.json("GET", path)["items"]) == 2
    assert call.status("POST", path, {"key": "budgets"}) == 409


def test_v2_1_sees_the_extension_named_ext_alone(call: Caller, order: str) -> None:
    extend(call, f"/v2/orders/{order}/extSpending", {"key": "default", "a": 1})
    assert call.json("GET", f"/v2.1/orders/{order}/extensions")["items"] == []
    assert call.status("GET", f"/v2.1/orders/{order}/extensions/ext") == 404
    answer = call.json("POST", f"/v2.1/orders/{order}/extensions/Spending", {"a": 1})
    assert (answer["status"], answer["message"]) == (400, "name: must be ext.")


def test_v2_1_lists_whether_there_is_one(call: Caller, order: str) -> None:
    path = f"/v2.1/orders/{order}/extensions"
    assert call.json("GET", path)["items"] == []
    made = extend(call, f"{path}/ext")
    body = call.json("GET", path)
    assert body["items"] == [{"href": made["href"], "ref": made["ref"]}]
    assert body["href"] == f"{HOME}{path}?offset=0&limit=10"
    assert call.json("GET", f"{path}?expand=true")["items"] == [made]
    item = call.hung(order)
    inner = extend(call, f"/v2.1/orderItems/{item}/extensions/ext")
    assert call.json("GET", f"/v2.1/orderItems/{item}/extensions")["items"][0]["href"] == inner["href"]


def test_put_replaces_and_patch_adds(call: Caller, order: str) -> None:
    path = f"/v2.1/orders/{order}/extensions/ext"
    extend(call, path, {"a": 1, "b": 2})
    patched = call.json("PATCH", path, {"b": 3, "c": 4})
    assert [patched.get(name) for name in "abc"] == [1, 3, 4]
    put = call.json("PUT", path, {"d": 5})
    assert [put.get(name) for name in "abcd"] == [None, None, None, 5]
    assert call.status("DELETE", path) == 204
    assert [call.status(method, path, {"a": 1}) for method in ("GET", "PUT", "PATCH", "DELETE")] == [404] * 4


@pytest.mark.parametrize(
    ("query", "left"),
    [("?name=a|c", "b"), ("?name=a%7Cb", "c"), ("?name=z", "abc"), ("", ""), ("?name=", "")],
)
def test_fields_are_deleted_by_name_or_all(call: Caller, order: str, query: str, left: str) -> None:
    path = f"/v2.1/orders/{order}/extensions/ext"
    extend(call, path, {"a": 1, "b": 2, "c": 3})
    answer = call("DELETE", f"{path}/fields{query}")
    assert (answer.status, set("abc") & set(json.loads(answer.body))) == (200, set(left))
    assert set(left) == set("abc") & set(call.json("GET", path))
    assert call.status("DELETE", f"/v2.1/orders/{order}/extensions/ext/fields/more") == 404


@pytest.mark.parametrize("token", ["30.60", "-0", "1e2", "98765432109876543210", '"\\u00e9"', "false"])
def test_values_keep_their_spelling_through_both_versions(call: Caller, order: str, token: str) -> None:
    path = f"/v2.1/orders/{order}/extensions/ext"
    answer = call("POST", path, f'{{"fare": {token}}}', JSON)
    ref = json.loads(answer.body)["ref"]
    for target in (path, f"/v2/orders/{order}/extext/{ref}"):
        assert f'"fare":{token},' in call("GET", target).body.decode()


@pytest.mark.parametrize(
    "body",
    [
        {"a": {}},
        {"a": []},
        {"a": None},
        {"a-b": 1},
        {"": 1},
        {"ä": 1},
        {"name": "x"},
        {f"k{n}": n for n in range(101)},
    ],
)
def test_v2_1_refuses_what_is_not_flat_named_or_small_enough(call: Caller, order: str, body: Any) -> None:
    path = f"/v2.1/orders/{order}/extensions/ext"
    assert call.json("POST", path, body)["code"] == 400
    extend(call, path, {f"k{n}": n for n in range(100)})
    assert call.json("PATCH", path, {"another": 1})["message"] == "An extension holds at most 100 pairs."
    assert call.status("PATCH", path, {"k1": "another"}) == 200


@pytest.mark.parametrize("body", [{"a": 1}, {"key": None}, {"key": "other"}, {"key": "default", "a": {}}])
def test_v2_demands_the_key_and_flat_values(call: Caller, order: str, body: Any) -> None:
    assert call.json("POST", f"/v2/orders/{order}/extext", body)["code"] == 400


def test_v2_lets_response_members_and_nulls_pass(call: Caller, order: str) -> None:
    made = extend(call, f"/v2/orders/{order}/extext", {"key": "default", "href": None, "a_b": 1, "c": None})
    assert (made["a_b"], "c" in made, made["href"] is None) == (1, False, False)


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/v2.1/orders/none/extensions", 404),
        ("POST", "/v2.1/orders/none/extensions/ext", 404),
        ("POST", "/v2.1/orderItems/none/extensions/ext", 404),
        ("POST", "/v2/orders/none/extext", 404),
        ("POST", "/v2.1/orders/none/extensions", 405),
        ("GET", "/v2.1/orders/none/extensions/ext/fields", 405),
        ("PUT", "/v2/orders/none/extext", 405),
        ("GET", "/v2/orders/none/extensions", 404),
        ("GET", "/v2/orders/none/extra", 404),
        ("GET", "/v2/orders/none/extext/one/two", 404),
        ("GET", "/v2/orders/none/weather", 404),
        ("GET", "/v2.1/orderContacts/none/extensions/ext", 404),
    ],
)
def test_unknown_things_end_in_json(call: Caller, method: str, target: str, status: int) -> None:
    answer = call(method, target, {"key": "default"} if method != "GET" else b"")
    assert (answer.status, json.loads(answer.body)["code"]) == (status, status)


def test_a_v2_extension_without_a_ref_is_written_and_deleted_in_place(call: Caller, order: str) -> None:
    call.app.platform.switches = call.app.platform.switches.changed({"v2_extension": "by-name"})
    path = f"/v2/orders/{order}/extext"
    assert extend(call, path, {"key": "default", "a": 1})["href"] == HOME + path
    assert call.json("POST", path, {"key": "default", "b": 2})["b"] == 2
    assert [call.status("DELETE", path), call.status("GET", path)] == [204, 404]
