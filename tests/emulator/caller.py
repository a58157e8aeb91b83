"""A caller of the emulator with credentials, and the same fresh platform for every test."""

from __future__ import annotations

import base64
import itertools
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from proxy.emulator import Emulator, Platform, Switches
from tests.servers import Heard, fetch, parse, request

CREDENTIALS = ("Authorization", "Basic " + base64.b64encode(b"client-1:token-1").decode())
JSON = ("Content-Type", "application/json")
FIRST_REF = "00000000-0000-4000-8000-000000000001"


def fresh_platform(**switches: Any) -> Platform:
    """A platform whose clock ticks once a second from a fixed time and whose refs count."""
    ticks = itertools.count()
    start = datetime(2025, 12, 19, 12, 19, 1, 268_000, UTC)
    return Platform(
        Switches().changed(switches),
        clock=lambda: start + timedelta(seconds=next(ticks)),
        refs=(f"00000000-0000-4000-8000-{number:012x}" for number in itertools.count(1)),
    )


def order(**changes: Any) -> dict[str, Any]:
    """The order of the platform's own create example; a change to `...` leaves the member out."""
    members = {
        "pointOfSale": "spinair.com/france",
        "channel": "WEB",
        "currencyCode": "EUR",
        "price": 12,
        "orderedAt": "2025-12-19T12:07:18.149Z",
        "referenceId": "B94TXY-1",
        "paymentType": "Card",
        "cardType": "Visa",
        "status": "PURCHASED",
    }
    return {name: value for name, value in {**members, **changes}.items() if value is not ...}


def item(**changes: Any) -> dict[str, Any]:
    """A seat, with all that either version demands; a change to `...` leaves the member out."""
    members = {
        "type": "SEAT",
        "status": "CONFIRMED",
        "name": "Seat 14C",
        "referenceId": "B94TXY-1-1",
        "productId": "seat",
        "currencyCode": "EUR",
        "price": 12.50,
        "quantity": 1,
    }
    return {name: value for name, value in {**members, **changes}.items() if value is not ...}


def person(**changes: Any) -> dict[str, Any]:
    """A contact or consumer; a change to `...` leaves the member out."""
    members = {
        "title": "Ms",
        "firstName": "Ada",
        "lastName": "Byron",
        "gender": "female",
        "dateOfBirth": "1985-12-24T00:00Z",
        "emails": ["ada@example.com"],
        "identifiers": [{"provider": "CRM", "id": "7"}],
    }
    return {name: value for name, value in {**members, **changes}.items() if value is not ...}


@dataclass(frozen=True)
class Caller:
    url: str
    app: Emulator

    def __call__(self, method: str, target: str, body: Any = b"", *headers: tuple[str, str]) -> Heard:
        """Ask with good credentials; a dict goes as typed JSON, text and bytes go as they are."""
        typed = (*headers, JSON) if isinstance(body, dict) else headers
        data = json.dumps(body) if isinstance(body, dict) else body
        return self.anonymous(method, target, data, CREDENTIALS, *typed)

    def anonymous(self, method: str, target: str, body: Any = b"", *headers: tuple[str, str]) -> Heard:
        """Ask with just these headers."""
        return parse(fetch(self.url, request(method, target, body, headers)))

    def json(self, method: str, target: str, body: Any = b"") -> Any:
        """The answer's body."""
        return json.loads(self(method, target, body).body)

    def status(self, method: str, target: str, body: Any = b"") -> int:
        """The answer's status."""
        return self(method, target, body).status

    def created(self, version: str = "v2", query: str = "", **changes: Any) -> str:
        """The ref of a new order."""
        answer = self("POST", f"/{version}/orders{query}", order(**changes))
        assert answer.status == 201, answer.body
        return str(json.loads(answer.body)["ref"])

    def hung(self, order_ref: str, relation: str = "orderItems", version: str = "v2", **changes: Any) -> str:
        """The ref of a new item, contact or consumer of an order."""
        body = item(**changes) if relation == "orderItems" else person(**changes)
        answer = self("POST", f"/{version}/orders/{order_ref}/{relation}", body)
        assert answer.status == 201, answer.body
        return str(json.loads(answer.body)["ref"])
