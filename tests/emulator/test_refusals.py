"""What the platform refuses, and that the answer names the place."""

from __future__ import annotations

import json

import pytest

from tests.emulator.caller import JSON, Caller, order


@pytest.mark.parametrize(
    ("version", "missing"),
    [
        ("v2", "pointOfSale"),
        ("v2", "price"),
        ("v2.1", "orderedAt"),
        ("v2.1", "referenceId"),
        ("v2", "currencyCode"),
    ],
)
@pytest.mark.parametrize("how", ["absent", "null"])
def test_a_missing_required_field_is_named(call: Caller, version: str, missing: str, how: str) -> None:
    body = call.json("POST", f"/{version}/orders", order(**{missing: ... if how == "absent" else None}))
    assert (body["status"], body["message"]) == (400, f"{missing}: may not be null.")
    assert call.app.platform.orders == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", "12"),
        ("currencyCode", "eur"),
        ("channel", "web"),
        ("status", "PARTIALLY_CONFIRMED"),
        ("orderedAt", "yesterday"),
        ("orderedAt", "2025-12-19"),
        ("orderedAt", "2025-13-19T00:00:00Z"),
        ("orderedAt", "0001-01-01T00:00:00+14:00"),
        ("referenceId", 7),
        ("cardType", ["Visa"]),
    ],
)
@pytest.mark.parametrize("version", ["v2", "v2.1"])
def test_a_wrong_value_is_refused_by_field(call: Caller, version: str, field: str, value: object) -> None:
    answer = call("POST", f"/{version}/orders", order(**{field: value}))
    assert answer.status == 400
    assert json.loads(answer.body)["message"].startswith(f"{field}: must be ")


@pytest.mark.parametrize("status", ["BROWSED", "SEARCHED"])
def test_only_v2_1_takes_the_new_statuses(call: Caller, status: str) -> None:
    assert call.status("POST", "/v2/orders", order(status=status)) == 400
    assert call.json("POST", "/v2.1/orders", order(status=status))["status"] == status


@pytest.mark.parametrize(
    "body", ["", "[]", '{"price":1', '{"a":"\xff"}'.encode("latin-1"), '{"price":NaN}', "null"]
)
@pytest.mark.parametrize("version", ["v2", "v2.1"])
def test_a_body_that_is_no_json_object_is_refused(call: Caller, version: str, body: str | bytes) -> None:
    answer = call("POST", f"/{version}/orders", body, JSON)
    assert (answer.status, json.loads(answer.body)["code"]) == (400, 400)


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/v2/orders/none", 404),
        ("POST", "/v2/orders/none", 404),
        ("PUT", "/v2.1/orders/none", 404),
        ("PATCH", "/v2.1/orders/none", 404),
        ("DELETE", "/v2.1/orders/none", 404),
        ("GET", "/v2/orders/none/orderItems", 404),
        ("GET", "/v2/guests", 404),
        ("GET", "/v3/orders", 404),
        ("PUT", "/v2/orders/none", 405),
        ("PATCH", "/v2/orders/none", 405),
        ("POST", "/v2.1/orders/none", 405),
        ("DELETE", "/v2/orders", 405),
    ],
)
def test_unknown_things_end_in_json(call: Caller, method: str, target: str, status: int) -> None:
    answer = call(method, target, order() if method != "GET" else b"")
    assert (answer.status, json.loads(answer.body)["code"]) == (status, status)
    assert (answer.header("allow") is not None) == (status == 405)


@pytest.mark.parametrize("version", ["v2", "v2.1"])
def test_a_text_that_is_not_utf_8_is_refused(call: Caller, version: str) -> None:
    body = json.dumps(order(note="@")).encode().replace(b"@", b"\xff")
    assert call("POST", f"/{version}/orders", body, JSON).status == 400
