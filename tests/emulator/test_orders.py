"""The order calls of both versions as the platform documents them, over one store."""

from __future__ import annotations

import json

import pytest

from tests.emulator.caller import FIRST_REF, Caller, order

SCALARS = (
    '"orderedAt":"2025-12-19T12:07:18.149Z","currencyCode":"EUR","price":12,"referenceId":"B94TXY-1",'
    '"paymentType":"Card","cardType":"Visa","pointOfSale":"spinair.com/france","channel":"WEB","status":"PURCHASED",'
)
EMPTY = '"contacts":{"items":[]},"consumers":{"items":[]},"orderItems":{"items":[]}}'
OLD = f"https://api.example/v2/orders/{FIRST_REF}"
NEW = f"https://api.example/v2.1/orders/{FIRST_REF}"


def test_a_v2_create_answers_as_the_documented_example(call: Caller) -> None:
    answer = call("POST", "/v2/orders", order())
    stamps = '"createdAt":"2025-12-19T12:19:01.268Z","modifiedAt":"2025-12-19T12:19:01.268Z",'
    assert (answer.status, answer.header("content-type")) == (201, "application/json")
    assert answer.body.decode() == f'{{"href":"{OLD}","ref":"{FIRST_REF}",{stamps}{SCALARS}{EMPTY}'


def test_a_v2_1_create_answers_as_the_documented_example(call: Caller) -> None:
    answer = call("POST", "/v2.1/orders", order(pointOfSale="home"))
    scalars = SCALARS.replace(".149Z", "Z").replace("spinair.com/france", "home")
    stamps = '"createdAt":"2025-12-19T12:19:01Z","modifiedAt":"2025-12-19T12:19:01Z",'
    assert answer.status == 201
    assert answer.body.decode() == f'{{"ref":"{FIRST_REF}","href":"{NEW}",{stamps}{scalars}{EMPTY}'


def test_a_v2_read_links_to_the_children(call: Caller) -> None:
    call.created()
    body = call.json("GET", f"/v2/orders/{FIRST_REF}/")
    assert body["href"] == OLD
    assert [body[name] for name in ("contacts", "consumers", "orderItems")] == [
        {"href": f"{OLD}/{name}"} for name in ("contacts", "consumers", "orderItems")
    ]


def test_a_v2_expansion_shows_the_items_and_echoes_the_query(call: Caller) -> None:
    call.created()
    item = call.hung(FIRST_REF, type="FLIGHT")
    answer = call("GET", f"/v2/orders/{FIRST_REF}?expand=orderItems")
    body = json.loads(answer.body)
    assert body["href"] == f"{OLD}?expand=orderItems"
    assert (body["orderItems"]["href"], body["orderItems"]["offset"], body["orderItems"]["limit"]) == (
        f"{OLD}/orderItems",
        0,
        10,
    )
    assert body["orderItems"]["items"][0]["href"] == f"https://api.example/v2/orderItems/{item}"
    assert body["orderItems"]["items"] == [call.json("GET", f"/v2/orderItems/{item}")]
    assert body["contacts"] == {"href": f"{OLD}/contacts"}


def test_children_are_listed_and_read_in_both_versions(call: Caller) -> None:
    call.created()
    item = call.hung(FIRST_REF, type="BAG")
    collection = call.json("GET", f"/v2/orders/{FIRST_REF}/orderItems")
    assert collection["items"] == [{"href": f"https://api.example/v2/orderItems/{item}"}]
    assert collection["href"] == f"{OLD}/orderItems?offset=0&limit=10"
    assert call.json("GET", f"/v2.1/orders/{FIRST_REF}/orderItems")["items"][0]["ref"] == item
    assert call.json("GET", f"/v2.1/orders/{FIRST_REF}/orderItems?expand=true")["items"][0]["type"] == "BAG"
    assert call.json("GET", f"/v2.1/orders/{FIRST_REF}/contacts")["items"] == []
    assert call.json("GET", f"/v2/orderItems/{item}")["order"] == {"href": OLD}
    assert (
        call.json("GET", f"/v2.1/orders/{FIRST_REF}?expand=true")["orderItems"]["items"][0]["type"] == "BAG"
    )
    assert call.json("GET", f"/v2.1/orders/{FIRST_REF}")["orderItems"]["items"] == [
        {"href": f"https://api.example/v2.1/orderItems/{item}"}
    ]
    assert call.status("GET", f"/v2/orderContacts/{item}") == 404


def test_what_one_version_writes_the_other_reads(call: Caller) -> None:
    ref = call.created("v2", status="RESERVED")
    assert call.json("GET", f"/v2.1/orders/{ref}")["status"] == "RESERVED"
    assert call.status("PUT", f"/v2.1/orders/{ref}", order(status="CONFIRMED")) == 200
    after = call.json("GET", f"/v2/orders/{ref}")
    assert (after["status"], after["createdAt"], after["modifiedAt"]) == (
        "CONFIRMED",
        "2025-12-19T12:19:01.268Z",
        "2025-12-19T12:19:03.268Z",
    )


TOKENS = ["30.60", "12.0", "1e2", "12345678901234567890", "-0", "0.1E-7"]


@pytest.mark.parametrize("token", TOKENS)
def test_numbers_keep_their_spelling_through_both_versions(call: Caller, token: str) -> None:
    text = json.dumps(order(price="@", note={"deep": ["@"]})).replace('"@"', token)
    call("POST", "/v2/orders", text)
    for version in ("v2", "v2.1"):
        body = call("GET", f"/{version}/orders/{FIRST_REF}").body.decode()
        assert f'"price":{token},' in body
        assert f'"note":{{"deep": [{token}]}},' in body


def test_a_v2_update_replaces_the_whole_order(call: Caller) -> None:
    ref = call.created(note=1)
    changes = order(referenceId="342-ABD", cardType=..., orderedAt="2024-01-01T00:00:00Z")
    answer = call("POST", f"/v2/orders/{ref}", changes)
    body = json.loads(answer.body)
    assert (answer.status, body["referenceId"], body["orderedAt"]) == (
        200,
        "342-ABD",
        "2024-01-01T00:00:00.000Z",
    )
    assert not {"cardType", "note"} & set(body)
    assert (body["createdAt"], body["modifiedAt"]) == ("2025-12-19T12:19:01.268Z", "2025-12-19T12:19:02.268Z")


def test_a_v2_1_patch_changes_only_what_it_names(call: Caller) -> None:
    ref = call.created()
    body = call.json("PATCH", f"/v2.1/orders/{ref}", {"status": "CANCELLED"})
    assert (body["status"], body["cardType"], body["orderItems"]) == ("CANCELLED", "Visa", {"items": []})


def test_a_v2_1_put_takes_back_what_a_read_printed(call: Caller) -> None:
    ref = call.created()
    read = call.json("GET", f"/v2.1/orders/{ref}")
    kept = {name: value for name, value in read.items() if name in order()}
    assert call.status("PUT", f"/v2.1/orders/{ref}", kept) == 200
    assert call.json("GET", f"/v2/orders/{ref}")["orderedAt"] == "2025-12-19T12:07:18.149Z"


def test_a_v2_1_delete_takes_the_children_along(call: Caller) -> None:
    ref = call.created()
    item = call.hung(ref)
    answer = call("DELETE", f"/v2.1/orders/{ref}")
    assert (answer.status, answer.body, answer.header("content-length")) == (204, b"", None)
    assert [call.status("GET", f"/v2/orders/{ref}"), call.status("GET", f"/v2.1/orderItems/{item}")] == [
        404,
        404,
    ]


def test_v2_1_takes_an_order_without_point_of_sale(call: Caller) -> None:
    assert "pointOfSale" not in call.json("POST", "/v2.1/orders", order(pointOfSale=...))


def test_v2_lets_the_noise_of_a_known_client_pass(call: Caller) -> None:
    noise = {"href": None, "ref": None, "createdAt": "0001-01-01T00:00:00", "contacts": None, "channel": None}
    body = call.json("POST", "/v2/orders", order(**noise, orderedAt="2025-12-19T13:07:18.1490000+01:00"))
    assert (body["createdAt"], body["orderedAt"]) == ("2025-12-19T12:19:01.268Z", "2025-12-19T12:07:18.149Z")
    assert "channel" not in body


def test_a_v2_1_stamp_that_is_no_time_is_refused(call: Caller) -> None:
    answer = call.json("POST", "/v2.1/orders", order(createdAt="soon"))
    assert answer["message"] == "createdAt: must be a date-time."


@pytest.mark.parametrize(
    ("days", "second"),
    [("2025-12-21T12:07:18.149Z", 409), ("2025-12-21T12:07:18.150Z", 201), ("2025-12-17T12:07:18.149Z", 409)],
)
def test_v2_1_refuses_a_match_within_two_days(call: Caller, days: str, second: int) -> None:
    call.created()
    assert call.status("POST", "/v2.1/orders", order(orderedAt=days)) == second
    assert call.status("POST", "/v2.1/orders", order(orderedAt=days, referenceId="another")) == 201


def test_a_conflict_names_reference_date_and_client_key(call: Caller) -> None:
    call.created(orderedAt="2004-06-23T15:49:07Z", referenceId="AAA-9999")
    body = call.json("POST", "/v2.1/orders", order(orderedAt="2004-06-23T15:49:07Z", referenceId="AAA-9999"))
    assert body == {
        "status": 409,
        "code": 409,
        "message": "The resource already exists so it can't be created.",
        "developerMessage": "Order with ref AAA-9999 and orderedAt Wed Jun 23 15:49:07 UTC 2004 "
        "for client key client-1 already exist",
        "moreInfoUrl": "https://support.sitecore.com",
    }


def test_a_ref_is_exactly_as_it_is_spelled(call: Caller) -> None:
    call.created()
    call.app.platform.refs = iter(["ABCDEF00-0000-4000-8000-00000000000A"])
    ref = call.created(referenceId="other")
    assert (call.status("GET", f"/v2/orders/{ref}"), call.status("GET", f"/v2/orders/{ref.lower()}")) == (
        200,
        404,
    )


def test_a_v2_match_is_the_nearest_order_and_keeps_its_guests(call: Caller) -> None:
    far, near = (
        call.created("v2", "?guestRef=g", orderedAt=f"2025-01-{day}T00:00:00Z") for day in ("01", "04")
    )
    matched = call.created("v2", "?guestRef=h", orderedAt="2025-01-02T18:00:00Z")
    assert (matched, far != near) == (near, True)
    for guest in ("g", "h"):
        assert call.json("GET", f"/v2/orders?guestRef={guest}")["items"][-1]["href"].endswith(near)


def test_a_v2_expansion_shows_ten_items_and_another_query_changes_nothing(call: Caller) -> None:
    ref = call.created()
    for _ in range(11):
        call.hung(ref)
    assert len(call.json("GET", f"/v2/orders/{ref}?expand=orderItems")["orderItems"]["items"]) == 10
    assert call.json("GET", f"/v2/orders/{ref}?trace=1") == call.json("GET", f"/v2/orders/{ref}")


def test_a_ref_may_come_percent_encoded(call: Caller) -> None:
    assert call.status("GET", f"/v2/orders/%3{call.created()}") == 200
