"""Order items in both versions, over one store."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.emulator.caller import CREDENTIALS, FIRST_REF, Caller, item

HOME = "https://api.example"
SEGMENT = {"id": "1", "origin": "DUB", "destination": "LHR", "flightNumber": "SP101"}


def test_a_v2_item_answers_with_what_it_was_given_and_its_order(call: Caller) -> None:
    order = call.created()
    answer = call("POST", f"/v2/orders/{order}/orderItems", item(type="FLIGHT", name=..., quantity=...))
    ref = json.loads(answer.body)["ref"]
    stamps = '"createdAt":"2025-12-19T12:19:02.268Z","modifiedAt":"2025-12-19T12:19:02.268Z",'
    assert answer.status == 201
    assert answer.body.decode() == (
        f'{{"href":"{HOME}/v2/orderItems/{ref}","ref":"{ref}",{stamps}"type":"FLIGHT","status":"CONFIRMED",'
        '"referenceId":"B94TXY-1-1","productId":"seat","currencyCode":"EUR","price":12.5,'
        f'"order":{{"href":"{HOME}/v2/orders/{order}"}}}}'
    )


def test_a_v2_1_item_names_the_ref_first_and_prints_seconds(call: Caller) -> None:
    ref = call.hung(call.created(), version="v2.1", orderedAt="2025-12-19T12:07:18.149+01:00")
    read = call.json("GET", f"/v2.1/orderItems/{ref}")
    assert list(read)[:3] == ["ref", "href", "createdAt"]
    assert (read["href"], read["orderedAt"]) == (f"{HOME}/v2.1/orderItems/{ref}", "2025-12-19T11:07:18Z")
    assert call.json("GET", f"/v2/orderItems/{ref}")["orderedAt"] == "2025-12-19T11:07:18.149Z"


@pytest.mark.parametrize("name", ["currencyCode", "price", "status", "type", "productId", "referenceId"])
@pytest.mark.parametrize("how", [None, ...])
def test_v2_demands_six_members_to_create_and_to_update(call: Caller, name: str, how: Any) -> None:
    order = call.created()
    for path in (f"orders/{order}/orderItems", f"orderItems/{call.hung(order)}"):
        answer = call.json("POST", f"/v2/{path}", item(**{name: how}))
        assert (answer["status"], answer["message"]) == (400, f"{name}: may not be null.")


@pytest.mark.parametrize("name", ["currencyCode", "name", "price", "status", "type"])
def test_v2_1_demands_five_members_to_create_and_to_put(call: Caller, name: str) -> None:
    order = call.created()
    ref = call.hung(order)
    for method, path in (("POST", f"orders/{order}/orderItems"), ("PUT", f"orderItems/{ref}")):
        answer = call.json(method, f"/v2.1/{path}", item(**{name: ...}))
        assert (answer["status"], answer["message"]) == (400, f"{name}: may not be null.")
    assert call.status("PATCH", f"/v2.1/orderItems/{ref}", {"vendor": "x"}) == 200


def test_v2_needs_no_name_and_v2_1_no_product(call: Caller) -> None:
    order = call.created()
    assert "name" not in call.json("GET", f"/v2/orderItems/{call.hung(order, name=None)}")
    ref = call.hung(order, version="v2.1", productId=..., referenceId=...)
    assert "productId" not in call.json("GET", f"/v2/orderItems/{ref}")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", "12"),
        ("originalPrice", "12"),
        ("quantity", "1"),
        ("currencyCode", "eur"),
        ("originalCurrencyCode", "EURO"),
        ("language", "en"),
        ("name", "x" * 129),
        ("name", 7),
        ("orderedAt", "soon"),
        ("vendor", 7),
        ("status", ["CONFIRMED"]),
        ("type", 7),
    ],
)
@pytest.mark.parametrize("version", ["v2", "v2.1"])
def test_a_wrong_value_is_refused_by_field(call: Caller, version: str, field: str, value: object) -> None:
    order = call.created()
    answer = call.json("POST", f"/{version}/orders/{order}/orderItems", item(**{field: value}))
    assert answer["status"] == 400
    assert answer["message"].startswith(f"{field}: must be ")
    assert call.app.platform.children == {}


@pytest.mark.parametrize(
    ("changes", "older", "newer"),
    [
        ({"type": "SPEEDBOAT"}, 400, 201),
        ({"type": "INFLIGHT_VOUCHERS"}, 201, 201),
        ({"type": "RAIL"}, 400, 400),
        ({"type": "HOTEL"}, 201, 400),
        ({"status": "PARTIALY_CONFIRMED"}, 400, 201),
        ({"status": "Accepted"}, 400, 201),
        ({"quantity": 0.5}, 201, 400),
        ({"flightSegments": [SEGMENT]}, 201, 400),
        ({"flightSegments": SEGMENT}, 400, 400),
        ({"name": "x" * 128}, 201, 201),
    ],
)
def test_the_versions_take_different_items(
    call: Caller, changes: dict[str, Any], older: int, newer: int
) -> None:
    order = call.created()
    paths = [f"/{version}/orders/{order}/orderItems" for version in ("v2", "v2.1")]
    assert [call.status("POST", path, item(**changes)) for path in paths] == [older, newer]


def test_an_item_renamed_for_v2_1_reads_under_that_name_in_v2(call: Caller) -> None:
    order = call.created()
    refs = [call.hung(order, type="FLIGHT"), call.hung(order, version="v2.1", type="FLIGHT_ITEM")]
    for version in ("v2", "v2.1"):
        assert [call.json("GET", f"/{version}/orderItems/{ref}")["type"] for ref in refs] == [
            "FLIGHT",
            "FLIGHT_ITEM",
        ]


def test_v2_1_neither_shows_nor_loses_what_only_v2_has(call: Caller) -> None:
    ref = call.hung(call.created(), type="FLIGHT", flightSegments=[SEGMENT], passengerTypeCode="ADT")
    assert not {"flightSegments", "passengerTypeCode"} & set(call.json("GET", f"/v2.1/orderItems/{ref}"))
    assert call.status("PUT", f"/v2.1/orderItems/{ref}", item(type="Flight", productId=...)) == 200
    read = call.json("GET", f"/v2/orderItems/{ref}")
    assert (read["flightSegments"], read["passengerTypeCode"]) == ([SEGMENT], "ADT")
    assert (read["type"], "productId" in read) == ("Flight", False)


def test_an_item_extension_of_v2_1_does_not_reach_the_v2_item(call: Caller) -> None:
    ref = call.hung(call.created(), version="v2.1", type="Flight")
    assert call.status("POST", f"/v2.1/orderItems/{ref}/extensions/ext", {"origin": "DUB"}) == 201
    assert not {"origin", "flightSegments"} & set(call.json("GET", f"/v2/orderItems/{ref}"))


TOKENS = ["-45", "30.60", "12.0", "1e2", "-0", "98765432109876543210", "-0.1E-7"]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("writer", ["v2", "v2.1"])
def test_numbers_keep_their_spelling_through_both_versions(call: Caller, token: str, writer: str) -> None:
    order = call.created()
    text = json.dumps(item(price="@", originalPrice="@", note={"deep": ["@"]})).replace('"@"', token)
    answer = call("POST", f"/{writer}/orders/{order}/orderItems", text, ("Content-Type", "application/json"))
    ref = json.loads(answer.body)["ref"]
    for version in ("v2", "v2.1"):
        body = call("GET", f"/{version}/orderItems/{ref}").body.decode()
        assert f'"price":{token},' in body
        assert f'"originalPrice":{token},' in body
        assert f'"note":{{"deep": [{token}]}},' in body


def test_a_v2_update_replaces_the_whole_item(call: Caller) -> None:
    ref = call.hung(call.created(), vendor="Airbus", note=1)
    answer = call("POST", f"/v2/orderItems/{ref}", item(status="CANCELLED", price=-45, name=...))
    body = json.loads(answer.body)
    assert (answer.status, body["status"], body["price"]) == (200, "CANCELLED", -45)
    assert not {"name", "vendor", "note"} & set(body)
    assert body["createdAt"] < body["modifiedAt"]
    assert call.json("GET", f"/v2/orderItems/{ref}") == body


def test_v2_1_puts_and_patches(call: Caller) -> None:
    ref = call.hung(call.created(), vendor="Airbus", note=1)
    patched = call.json("PATCH", f"/v2.1/orderItems/{ref}", {"status": "Accepted", "note": 2})
    assert (patched["status"], patched["vendor"], patched["note"]) == ("Accepted", "Airbus", 2)
    put = call.json("PUT", f"/v2.1/orderItems/{ref}", item(productId=...))
    assert not {"vendor", "note", "productId"} & set(put)


@pytest.mark.parametrize("version", ["v2", "v2.1"])
def test_a_deleted_item_is_gone_with_its_extension(call: Caller, version: str) -> None:
    order = call.created()
    ref = call.hung(order)
    call("POST", f"/v2.1/orderItems/{ref}/extensions/ext", {"a": 1})
    answer = call("DELETE", f"/{version}/orderItems/{ref}")
    assert (answer.status, answer.body, answer.header("content-length")) == (204, b"", None)
    assert call.json("GET", f"/v2/orders/{order}/orderItems")["items"] == []
    assert (call.status("GET", f"/v2/orderItems/{ref}"), call.app.platform.extensions) == (404, {})


def test_a_deleted_order_takes_everything_along(call: Caller) -> None:
    order, other = call.created(), call.created(referenceId="other")
    kept = call.hung(other)
    refs = {name: call.hung(order, name) for name in ("orderItems", "contacts", "consumers")}
    call("POST", f"/v2.1/orderItems/{refs['orderItems']}/extensions/ext", {"a": 1})
    call("POST", f"/v2.1/orders/{order}/extensions/ext", {"a": 1})
    assert call.status("DELETE", f"/v2.1/orders/{order}") == 204
    paths = {"orderItems": "orderItems", "contacts": "orderContacts", "consumers": "orderConsumers"}
    assert [call.status("GET", f"/v2/{paths[name]}/{ref}") for name, ref in refs.items()] == [404] * 3
    assert (list(call.app.platform.children), call.app.platform.extensions) == ([kept], {})


def test_a_platform_that_forgets_has_nothing_left(call: Caller) -> None:
    order = call.created("v2", "?guestRef=g")
    item_ref = call.hung(order)
    extend = f"/v2.1/orderItems/{item_ref}/extensions/ext"
    call("POST", extend, {"a": 1})
    call.app.platform.clear()
    assert call.json("GET", "/v2/orders?guestRef=g")["items"] == []
    assert [
        call.status("GET", path) for path in (f"/v2/orders/{order}", f"/v2/orderItems/{item_ref}", extend)
    ] == [404] * 3


def test_lists_of_items_have_pages(call: Caller) -> None:
    order = call.created()
    refs = [call.hung(order) for _ in range(3)]
    older = call.json("GET", f"/v2/orders/{order}/orderItems?limit=2")
    assert older["items"] == [{"href": f"{HOME}/v2/orderItems/{ref}"} for ref in refs[:2]]
    newer = call.json("GET", f"/v2.1/orders/{order}/orderItems?offset=0&limit=2")
    assert newer["items"][1] == {"href": f"{HOME}/v2.1/orderItems/{refs[1]}", "ref": refs[1]}
    following = newer["next"]["href"]
    assert following == f"{HOME}/v2.1/orders/{order}/orderItems?offset=2&limit=2"
    assert [one["ref"] for one in call.json("GET", following.removeprefix(HOME))["items"]] == refs[2:]
    for version in ("v2", "v2.1"):
        full = call.json("GET", f"/{version}/orders/{order}/orderItems?expand=true")["items"]
        assert full == [call.json("GET", f"/{version}/orderItems/{ref}") for ref in refs]


def test_a_v2_expansion_may_name_several_relations_and_pages(call: Caller) -> None:
    order = call.created()
    refs = [call.hung(order) for _ in range(3)]
    call.hung(order, "contacts")
    query = "?expand=orderItems(offset:1,limit:1),contacts,weather"
    body = call.json("GET", f"/v2/orders/{order}{query}")
    assert body["href"] == f"{HOME}/v2/orders/{order}{query}"
    assert (body["orderItems"]["offset"], body["orderItems"]["limit"]) == (1, 1)
    assert [one["ref"] for one in body["orderItems"]["items"]] == refs[1:2]
    assert body["contacts"]["items"][0]["firstName"] == "Ada"
    assert body["consumers"] == {"href": f"{HOME}/v2/orders/{order}/consumers"}


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/v2/orderItems/none", 404),
        ("POST", "/v2/orderItems/none", 404),
        ("DELETE", "/v2/orderItems/none", 404),
        ("PUT", "/v2.1/orderItems/none", 404),
        ("PATCH", "/v2.1/orderItems/none", 404),
        ("DELETE", "/v2.1/orderItems/none", 404),
        ("POST", "/v2/orders/none/orderItems", 404),
        ("POST", "/v2.1/orders/none/orderItems", 404),
        ("GET", "/v2/orderItems", 404),
        ("GET", "/v2/orderItems/none/orderItems", 404),
        ("GET", "/v2/orderItems/none/extensions/ext", 404),
        ("PUT", "/v2/orderItems/none", 405),
        ("POST", "/v2.1/orderItems/none", 405),
        ("PUT", "/v2/orders/none/orderItems", 405),
    ],
)
def test_unknown_things_end_in_json(call: Caller, method: str, target: str, status: int) -> None:
    answer = call(method, target, item() if method.startswith("P") else b"")
    assert (answer.status, json.loads(answer.body)["code"]) == (status, status)
    assert (answer.header("allow") is not None) == (status == 405)


def test_items_are_refused_and_labelled_as_orders_are(call: Caller) -> None:
    order = call.created()
    body, form = json.dumps(item()), ("Content-Type", "application/x-www-form-urlencoded")
    assert call.anonymous("GET", f"/v2.1/orders/{order}/orderItems").status == 401
    assert json.loads(call.anonymous("GET", "/v2.1/orderItems/x").body)["status"] == "UNAUTHORIZED"
    assert call.anonymous("POST", f"/v2/orders/{order}/orderItems", body, CREDENTIALS, form).status == 201
    assert call.anonymous("POST", f"/v2.1/orders/{order}/orderItems", body, CREDENTIALS, form).status == 415
    assert call.anonymous("OPTIONS", f"/v2/orderItems/{order}").header("allow") == (
        "GET, POST, DELETE, HEAD, OPTIONS"
    )
    assert call("POST", f"/v2/orders/{order}/orderItems", "[1]").status == 400


def test_a_known_member_may_be_null_in_v2_alone(call: Caller) -> None:
    order = call.created()
    noise: dict[str, Any] = {"href": None, "ref": None, "createdAt": None, "order": None, "vendor": None}
    ref = call.hung(order, **noise)
    assert "vendor" not in call.json("GET", f"/v2/orderItems/{ref}")
    answer = call.json("POST", f"/v2.1/orders/{FIRST_REF}/orderItems", item(order=None))
    assert answer["message"] == "order: must not be null."
