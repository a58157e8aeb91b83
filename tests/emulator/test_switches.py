"""Every value of every switch, seen from a caller's side; and the words that set them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proxy.emulator import SwitchError, Switches, parse_switches
from proxy.emulator.switches import choices
from tests.emulator.caller import CREDENTIALS, FIRST_REF, JSON, Caller, fresh_platform, order

Probe = Callable[[Caller], Any]
NOON, NEXT = "2025-12-19T12:00:00Z", "2025-12-21T18:00:00Z"


def second_v2_create(call: Caller) -> Any:
    call.created(note=1)
    answer = call("POST", "/v2/orders", order(price=13))
    body = json.loads(answer.body)
    return answer.status, body.get("ref", "")[-1:], body.get("createdAt", "")[17:19], body.get("note")


def window(call: Caller) -> Any:
    call.created(orderedAt=NOON)
    return [call.status("POST", "/v2.1/orders", order(orderedAt=at)) for at in (NOON, NEXT)]


def create(version: str, read: Callable[[int, Any], Any], **changes: Any) -> Probe:
    """What a create answers, its status and body handed to `read`."""

    def probe(call: Caller) -> Any:
        answer = call("POST", f"/{version}/orders", order(**changes))
        return read(answer.status, json.loads(answer.body))

    return probe


def status_of(version: str, **changes: Any) -> Probe:
    return create(version, lambda status, _body: status, **changes)


def update(method: str, version: str, look: str, **changes: Any) -> Probe:
    """What an update answers, and one member of what a read shows afterwards."""

    def probe(call: Caller) -> Any:
        ref = call.created(channel="WEB")
        body = {
            name: value for name, value in order(**changes).items() if method != "PATCH" or name in changes
        }
        answer = call(method, f"/{version}/orders/{ref}", body)
        return answer.status, call.json("GET", f"/v2/orders/{ref}").get(look)

    return probe


def guest(call: Caller) -> Any:
    answer = call("POST", "/v2/orders?guestRef=g", order())
    return answer.status, len(call.json("GET", "/v2/orders?guestRef=g")["items"])


def v2_delete(call: Caller) -> Any:
    ref = call.created()
    return call.status("DELETE", f"/v2/orders/{ref}"), call.status("GET", f"/v2/orders/{ref}")


def error_links(call: Caller) -> Any:
    return [name for name in call.json("GET", "/v2/orders") if name.startswith("more")]


def denied(version: str) -> Probe:
    return lambda call: json.loads(call.anonymous("GET", f"/{version}/orders").body)["status"]


def untyped(version: str) -> Probe:
    form = ("Content-Type", "application/x-www-form-urlencoded")
    return lambda call: call("POST", f"/{version}/orders", json.dumps(order()), form).status


def both_filters(call: Caller) -> Any:
    call.created("v2", "?guestRef=g", referenceId="a")
    call.created("v2", "?guestRef=h", referenceId="b")
    call.created("v2", "?guestRef=g", referenceId="b", orderedAt="2024-01-01T00:00:00Z")
    body = call.json("GET", "/v2/orders?guestRef=g&referenceId=b")
    return [item["href"][-1] for item in body["items"]] if "items" in body else body["status"]


def limit(version: str) -> Probe:
    def probe(call: Caller) -> Any:
        body = call.json("GET", f"/{version}/orders?referenceId=a&limit=101")
        return body.get("limit", body.get("status"))

    return probe


def paging(version: str) -> Probe:
    def probe(call: Caller) -> Any:
        for day in ("01", "08", "15"):
            call.created(orderedAt=f"2025-01-{day}T00:00:00Z")
        body = call.json("GET", f"/{version}/orders?referenceId=B94TXY-1&limit=1&offset=1")
        return "-".join(name for name in body if name in {"first", "last", "next", "previous"})

    return probe


def browsed(call: Caller) -> Any:
    ref = call.created("v2.1", status="BROWSED")
    return [call.json("GET", f"/{version}/orders/{ref}")["status"] for version in ("v2", "v2.1")]


def stamps(call: Caller) -> Any:
    ref = call.created("v2.1", createdAt="0001-01-01T00:00:00", modifiedAt="2020-01-01T00:00:00Z")
    read = call.json("GET", f"/v2/orders/{ref}")
    return read["createdAt"][:4], read["modifiedAt"][:4]


def sub_second(call: Caller) -> Any:
    read = call.json("GET", f"/v2.1/orders/{call.created()}")
    return read["createdAt"][19:], read["orderedAt"][19:]


def required(call: Caller) -> Any:
    ref = call.created()
    return [call.status(method, f"/v2.1/orders/{ref}", {"price": 1}) for method in ("PUT", "PATCH")]


def deleted(call: Caller) -> Any:
    return call.status("DELETE", f"/v2.1/orders/{call.created()}")


def unknown(call: Caller) -> Any:
    seen: list[Any] = []
    for version in ("v2", "v2.1"):
        body = call.json("POST", f"/{version}/orders", order(referenceId=version, x={"y": None}))
        seen.append(body.get("x", body.get("message")))
    return [*seen, call.status("POST", "/v2.1/orders", order(referenceId="z", href="x"))]


def cross_origin(call: Caller) -> Any:
    origin = ("Origin", "https://shop.example")
    plain = call("GET", "/v2/orders", b"", origin).header("access-control-allow-origin")
    preflight = call.anonymous("OPTIONS", "/v2/orders", b"", origin)
    return plain, preflight.status, preflight.header("access-control-allow-headers")


def compressed(call: Caller) -> Any:
    call.created()
    answer = call("GET", f"/v2/orders/{FIRST_REF}", b"", ("Accept-Encoding", "br, gzip;q=0.5"))
    return answer.header("content-encoding")


def lines(call: Caller) -> Any:
    return call("GET", "/v2/orders").body.count(b"\n")


def nulls(call: Caller) -> Any:
    answer = call("POST", "/v2.1/orders", order(channel=None))
    body = json.loads(answer.body)
    v2 = call.json("GET", f"/v2/orders/{FIRST_REF}")
    return answer.status, body.get("channel", body.get("message", "absent")), v2.get("channel", "absent")


frozen_date = update("PUT", "v2.1", "orderedAt", orderedAt="2025-12-20T00:00:00Z")
frozen_reference = update("PATCH", "v2.1", "referenceId", referenceId="moved")

SEEN: dict[str, tuple[Probe, dict[Any, Any]]] = {
    "v2_match": (
        second_v2_create,
        {"update": (201, "1", "01", None), "create": (201, "2", "02", None), "refuse": (409, "", "", None)},
    ),
    "match_window": (window, {"48h": [409, 201], "calendar": [409, 409], "off": [201, 201]}),
    "v2_point_of_sale": (status_of("v2", pointOfSale=...), {"require": 400, "accept": 201}),
    "v2_update_status": (
        update("POST", "v2", "price", price=3),
        {200: (200, 3), 201: (201, 3)},
    ),
    "v2_nested": (
        create(
            "v2",
            lambda status, body: (status, body.get("orderItems")),
            orderItems={"items": [{"type": "BAG"}]},
        ),
        {"ignore": (201, {"items": []}), "refuse": (400, None)},
    ),
    "v2_guest_ref": (guest, {"link": (201, 1), "ignore": (201, 0), "refuse": (400, 0)}),
    "v2_delete": (v2_delete, {"refuse": (405, 200), "delete": (200, 404)}),
    "v2_error_link": (
        error_links,
        {"moreInfo": ["moreInfo"], "moreInfoUrl": ["moreInfoUrl"], "both": ["moreInfo", "moreInfoUrl"]},
    ),
    "v2_401_status": (denied("v2"), {"integer": 401, "text": "UNAUTHORIZED"}),
    "v2_content_type": (untyped("v2"), {"any": 201, "415": 415, "500": 500}),
    "v2_both_filters": (
        both_filters,
        {"referenceId": ["2", "3"], "guestRef": ["1", "3"], "both": ["3"], "refuse": 400},
    ),
    "v2_limit": (limit("v2"), {"clamp": 100, "refuse": 400}),
    "v2_paging": (
        paging("v2"),
        {
            "none": "",
            "first-last": "first-last",
            "first-last-next": "first-last-next",
            "all": "first-last-next-previous",
        },
    ),
    "v2_new_statuses": (browsed, {"pass": ["BROWSED", "BROWSED"], "unknown": ["UNKNOWN", "BROWSED"]}),
    "v2_1_401_status": (denied("v2.1"), {"integer": 401, "text": "UNAUTHORIZED"}),
    "v2_1_content_type": (untyped("v2.1"), {"415": 415, "any": 201}),
    "v2_1_nulls": (
        nulls,
        {
            "refuse": (400, "channel: must not be null.", "absent"),
            "accept": (201, None, None),
            "drop": (201, "absent", "absent"),
        },
    ),
    "v2_1_nested": (status_of("v2.1", contacts={"items": []}), {"refuse": 400, "ignore": 201}),
    "v2_1_stamps": (stamps, {"honour": ("0001", "2020"), "ignore": ("2025", "2025")}),
    "v2_1_timestamps": (sub_second, {"seconds": ("Z", "Z"), "milliseconds": (".268Z", ".149Z")}),
    "v2_1_frozen": (
        lambda call: (frozen_date(call), frozen_reference(call)),
        {
            "refuse": ((400, "2025-12-19T12:07:18.149Z"), (400, "B94TXY-1")),
            "ignore": ((200, "2025-12-19T12:07:18.149Z"), (200, "B94TXY-1")),
            "accept": ((200, "2025-12-20T00:00:00.000Z"), (200, "moved")),
        },
    ),
    "v2_1_update_required": (required, {"put": [400, 200], "both": [400, 400], "none": [200, 200]}),
    "v2_1_put_omitted": (
        update("PUT", "v2.1", "cardType", cardType=...),
        {"remove": (200, None), "keep": (200, "Visa")},
    ),
    "v2_1_delete_status": (deleted, {204: 204, 200: 200}),
    "v2_1_limit": (limit("v2.1"), {"refuse": 400, "clamp": 100}),
    "v2_1_paging": (
        paging("v2.1"),
        {
            "none": "",
            "first-last": "first-last",
            "first-last-next": "first-last-next",
            "all": "first-last-next-previous",
        },
    ),
    "unknown_fields": (
        unknown,
        {
            "keep": [{"y": None}, {"y": None}, 201],
            "drop": [None, None, 201],
            "refuse": ["x: is not a known field.", "x: is not a known field.", 400],
        },
    ),
    "cors": (
        cross_origin,
        {True: ("*", 200, "Accept, Authorization, Content-Type"), False: (None, 200, None)},
    ),
    "gzip": (compressed, {True: "gzip", False: None}),
    "pretty": (lines, {True: 6, False: 0}),
}
CASES = [(name, value) for name, values in choices().items() for value in values]


@pytest.mark.parametrize(("name", "value"), CASES, ids=str)
def test_every_value_of_every_switch_is_felt(call: Caller, name: str, value: Any) -> None:
    probe, expected = SEEN[name]
    call.app.platform = fresh_platform(**{name: value})
    assert probe(call) == expected[value]


def test_dropped_unknown_members_are_gone(call: Caller) -> None:
    call.app.platform = fresh_platform(unknown_fields="drop")
    assert "x" not in call.json("GET", f"/v2/orders/{call.created(x=1)}")


def test_no_switch_has_two_values_that_look_alike() -> None:
    for name, values in choices().items():
        seen = [SEEN[name][1][value] for value in values]
        assert all(one != other for index, one in enumerate(seen) for other in seen[index + 1 :]), name


def test_switches_are_set_by_words() -> None:
    assert parse_switches([]) == Switches()
    assert parse_switches(["v2_update_status=201", " cors = off", "pretty=true"]) == Switches(
        v2_update_status=201, cors=False, pretty=True
    )


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("v2_macth=refuse", "the nearest is 'v2_match'"),
        ("v2_match", "name=value"),
        ("v2_match=maybe", "it can be update, create, refuse"),
        ("gzip=7", "it can be true, false"),
    ],
)
def test_a_wrong_word_is_told_the_way_out(word: str, says: str) -> None:
    with pytest.raises(SwitchError, match=says):
        parse_switches([word])


def test_the_page_lists_every_switch_with_its_values() -> None:
    page = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text()
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| `")]
    listed = {row[0].strip("|` "): [value.strip("` ") for value in row[1].split(",")] for row in rows}
    defaults = Switches()
    for name, values in choices().items():
        default = getattr(defaults, name)
        ordered = [default, *(value for value in values if value != default)]
        words = [str(value).lower() if isinstance(value, bool) else str(value) for value in ordered]
        assert listed.pop(name) == words, name
    assert listed == {}


def test_switches_can_be_changed_while_it_runs(call: Caller) -> None:
    answer = call.anonymous("POST", "/_emulator/switches", '{"v2_update_status": 201, "pretty": true}', JSON)
    assert (answer.status, json.loads(answer.body)["v2_update_status"]) == (200, 201)
    assert call.app.platform.switches == Switches(v2_update_status=201, pretty=True)
    wrong = call.anonymous("POST", "/_emulator/switches", '{"v2_update_statu": 201}', CREDENTIALS)
    assert (wrong.status, b"'v2_update_status'" in wrong.body) == (400, True)
