"""The calls that the platform answers: one table of paths and methods, and the calls to orders themselves."""

from __future__ import annotations

from collections.abc import Mapping

from proxy.emulator import child_calls, extension_calls
from proxy.emulator.asked import Asked, Methods, Said, collection, demands
from proxy.emulator.kinds import BY_PATH, CHILDREN, ORDER
from proxy.emulator.platform import Platform
from proxy.emulator.problems import Problem
from proxy.emulator.records import Order
from proxy.emulator.shapes import View

BANNED_BOTH = "Exactly one of referenceId and guestRef must be given."


def answer(platform: Platform, view: View, asked: Asked) -> Said:
    """Do what a call asks for; raises Problem for every error, 404 and 405 among them."""
    methods = _methods(platform, asked)
    if methods is None:
        raise Problem(404, "The resource was not found.", "There is no resource at this path")
    handler = methods.get("GET" if asked.method == "HEAD" else asked.method)
    if handler is None:
        allow = ", ".join([*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS"])
        if asked.method == "OPTIONS":
            return Said(200, None, (("allow", allow),))
        raise Problem(405, "The method is not allowed for this resource.", headers=(("allow", allow),))
    return handler(platform, view, asked)


def _methods(platform: Platform, asked: Asked) -> Methods | None:  # noqa: PLR0911 - a table of paths
    switches, newer = platform.switches, asked.version == "v2.1"
    match asked.segments:
        case ("orders",):
            return {"GET": _list, "POST": _create}
        case ("orders", _) if newer:
            return {"GET": _get, "PUT": _put, "PATCH": _patch, "DELETE": _delete}
        case ("orders", _):
            undocumented = {"DELETE": _delete} if switches.v2_delete == "delete" else {}
            return {"GET": _get, "POST": _replace, **undocumented}
        case ("orders", _, relation) if relation in CHILDREN:
            return child_calls.under_order(asked.version, CHILDREN[relation], switches)
        case ("orders" | "orderItems", _, "extensions", *_) if newer:
            return extension_calls.v2_1_methods(asked.segments)
        case ("orders", _, _, *_) if not newer:
            return extension_calls.v2_methods(asked.segments, switches)
        case (path, _) if path in BY_PATH:
            return child_calls.single(asked.version, BY_PATH[path], switches)
        case ("orderConsumers", _, "orderItems") if newer or switches.v2_consumer_items == "href":
            return {"GET": child_calls.items_of_consumer}
        case _:
            return None


def _create(platform: Platform, view: View, asked: Asked) -> Said:
    guest = asked.query.get("guestRef") if asked.version == "v2" else None
    if guest is not None and platform.switches.v2_guest_ref == "refuse":
        raise Problem(400, "guestRef: is not a parameter of this call.")
    linked = guest if platform.switches.v2_guest_ref == "link" else None
    draft = asked.draft(ORDER, platform.switches, required=True)
    order = platform.create(asked.version, draft, now=asked.now, client=asked.client, guest=linked)
    return Said(201, view.written(order))


def _get(platform: Platform, view: View, asked: Asked) -> Said:
    return Said(200, view.read(platform.get(asked.segments[1]), asked.query.get("expand"), asked.raw_query))


def _list(platform: Platform, view: View, asked: Asked) -> Said:
    filters = {name: asked.query[name] for name in ("referenceId", "guestRef") if asked.query.get(name)}
    precedence = platform.switches.v2_both_filters if asked.version == "v2" else "refuse"
    if not filters or (len(filters) == 2 and precedence == "refuse"):
        raise Problem(400, BANNED_BOTH)
    if len(filters) == 2 and precedence != "both":
        filters = {precedence: filters[precedence]}
    orders = platform.find(filters.get("referenceId"), filters.get("guestRef"))
    if asked.version == "v2.1":
        orders = _sorted(orders, asked.query.get("sort"), filters)
    return collection(view, "orders", orders, asked, filters)


def _replace(platform: Platform, view: View, asked: Asked) -> Said:
    platform.get(asked.segments[1])
    order = platform.replace(
        asked.segments[1], asked.draft(ORDER, platform.switches, required=True), now=asked.now
    )
    return Said(platform.switches.v2_update_status, view.written(order))


def _put(platform: Platform, view: View, asked: Asked) -> Said:
    platform.get(asked.segments[1])
    draft = asked.draft(ORDER, platform.switches, required=demands(platform.switches, "PUT"))
    return Said(200, view.written(platform.put(asked.segments[1], draft, now=asked.now)))


def _patch(platform: Platform, view: View, asked: Asked) -> Said:
    platform.get(asked.segments[1])
    draft = asked.draft(ORDER, platform.switches, required=demands(platform.switches, "PATCH"))
    return Said(200, view.written(platform.patch(asked.segments[1], draft, now=asked.now)))


def _delete(platform: Platform, _view: View, asked: Asked) -> Said:
    platform.delete(asked.segments[1])
    return Said(200 if asked.version == "v2" else platform.switches.v2_1_delete_status)


def _sorted(orders: list[Order], sort: str | None, filters: Mapping[str, str]) -> list[Order]:
    """`created` or, with guestRef alone, `orderedAt`; `::DESC` turns it round (F§3.2, F§10.20)."""
    if not sort:
        return orders
    by, _, direction = sort.partition("::")
    known = {"created", "createdAt"} | ({"orderedAt"} if "guestRef" in filters else set())
    if by not in known or direction not in {"", "ASC", "DESC"}:
        raise Problem(400, "sort: must be created or, with guestRef, orderedAt, then ::ASC or ::DESC.")
    by_time = (lambda order: order.ordered_at) if by == "orderedAt" else (lambda order: order.created_at)
    return sorted(orders, key=by_time, reverse=direction == "DESC")
