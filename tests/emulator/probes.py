"""How a caller sees what a switch does: one probe each, and what every value of the switch shows it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.emulator.caller import FIRST_REF, Caller, order

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
