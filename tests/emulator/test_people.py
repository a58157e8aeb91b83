"""Contacts and consumers in both versions: what they hold, and what they are tied to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.emulator.caller import Caller, item, person

HOME = "https://api.example"
PATHS = {"contacts": "orderContacts", "consumers": "orderConsumers"}


def guest(ref: str, version: str = "v2", host: str = HOME) -> dict[str, str]:
    return {"href": f"{host}/{version}/guests/{ref}"}


def held(*refs: str, version: str = "v2") -> dict[str, Any]:
    return {"items": [{"href": f"{HOME}/{version}/orderItems/{ref}"} for ref in refs]}


def test_a_v2_contact_answers_with_its_guest_and_its_order(call: Caller) -> None:
    order = call.created()
    answer = call("POST", f"/v2/orders/{order}/contacts", person(guest=guest("G-1")))
    body = json.loads(answer.body)
    stamp = "2025-12-19T12:19:02.268Z"
    assert answer.status == 201
    assert body == {
        "href": f"{HOME}/v2/orderContacts/{body['ref']}",
        "ref": body["ref"],
        "createdAt": stamp,
        "modifiedAt": stamp,
        **person(),
        "guest": guest("G-1"),
        "order": {"href": f"{HOME}/v2/orders/{order}"},
    }
    assert call.json("GET", f"/v2/orderContacts/{body['ref']}") == body


def test_a_person_reads_the_same_through_v2_1_but_for_links_and_times(call: Caller) -> None:
    ref = call.hung(call.created(), "contacts", guest=guest("G-1"), street=["Main Street 1"], note=1)
    older, newer = (call.json("GET", f"/{version}/orderContacts/{ref}") for version in ("v2", "v2.1"))
    assert newer["guest"] == guest("G-1", "v2.1")
    assert newer["createdAt"] == "2025-12-19T12:19:02Z"
    assert newer["dateOfBirth"] == "1985-12-24T00:00Z"
    changed = {"href", "createdAt", "modifiedAt", "guest", "order"}
    assert {name: newer[name] for name in newer if name not in changed} == {
        name: older[name] for name in older if name not in changed
    }


@pytest.mark.parametrize("relation", list(PATHS))
@pytest.mark.parametrize("name", ["firstName", "lastName"])
def test_v2_demands_both_names(call: Caller, relation: str, name: str) -> None:
    order = call.created()
    for path in (f"orders/{order}/{relation}", f"{PATHS[relation]}/{call.hung(order, relation)}"):
        assert call.json("POST", f"/v2/{path}", person(**{name: ...}))["message"] == (
            f"{name}: may not be null."
        )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("gender", "FEMALE"),
        ("dateOfBirth", "1985"),
        ("emails", "ada@example.com"),
        ("phoneNumbers", [7]),
        ("street", "Main Street 1"),
        ("identifiers", [{"provider": "CRM"}]),
        ("identifiers", {"provider": "CRM", "id": "7"}),
        ("passportExpiry", "never"),
        ("city", ["Dublin"]),
    ],
)
@pytest.mark.parametrize("version", ["v2", "v2.1"])
@pytest.mark.parametrize("relation", list(PATHS))
def test_a_wrong_value_is_refused_by_field(
    call: Caller, relation: str, version: str, field: str, value: object
) -> None:
    order = call.created()
    answer = call.json("POST", f"/{version}/orders/{order}/{relation}", person(**{field: value}))
    assert answer["status"] == 400
    assert answer["message"].startswith(f"{field}: must be ")


@pytest.mark.parametrize("relation", list(PATHS))
def test_only_v2_1_refuses_a_birth_to_come(call: Caller, relation: str) -> None:
    order, born = call.created(), person(dateOfBirth="2025-12-20T00:00Z")
    assert call.status("POST", f"/v2/orders/{order}/{relation}", born) == 201
    answer = call.json("POST", f"/v2.1/orders/{order}/{relation}", born)
    assert (answer["status"], answer["message"]) == (400, "dateOfBirth: must be in the past.")


def test_a_contact_ties_its_guest_to_the_order_and_its_end_unties_them(call: Caller) -> None:
    order = call.created()
    ref = call.hung(order, "contacts", guest=guest("G-1"))
    for version in ("v2", "v2.1"):
        items = call.json("GET", f"/{version}/orders?guestRef=G-1")["items"]
        assert [one["href"] for one in items] == [f"{HOME}/{version}/orders/{order}"]
    assert call("DELETE", f"/v2/orderContacts/{ref}").status == 204
    assert call.json("GET", "/v2/orders?guestRef=G-1")["items"] == []
    assert call.status("DELETE", f"/v2/orderContacts/{ref}") == 404


def test_identifiers_make_one_guest_of_two_contacts(call: Caller) -> None:
    other = [{"provider": "CRM", "id": "8"}]
    order = call.created()
    refs = [
        call.hung(order, "contacts"),
        call.hung(order, "contacts", "v2.1"),
        call.hung(order, "contacts", identifiers=other),
        call.hung(order, "contacts", identifiers=...),
        call.hung(order, "contacts", identifiers=...),
    ]
    guests = [call.json("GET", f"/v2.1/orderContacts/{ref}")["guest"]["href"] for ref in refs]
    assert guests[0] == guests[1]
    assert len(set(guests)) == 4


def test_a_consumer_holds_items_of_its_order(call: Caller) -> None:
    order = call.created()
    first, second = call.hung(order), call.hung(order)
    ref = call.hung(order, "consumers", orderItems=held(second, first))
    assert call.json("GET", f"/v2/orderConsumers/{ref}")["orderItems"] == held(second, first)
    listed = call.json("GET", f"/v2.1/orderConsumers/{ref}/orderItems?limit=1")
    assert listed["items"] == [{"href": f"{HOME}/v2.1/orderItems/{second}", "ref": second}]
    assert listed["next"]["href"] == f"{HOME}/v2.1/orderConsumers/{ref}/orderItems?offset=1&limit=1"
    assert call.status("DELETE", f"/v2.1/orderItems/{second}") == 204
    assert call.json("GET", f"/v2.1/orderConsumers/{ref}")["orderItems"] == held(first, version="v2.1")
    assert len(call.json("GET", f"/v2.1/orderConsumers/{ref}/orderItems?expand=true")["items"]) == 1
    assert call.status("GET", f"/v2/orderConsumers/{ref}/orderItems") == 404


def test_a_consumer_cannot_hold_what_another_order_has(call: Caller) -> None:
    order, other = call.created(), call.created(referenceId="other")
    wrong: list[Any] = [held("none"), held(call.hung(other)), {"items": [{}]}, {"href": "x"}, []]
    for links in wrong:
        body = call.json("POST", f"/v2/orders/{order}/consumers", person(orderItems=links))
        assert (body["status"], body["message"].startswith("orderItems")) == (400, True)


@pytest.mark.parametrize(
    "link",
    [
        {},
        {"href": 7},
        {"href": f"{HOME}/v2/guests"},
        {"href": f"{HOME}/v2/orders/G-1"},
        {"href": f"{HOME}/v2/guests/G-1/more"},
        {"href": "ftp://api.example/v2/guests/G-1"},
        {"href": "G-1"},
        guest("G-1", host="https://proxy.example"),
        guest("G-1", "v2.1"),
    ],
)
def test_a_link_that_is_none_of_the_platforms_is_refused(call: Caller, link: object) -> None:
    body = call.json("POST", f"/v2/orders/{call.created()}/contacts", person(guest=link))
    assert (body["status"], body["message"].startswith("guest.href: ")) == (400, True)


@pytest.mark.parametrize(
    "href",
    [
        "http://api.example/v2/guests/G-1",
        "https://API.EXAMPLE/v2/guests/G-1/",
        "https://api.example/v2/guests/G-1?expand=true",
        "https://api-engage-eu.sitecorecloud.io/v2/guests/G-1",
        "https://api.boxever.com/v2/guests/G-1",
    ],
)
def test_a_link_may_name_the_platform_in_any_of_its_spellings(call: Caller, href: str) -> None:
    ref = call.hung(call.created(), "contacts", guest={"href": href})
    assert call.json("GET", f"/v2/orderContacts/{ref}")["guest"] == guest("G-1")


def test_a_link_may_name_the_platform_as_it_was_called(call: Caller) -> None:
    # the host that tests put into their requests
    ref = call.hung(call.created(), "contacts", guest=guest("G-1", host="http://test"))
    assert call.json("GET", f"/v2/orderContacts/{ref}")["guest"] == guest("G-1")


@pytest.mark.parametrize("relation", list(PATHS))
def test_a_v2_update_replaces_the_person_and_keeps_the_guest(call: Caller, relation: str) -> None:
    order = call.created()
    ref = call.hung(order, relation, guest=guest("G-1"), note=1)
    body = call.json("POST", f"/v2/{PATHS[relation]}/{ref}", person(title=..., firstName="Augusta"))
    assert (body["firstName"], body["guest"]) == ("Augusta", guest("G-1"))
    assert not {"title", "note"} & set(body)
    assert body["createdAt"] < body["modifiedAt"]
    body = call.json("POST", f"/v2/{PATHS[relation]}/{ref}", person(guest=guest("G-2")))
    assert body["guest"] == guest("G-2")


def test_an_update_without_items_lets_them_go_in_v2_and_by_put(call: Caller) -> None:
    order = call.created()
    one = call.hung(order)

    def items_after(method: str, version: str) -> int:
        ref = call.hung(order, "consumers", orderItems=held(one))
        return len(call.json(method, f"/{version}/orderConsumers/{ref}", person())["orderItems"]["items"])

    calls = (("POST", "v2"), ("PUT", "v2.1"), ("PATCH", "v2.1"))
    assert [items_after(method, version) for method, version in calls] == [0, 0, 1]
    call.app.platform.switches = call.app.platform.switches.changed({"v2_1_put_omitted": "keep"})
    assert items_after("PUT", "v2.1") == 1
    call.app.platform.switches = call.app.platform.switches.changed(
        {"v2_1_put_omitted": "remove", "v2_1_request_links": "ignore"}
    )
    assert items_after("PUT", "v2.1") == 1


@pytest.mark.parametrize("relation", list(PATHS))
def test_v2_1_puts_patches_and_deletes(call: Caller, relation: str) -> None:
    order, path = call.created(), PATHS[relation]
    ref = call.hung(order, relation)
    assert call.json("PATCH", f"/v2.1/{path}/{ref}", {"city": "Dublin"})["lastName"] == "Byron"
    put = call.json("PUT", f"/v2.1/{path}/{ref}", {"firstName": "Ada"})
    assert not {"lastName", "city"} & set(put)
    assert call.json("PUT", f"/v2.1/{path}/{ref}", {})["message"] == "firstName: may not be null."
    assert call.json("GET", f"/v2.1/orders/{order}/{relation}")["items"][0]["ref"] == ref
    assert call("DELETE", f"/v2.1/{path}/{ref}").status == 204
    assert call.status("GET", f"/v2.1/{path}/{ref}") == 404


def test_a_consumer_cannot_be_deleted_through_v2(call: Caller) -> None:
    ref = call.hung(call.created(), "consumers")
    answer = call("DELETE", f"/v2/orderConsumers/{ref}")
    assert (answer.status, answer.header("allow")) == (405, "GET, POST, HEAD, OPTIONS")


def test_a_ref_is_of_one_kind(call: Caller) -> None:
    order = call.created()
    refs = {name: call.hung(order, name) for name in ("contacts", "consumers", "orderItems")}
    paths = {**PATHS, "orderItems": "orderItems"}
    for name, ref in refs.items():
        seen = {other: call.status("GET", f"/v2.1/{path}/{ref}") for other, path in paths.items()}
        assert seen == {other: 200 if other == name else 404 for other in paths}


def test_the_order_shows_everybody(call: Caller) -> None:
    order = call.created()
    contact, consumer, one = (call.hung(order, name) for name in ("contacts", "consumers", "orderItems"))
    written = call.json("PATCH", f"/v2.1/orders/{order}", {"status": "CONFIRMED"})
    assert [written[name]["items"] for name in ("contacts", "consumers", "orderItems")] == [
        [{"href": f"{HOME}/v2.1/orderContacts/{contact}"}],
        [{"href": f"{HOME}/v2.1/orderConsumers/{consumer}"}],
        [{"href": f"{HOME}/v2.1/orderItems/{one}"}],
    ]
    full = call.json("GET", f"/v2.1/orders/{order}?expand=true")
    assert full["consumers"]["items"] == [call.json("GET", f"/v2.1/orderConsumers/{consumer}")]
    assert full["orderItems"]["items"][0]["price"] == item()["price"]
