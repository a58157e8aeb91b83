"""Calls to what hangs on an order: items, contacts, consumers (F§2.3–2.5, F§3.4–3.6)."""

from __future__ import annotations

from proxy.emulator import children
from proxy.emulator.asked import Asked, Methods, Said, collection, demands
from proxy.emulator.bodies import Draft
from proxy.emulator.children import Change
from proxy.emulator.kinds import BY_PATH, CHILDREN, CONSUMER, CONTACT, ITEM, Kind
from proxy.emulator.links import Linking
from proxy.emulator.platform import Platform
from proxy.emulator.records import Child
from proxy.emulator.shapes import View
from proxy.emulator.switches import Switches, Version

_UNSHOWN = {
    CONTACT: frozenset({"GET", "PUT", "PATCH"}),
    CONSUMER: frozenset({"PUT", "PATCH", "DELETE"}),
    ITEM: frozenset[str](),
}
"""Calls to a single one that no v2.1 page shows (F§3.0)."""


def under_order(version: Version, kind: Kind, switches: Switches) -> Methods:
    """What `/orders/{ref}/{relation}` answers."""
    unshown = version == "v2.1" and kind is CONSUMER and switches.v2_1_implied == "refuse"
    return {"POST": _create} if unshown else {"GET": _list, "POST": _create}


def single(version: Version, kind: Kind, switches: Switches) -> Methods:
    """What `/{path}/{ref}` answers; a v2 consumer cannot be deleted (F§2.5)."""
    if version == "v2":
        return {"GET": _get, "POST": _replace, **({} if kind is CONSUMER else {"DELETE": _delete})}
    methods: Methods = {"GET": _get, "PUT": _put, "PATCH": _patch, "DELETE": _delete}
    unshown = _UNSHOWN[kind] if switches.v2_1_implied == "refuse" else ()
    return {method: handler for method, handler in methods.items() if method not in unshown}


def items_of_consumer(platform: Platform, view: View, asked: Asked) -> Said:
    """`GET /orderConsumers/{ref}/orderItems` (F§3.0)."""
    consumer = platform.child(CONSUMER, asked.segments[1])
    items = [platform.children[ref] for ref in consumer.items if ref in platform.children]
    return collection(view, f"{CONSUMER.path}/{consumer.ref}/orderItems", items, asked, {})


def _list(platform: Platform, view: View, asked: Asked) -> Said:
    _, ref, relation = asked.segments
    found = platform.children_of(platform.get(ref).ref, CHILDREN[relation])
    return collection(view, f"orders/{ref}/{relation}", found, asked, {})


def _create(platform: Platform, view: View, asked: Asked) -> Said:
    kind, order = CHILDREN[asked.segments[2]], platform.get(asked.segments[1])
    draft = asked.draft(kind, platform.switches, required=True)
    child = children.create(platform, kind, order, _change(view, asked, draft))
    return Said(201, view.child(child))


def _get(platform: Platform, view: View, asked: Asked) -> Said:
    child = _named(platform, asked)
    odd = asked.version == "v2.1" and child.kind is CONSUMER
    return Said(platform.switches.v2_1_consumer_status if odd else 200, view.read_child(child))


def _replace(platform: Platform, view: View, asked: Asked) -> Said:
    child = _named(platform, asked)
    draft = asked.draft(child.kind, platform.switches, required=True)
    child = children.replaced(platform, child, _change(view, asked, draft))
    return Said(platform.switches.v2_update_status, view.child(child))


def _put(platform: Platform, view: View, asked: Asked) -> Said:
    child = _named(platform, asked)
    draft = asked.draft(child.kind, platform.switches, required=demands(platform.switches, "PUT"))
    return Said(200, view.child(children.put(platform, child, _change(view, asked, draft))))


def _patch(platform: Platform, view: View, asked: Asked) -> Said:
    child = _named(platform, asked)
    draft = asked.draft(child.kind, platform.switches, required=demands(platform.switches, "PATCH"))
    return Said(200, view.child(children.patched(platform, child, _change(view, asked, draft))))


def _delete(platform: Platform, view: View, asked: Asked) -> Said:
    kind = BY_PATH[asked.segments[0]]
    forgiving = asked.version == "v2.1" and platform.switches.v2_1_contact_gone == 204
    if kind is CONTACT and forgiving and asked.segments[1] not in platform.children:
        return Said(204)
    child = _named(platform, asked)
    body = view.child(child)
    platform.drop(child)
    if kind is CONTACT:
        return Said(204)
    if asked.version == "v2.1":
        return Said(platform.switches.v2_1_delete_status)
    return Said(204) if platform.switches.v2_delete_status == 204 else Said(200, body)


def _named(platform: Platform, asked: Asked) -> Child:
    return platform.child(BY_PATH[asked.segments[0]], asked.segments[1])


def _change(view: View, asked: Asked, draft: Draft) -> Change:
    linking = Linking((view.base_url, f"//{asked.host}"), asked.version, view.platform.switches.links)
    return Change(draft, linking, asked.now)
