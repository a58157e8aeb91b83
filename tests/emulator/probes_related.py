"""How a caller sees the switches of items, contacts, consumers and extensions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.emulator.caller import Caller, item, person
from tests.emulator.caller import order as whole_order
from tests.emulator.probes import Probe

HOME = "https://api.example"


def tried(call: Caller, method: str, path: str, body: Any = b"") -> tuple[int, Any]:
    """Status and body of an answer; None where there is no body."""
    answer = call(method, path, body)
    return answer.status, json.loads(answer.body) if answer.body else None


def deletions(call: Caller) -> Any:
    order = call.created()
    gone = [tried(call, "DELETE", f"/v2/orderItems/{call.hung(order)}")]
    extension = call.json("POST", f"/v2/orders/{order}/extext", {"key": "default", "a": 1})["ref"]
    gone.append(tried(call, "DELETE", f"/v2/orders/{order}/extext/{extension}"))
    gone.append(tried(call, "DELETE", f"/v2/orderContacts/{call.hung(order, 'contacts')}"))
    return [(status, body and (body.get("type"), body.get("a"))) for status, body in gone]


def old_type(call: Caller) -> Any:
    return call.json("GET", f"/v2.1/orderItems/{call.hung(call.created(), type='BAGGAGE')}")["type"]


def foreign_words(call: Caller) -> Any:
    order = call.created()
    refs = [
        call.hung(order, version="v2.1", type="Mobile", status="Accepted"),
        call.hung(order, type="FEES", status="CANCELLED"),
    ]
    reads = [call.json("GET", f"/v2/orderItems/{ref}") for ref in refs]
    return [(read["type"], read["status"]) for read in reads]


def extension_paths(call: Caller) -> Any:
    base, body = f"/v2/orders/{call.created()}/extext", {"key": "default", "a": 1}
    made = call.json("POST", base, body)
    one = made.get("href", "").removeprefix(HOME).removesuffix(f"/{made.get('ref')}")
    targets = (base, f"{base}/{made.get('ref')}")
    return one == base, [
        call.status(method, target, body) for target in targets for method in ("POST", "GET")
    ]


def extension_key(call: Caller) -> Any:
    base = f"/v2/orders/{call.created()}/extext"
    return [
        tried(call, "POST", base, {"key": key, "a": 1})[1].get("key") for key in ("default", "budgets", 7)
    ]


def implied(call: Caller) -> Any:
    order = call.created()
    contact, consumer = (call.hung(order, name) for name in ("contacts", "consumers"))
    asked = [
        ("GET", f"orderContacts/{contact}"),
        ("PUT", f"orderContacts/{contact}"),
        ("PATCH", f"orderContacts/{contact}"),
        ("GET", f"orders/{order}/consumers"),
        ("PUT", f"orderConsumers/{consumer}"),
        ("PATCH", f"orderConsumers/{consumer}"),
        ("GET", f"orderConsumers/{consumer}"),
        ("DELETE", f"orderConsumers/{consumer}"),
        ("DELETE", f"orderContacts/{contact}"),
    ]
    return [
        call.status(method, f"/v2.1/{path}", person() if "P" in method else b"") for method, path in asked
    ]


def expansions(call: Caller) -> Any:
    order = call.created()
    call.hung(order)
    queries = ("", "?expand=true", "?expand=orderItems")
    reads = [call.json("GET", f"/v2.1/orders/{order}{query}") for query in queries]
    return ["price" in read["orderItems"]["items"][0] for read in reads]


def order_contacts(call: Caller) -> Any:
    order = call.created()
    contact = call.hung(order, "contacts", guest={"href": f"{HOME}/v2/guests/G1"})
    link = call.json("GET", f"/v2.1/orders/{order}")["contacts"]["items"][0]["href"]
    return link.removeprefix(HOME).replace(contact, "C1")


def new_item(*tries: Mapping[str, Any]) -> Probe:
    """What v2.1 says to items with these changes: the status, and the member as both versions read it."""

    def probe(call: Caller) -> Any:
        order, seen = call.created(), []
        for changes in tries:
            status, body = tried(call, "POST", f"/v2.1/orders/{order}/orderItems", item(**changes))
            name = next(iter(changes))
            reads = [call.json("GET", f"/{v}/orderItems/{body.get('ref')}").get(name) for v in ("v2.1", "v2")]
            seen.append((status, *(reads if status == 201 else ())))
        return seen

    return probe


def people(call: Caller) -> Any:
    order = call.created()
    bodies = (person(), person(lastName=...), person(firstName=..., lastName=...))
    paths = (f"/v2.1/orders/{order}/contacts", f"/v2.1/orders/{order}/consumers")
    return [call.status("POST", path, body) for path in paths for body in bodies]


def request_links(call: Caller) -> Any:
    order = call.created()
    guest = {"href": f"{HOME}/v2.1/guests/G1"}
    status, body = tried(call, "POST", f"/v2.1/orders/{order}/contacts", person(guest=guest))
    held = {"items": [{"href": f"{HOME}/v2.1/orderItems/{call.hung(order)}"}]}
    other, consumer = tried(call, "POST", f"/v2.1/orders/{order}/consumers", person(orderItems=held))
    named = body.get("guest", {}).get("href") == guest["href"]
    return status, named, other, consumer.get("orderItems", {}).get("items") == held["items"]


def contact_gone(call: Caller) -> Any:
    order = call.created()
    targets = ("none", call.hung(order, "contacts"), call.hung(order))
    return [call.status("DELETE", f"/v2.1/orderContacts/{ref}") for ref in targets]


def consumer_status(call: Caller) -> Any:
    ref = call.hung(call.created(), "consumers")
    return [call.status("GET", f"/{version}/orderConsumers/{ref}") for version in ("v2.1", "v2")]


def consumer_items(call: Caller) -> Any:
    order = call.created()
    held = {"items": [{"href": f"{HOME}/v2/orderItems/{call.hung(order)}"}]}
    ref = call.hung(order, "consumers", orderItems=held)
    list_of = f"/v2/orderConsumers/{ref}/orderItems"
    seen = call.json("GET", f"/v2/orderConsumers/{ref}")["orderItems"]
    return seen == held, seen == {"href": HOME + list_of}, len(call.json("GET", list_of).get("items", []))


def put_children(call: Caller) -> Any:
    ref = call.created()
    for relation in ("orderItems", "contacts", "consumers"):
        call.hung(ref, relation)
    call("PUT", f"/v2.1/orders/{ref}", whole_order(referenceId="another"))
    before = len(call.app.platform.children)
    answer = call.json("PUT", f"/v2.1/orders/{ref}", whole_order())
    return before, [len(answer[name]["items"]) for name in ("orderItems", "contacts", "consumers")]


def extension_missing(call: Caller) -> Any:
    seen = []
    for method in ("PUT", "PATCH"):
        base = f"/v2.1/orders/{call.created(referenceId=method)}/extensions/ext"
        seen.append((call.status(method, base, {"a": 1}), call.status("GET", base)))
    return seen


def extension_reserved(call: Caller) -> Any:
    base = f"/v2.1/orders/{call.created()}/extensions/ext"
    status, body = tried(call, "POST", base, {"key": "mine", "href": "x", "a": 1})
    return status, body.get("key"), body.get("message")


def extension_match(call: Caller) -> Any:
    order = call.created()
    call("POST", f"/v2/orders/{order}/extext", {"key": "default", "a": 1})
    again = [
        call.status("POST", f"/v2/orders/{order}/extext", {"key": "default", "b": 2}),
        call.status("POST", f"/v2.1/orders/{order}/extensions/ext", {"c": 3}),
    ]
    read = call.json("GET", f"/v2.1/orders/{order}/extensions/ext")
    return again, [name for name in "abc" if name in read]


def links(call: Caller) -> Any:
    order = call.created()
    paths = (
        f"{HOME}/v2/guests/G1",
        "http://API.boxever.com/v2.1/guests/G1",
        "https://proxy.example/v2/guests/G1",
    )
    contacts = f"/v2/orders/{order}/contacts"
    return [call.status("POST", contacts, person(guest={"href": path})) for path in paths]
