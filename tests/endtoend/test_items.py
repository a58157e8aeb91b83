"""Items, contacts and consumers through the whole proxy, over sockets, in front of the stand-in for the platform."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from proxy.upstream.entries import Entry
from proxy.upstream.journals import survey
from tests.emulator.caller import FIRST_REF, order
from tests.endtoend.running import PUBLIC, carried

SEGMENT = {"id": "1", "origin": "DUB", "destination": "LHR", "departureDateTime": "2025-08-23T12:00:00.000Z"}
FLIGHT: dict[str, Any] = {
    "type": "FLIGHT",
    "currencyCode": "EUR",
    "price": -45.50,
    "status": "CONFIRMED",
    "productId": "DUB-LHR",
    "referenceId": "R-1",
    "passengerTypeCode": "ADT",
    "flightSegments": [SEGMENT, {"origin": "LHR"}],
}


def doubts(journal: Path) -> list[Entry]:
    """The writes in doubt; closing an entry comes after the answer, so this looks for a while."""
    until = time.monotonic() + 5
    while len(found := survey(journal).in_doubt) != 1 and time.monotonic() < until:
        time.sleep(0.01)
    return list(found)


def test_a_flight_is_written_and_read_as_if_v2_had_it() -> None:
    with carried(["v2.1"]) as proxy:
        proxy.json("POST", "/v2/orders", order())
        made = proxy.json("POST", f"/v2/orders/{FIRST_REF}/orderItems", FLIGHT)
        assert {name: made.get(name) for name in FLIGHT} == FLIGHT
        assert "name" not in made
        path = made["href"].removeprefix(PUBLIC)
        assert path.startswith("/v2/orderItems/")
        assert proxy.json("GET", path + "/") == made
        changed = proxy.json("POST", path, {**made, "passengerTypeCode": "CHD", "flightSegments": [SEGMENT]})
        assert (changed["passengerTypeCode"], changed["flightSegments"]) == ("CHD", [SEGMENT])
        assert proxy.json("GET", path)["flightSegments"] == [SEGMENT]
        whole = proxy.json("GET", f"/v2/orders/{FIRST_REF}?expand=orderItems")
        assert whole["orderItems"]["items"][0]["flightSegments"] == [SEGMENT]
        listed = proxy.json("GET", f"/v2/orders/{FIRST_REF}/orderItems")
        assert listed["items"] == [{"href": made["href"]}]
        assert proxy.ask("DELETE", path).status == 204
        assert proxy.ask("GET", path).status == 404


@pytest.mark.parametrize("relation", ["contacts", "consumers"])
def test_a_person_is_written_read_and_replaced(relation: str) -> None:
    with carried(["v2.1"]) as proxy:
        proxy.json("POST", "/v2/orders", order())
        ann = {"firstName": "Ann", "lastName": "Lee", "emails": ["a@example.com"], "loyalty": 1.5}
        made = proxy.json("POST", f"/v2/orders/{FIRST_REF}/{relation}", ann)
        path = made["href"].removeprefix(PUBLIC)
        assert made["order"]["href"] == f"{PUBLIC}/v2/orders/{FIRST_REF}"
        again = proxy.json("POST", path, {**made, "lastName": "Doe"})
        assert (again["lastName"], again["emails"]) == ("Doe", ["a@example.com"])
        assert proxy.json("GET", path)["lastName"] == "Doe"
        expanded = proxy.json("GET", f"/v2/orders/{FIRST_REF}/{relation}?expand=true")
        assert expanded["items"][0]["firstName"] == "Ann"


@pytest.mark.parametrize("trouble", ["error_503", "close"])
def test_an_item_whose_details_fail_stands_and_is_in_doubt(trouble: str) -> None:
    with carried(["v2.1"]) as proxy:
        proxy.json("POST", "/v2/orders", order())
        mischief = proxy.emulator.mischief
        mischief.set("v2.1", mischief.table["v2.1"].changed({trouble: 1, "only": "extensions"}))
        heard = proxy.ask("POST", f"/v2/orders/{FIRST_REF}/orderItems", json.dumps(FLIGHT))
        mischief.set("v2.1", mischief.table["v2.1"].changed({trouble: 0}))
        made = json.loads(heard.body)
        assert (heard.status, heard.header("x-crossfade-partial")) == (201, "items.create.flight")
        assert made["type"] == "FLIGHT"
        assert made.keys().isdisjoint({"flightSegments", "passengerTypeCode", "name"})
        assert proxy.json("GET", made["href"].removeprefix(PUBLIC))["price"] == -45.50
        (entry,) = doubts(proxy.log_file.parent / "crossfade.journal")
        assert (entry.endpoint, entry.step) == ("items.create", 2)
        (line,) = proxy.log_lines("divergence", least=1)
        assert line["differences"][0]["rule"] == "items.create.flight"
