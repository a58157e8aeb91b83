"""The airline's day that the demo replays, told to the emulator itself."""

from __future__ import annotations

import json

from proxy.cli.demo.material import Story, read_traffic
from proxy.cli.demo.story import told
from tests.emulator.caller import Caller, fresh_platform

DAY: Story = read_traffic().stories[0]
NAMES = {"reference": "DAY-1", "now": "2025-12-19T12:07:18.149Z"}
HOME = "https://api.example"


def lived(call: Caller) -> dict[str, tuple[int, bytes]]:
    """Status and body of every step by its name."""
    seen: dict[str, tuple[int, bytes]] = {}
    steps, made = told(DAY, "airline", NAMES), None
    while True:
        try:
            step = steps.send(made)
        except StopIteration:
            return seen
        answer = call(step.template.method, step.target, step.body)
        seen[step.template.name] = (answer.status, answer.body)
        made = answer.body if answer.status == 201 else None


def test_every_step_of_the_day_succeeds(call: Caller) -> None:
    seen = lived(call)
    assert list(seen) == [step.name for step in DAY.steps]
    statuses = {step.name: seen[step.name][0] for step in DAY.steps}
    for step in DAY.steps:
        wanted = {"GET": 200, "DELETE": 204}.get(step.method, 201 if step.learn else 200)
        assert statuses[step.name] == wanted, (step.name, seen[step.name][1])


def test_the_day_has_what_an_airline_has(call: Caller) -> None:
    seen = lived(call)
    full = json.loads(seen["look at the order with its items"][1])["orderItems"]["items"]
    assert [one["type"] for one in full] == ["FLIGHT", "FLIGHT", "FLIGHT", "BAG"]
    assert [len(one.get("flightSegments", ())) for one in full] == [2, 1, 1, 0]
    assert [len(json.loads(seen["list the travellers"][1])["items"])] == [2]
    for token in (b'"price":-45.00,', b'"originalPrice":9007199254740993,', b'"price":1.2e2,'):
        assert token in seen["look at the order with its items"][1]
    left = json.loads(seen["look at what is left"][1])
    assert (left["status"], [one["status"] for one in left["orderItems"]["items"]]) == (
        "CANCELLED",
        ["RESERVED", "CONFIRMED", "CANCELLED"],
    )
    held = json.loads(seen["look at a traveller"][1])["orderItems"]["items"]
    assert [one["href"] for one in held] == [json.loads(seen[name][1])["href"] for name in FLIGHTS]


FLIGHTS = ("flight out, with a stop", "flight back")


def test_two_fresh_platforms_live_the_same_day_byte_for_byte(call: Caller) -> None:
    first = lived(call)
    call.app.platform = fresh_platform()
    assert lived(call) == first


def test_v2_1_sees_the_day_without_the_flights_details(call: Caller) -> None:
    lived(call)
    order = next(iter(call.app.platform.orders))
    body = call.json("GET", f"/v2.1/orders/{order}?expand=true")
    assert [one["type"] for one in body["orderItems"]["items"]] == ["FLIGHT"] * 3
    assert not any("flightSegments" in one for one in body["orderItems"]["items"])
    assert [len(body[name]["items"]) for name in ("contacts", "consumers")] == [0, 2]


def test_a_step_that_makes_nothing_ends_the_day(call: Caller) -> None:
    call.app.mischief.set("v2", call.app.mischief.table["v2"].changed({"error_503": 1, "only": "orderItems"}))
    seen = lived(call)
    assert [status for status, _ in seen.values()] == [201, 201, 503]
