"""The airline's day that the demo replays, told to the emulator itself."""

from __future__ import annotations

import json

from tests.emulator.caller import Caller, fresh_platform
from tests.emulator.day import lived, wanted
from tests.servers import Heard


def spent(call: Caller) -> dict[str, Heard]:
    """The day as the emulator itself answers it."""
    return lived(lambda step: call(step.template.method, step.target, step.body))


def test_every_step_of_the_day_succeeds(call: Caller) -> None:
    seen = spent(call)
    assert {name: heard.status for name, heard in seen.items()} == wanted()


def test_the_day_has_what_an_airline_has(call: Caller) -> None:
    seen = spent(call)
    full = json.loads(seen["look at the order with its items"].body)["orderItems"]["items"]
    assert [one["type"] for one in full] == ["FLIGHT", "FLIGHT", "FLIGHT", "BAG"]
    assert [len(one.get("flightSegments", ())) for one in full] == [2, 1, 1, 0]
    assert [len(json.loads(seen["list the travellers"].body)["items"])] == [2]
    for token in (b'"price":-45.00,', b'"originalPrice":9007199254740993,', b'"price":1.2e2,'):
        assert token in seen["look at the order with its items"].body
    left = json.loads(seen["look at what is left"].body)
    assert (left["status"], [one["status"] for one in left["orderItems"]["items"]]) == (
        "CANCELLED",
        ["RESERVED", "CONFIRMED", "CANCELLED"],
    )
    held = json.loads(seen["look at a traveller"].body)["orderItems"]["items"]
    assert [one["href"] for one in held] == [json.loads(seen[name].body)["href"] for name in FLIGHTS]


FLIGHTS = ("flight out, with a stop", "flight back")


def test_two_fresh_platforms_live_the_same_day_byte_for_byte(call: Caller) -> None:
    first = [heard.body for heard in spent(call).values()]
    call.app.platform = fresh_platform()
    assert [heard.body for heard in spent(call).values()] == first


def test_v2_1_sees_the_day_without_the_flights_details(call: Caller) -> None:
    spent(call)
    order = next(iter(call.app.platform.orders))
    body = call.json("GET", f"/v2.1/orders/{order}?expand=true")
    assert [one["type"] for one in body["orderItems"]["items"]] == ["FLIGHT"] * 3
    assert not any("flightSegments" in one for one in body["orderItems"]["items"])
    assert [len(body[name]["items"]) for name in ("contacts", "consumers")] == [0, 2]


def test_a_step_that_makes_nothing_ends_the_day(call: Caller) -> None:
    call.app.mischief.set("v2", call.app.mischief.table["v2"].changed({"error_503": 1, "only": "orderItems"}))
    seen = spent(call)
    assert [heard.status for heard in seen.values()] == [201, 201, 503]
