"""Lists of orders: filters, pages, links, expansion, sorting."""

from __future__ import annotations

import pytest

from proxy.emulator import Switches
from tests.emulator.caller import Caller

HOST = "https://api.example"


def fill(call: Caller, count: int) -> list[str]:
    return [
        call.created("v2", "?guestRef=g%2F1", referenceId=f"r{n}", orderedAt=f"2025-01-{28 - n:02}T00:00:00Z")
        for n in range(count)
    ]


def test_a_v2_list_holds_links_alone(call: Caller) -> None:
    refs = fill(call, 2)
    body = call.json("GET", "/v2/orders?guestRef=g/1")
    here = {"href": f"{HOST}/v2/orders?offset=0&limit=10&guestRef=g%2F1"}
    assert body == {
        **here,
        "offset": 0,
        "limit": 10,
        "first": here,
        "last": here,
        "items": [{"href": f"{HOST}/v2/orders/{ref}"} for ref in refs],
    }


def test_a_v2_1_list_names_the_refs_and_the_next_page(call: Caller) -> None:
    refs = fill(call, 5)
    body = call.json("GET", "/v2.1/orders?limit=2&offset=2&guestRef=g%2F1")
    links = {name: body[name]["href"] for name in ("first", "last", "next")}
    assert {name: link.partition("?")[2] for name, link in links.items()} == {
        "first": "offset=0&limit=2&guestRef=g%2F1",
        "last": "offset=4&limit=2&guestRef=g%2F1",
        "next": "offset=4&limit=2&guestRef=g%2F1",
    }
    assert body["items"] == [{"href": f"{HOST}/v2.1/orders/{ref}", "ref": ref} for ref in refs[2:4]]
    assert "next" not in call.json("GET", "/v2.1/orders?limit=2&offset=4&guestRef=g%2F1")


def test_links_of_full_pages_and_of_the_one_before(call: Caller) -> None:
    call.app.platform.switches = Switches(v2_paging="all")
    fill(call, 6)
    body = call.json("GET", "/v2/orders?guestRef=g/1&limit=2&offset=3")
    links = {
        name: body[name]["href"].split("?offset=")[1][0] for name in ("first", "last", "next", "previous")
    }
    assert links == {"first": "0", "last": "4", "next": "5", "previous": "1"}


def test_an_empty_list_still_has_items(call: Caller) -> None:
    for version in ("v2", "v2.1"):
        body = call.json("GET", f"/{version}/orders/?referenceId=none")
        assert (body["items"], body["last"]["href"].partition("?")[2]) == (
            [],
            "offset=0&limit=10&referenceId=none",
        )


def test_an_expanded_list_holds_whole_orders(call: Caller) -> None:
    ref = call.created()
    for version in ("v2", "v2.1"):
        body = call.json("GET", f"/{version}/orders?referenceId=B94TXY-1&expand=true")
        assert body["items"] == [call.json("GET", f"/{version}/orders/{ref}")]
        assert body["href"].endswith("?offset=0&limit=10&referenceId=B94TXY-1&expand=true")


@pytest.mark.parametrize("version", ["v2", "v2.1"])
@pytest.mark.parametrize("query", ["", "?referenceId=", "?referenceId=a&limit=0", "?referenceId=a&offset=-1"])
def test_a_list_needs_one_filter_and_whole_counts(call: Caller, version: str, query: str) -> None:
    assert call.status("GET", f"/{version}/orders{query}") == 400


def test_v2_1_refuses_both_filters(call: Caller) -> None:
    assert call.status("GET", "/v2.1/orders?referenceId=a&guestRef=b") == 400


def test_a_v2_1_create_does_not_link_the_guest(call: Caller) -> None:
    call.created("v2.1", "?guestRef=g1")
    assert call.json("GET", "/v2.1/orders?guestRef=g1")["items"] == []


@pytest.mark.parametrize(
    ("sort", "picked"),
    [
        ("created", [0, 1, 2]),
        ("createdAt::DESC", [2, 1, 0]),
        ("orderedAt", [2, 1, 0]),
        ("orderedAt::DESC", [0, 1, 2]),
    ],
)
def test_a_v2_1_list_is_sorted(call: Caller, sort: str, picked: list[int]) -> None:
    refs = fill(call, 3)
    items = call.json("GET", f"/v2.1/orders?guestRef=g%2F1&sort={sort}")["items"]
    assert [item["ref"] for item in items] == [refs[index] for index in picked]


@pytest.mark.parametrize(
    "query", ["referenceId=a&sort=orderedAt", "guestRef=a&sort=price", "guestRef=a&sort=created::UP"]
)
def test_v2_1_refuses_other_sortings(call: Caller, query: str) -> None:
    assert call.status("GET", f"/v2.1/orders?{query}") == 400
