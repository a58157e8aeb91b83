"""The calls that the platform answers: one table of paths and methods, one short function per call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from proxy.emulator.fields import RELATIONS, Draft, read_order
from proxy.emulator.platform import Child, Order, Platform
from proxy.emulator.problems import Problem
from proxy.emulator.shapes import Page, View
from proxy.emulator.switches import Version

BANNED_BOTH = "Exactly one of referenceId and guestRef must be given."


@dataclass(frozen=True)
class Asked:
    """One authenticated call; `segments` is the path below the version, `client` the client key."""

    version: Version
    method: str
    segments: tuple[str, ...]
    query: Mapping[str, str]
    raw_query: str
    body: bytes = field(repr=False)
    content_type: str
    client: str = field(repr=False)
    now: datetime


@dataclass(frozen=True)
class Said:
    """The answer: a JSON object or an HTML page (None for no body), and headers beside the usual ones."""

    status: int
    body: dict[str, Any] | str | None = None
    headers: tuple[tuple[str, str], ...] = ()


Handler: TypeAlias = Callable[[Platform, View, Asked], Said]


def answer(platform: Platform, view: View, asked: Asked) -> Said:
    """Do what a call asks for; raises Problem for every error, 404 and 405 among them."""
    methods = _methods(platform, asked)
    handler = methods.get("GET" if asked.method == "HEAD" else asked.method)
    if handler is None:
        allow = ", ".join([*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS"])
        if asked.method == "OPTIONS":
            return Said(200, None, (("allow", allow),))
        raise Problem(405, "The method is not allowed for this resource.", headers=(("allow", allow),))
    return handler(platform, view, asked)


def _methods(platform: Platform, asked: Asked) -> Mapping[str, Handler]:
    match asked.segments:
        case ("orders",):
            return {"GET": _list, "POST": _create}
        case ("orders", _) if asked.version == "v2.1":
            return {"GET": _get, "PUT": _put, "PATCH": _patch, "DELETE": _delete}
        case ("orders", _):
            undocumented = {"DELETE": _delete} if platform.switches.v2_delete == "delete" else {}
            return {"GET": _get, "POST": _replace, **undocumented}
        case ("orders", _, relation) if relation in RELATIONS:
            return {"GET": _children}
        case (kind, _) if kind in RELATIONS.values():
            return {"GET": _child}
        case _:
            raise Problem(404, "The resource was not found.", "There is no resource at this path")


def _create(platform: Platform, view: View, asked: Asked) -> Said:
    guest = asked.query.get("guestRef") if asked.version == "v2" else None
    if guest is not None and platform.switches.v2_guest_ref == "refuse":
        raise Problem(400, "guestRef: is not a parameter of this call.")
    linked = guest if platform.switches.v2_guest_ref == "link" else None
    draft = _draft(platform, asked, required=True)
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
    return Said(200, _collection(view, "orders", orders, asked, filters))


def _replace(platform: Platform, view: View, asked: Asked) -> Said:
    platform.get(asked.segments[1])
    order = platform.replace(asked.segments[1], _draft(platform, asked, required=True), now=asked.now)
    return Said(platform.switches.v2_update_status, view.written(order))


def _put(platform: Platform, view: View, asked: Asked) -> Said:
    platform.get(asked.segments[1])
    draft = _draft(platform, asked, required=platform.switches.v2_1_update_required != "none")
    return Said(200, view.written(platform.put(asked.segments[1], draft, now=asked.now)))


def _patch(platform: Platform, view: View, asked: Asked) -> Said:
    platform.get(asked.segments[1])
    draft = _draft(platform, asked, required=platform.switches.v2_1_update_required == "both")
    return Said(200, view.written(platform.patch(asked.segments[1], draft, now=asked.now)))


def _delete(platform: Platform, _view: View, asked: Asked) -> Said:
    platform.delete(asked.segments[1])
    return Said(200 if asked.version == "v2" else platform.switches.v2_1_delete_status)


def _children(platform: Platform, view: View, asked: Asked) -> Said:
    _, ref, relation = asked.segments
    children = platform.children_of(platform.get(ref).ref, relation)
    return Said(200, _collection(view, f"orders/{ref}/{relation}", children, asked, {}))


def _child(platform: Platform, view: View, asked: Asked) -> Said:
    child = platform.children.get(asked.segments[1])
    if child is None or RELATIONS[child.relation] != asked.segments[0]:
        raise Problem(404, "The resource was not found.")
    return Said(200, view.child(child))


def _collection(
    view: View, path: str, things: list[Order] | list[Child], asked: Asked, filters: Mapping[str, str]
) -> dict[str, Any]:
    extra = {name: asked.query[name] for name in ("expand", "sort") if name in asked.query}
    page = _page(view.platform, asked)
    return view.collection(path, things, page, {**filters, **extra}, expand=extra.get("expand") == "true")


def _draft(platform: Platform, asked: Asked, *, required: bool) -> Draft:
    media = asked.content_type.partition(";")[0].strip().lower()
    rule = platform.switches.v2_content_type if asked.version == "v2" else platform.switches.v2_1_content_type
    if rule != "any" and media != "application/json":
        raise Problem(int(rule), "The content type must be application/json.")
    return read_order(asked.version, asked.body, platform.switches, required=required)


def _page(platform: Platform, asked: Asked) -> Page:
    """Offset from 0, limit from 1 to 100, 10 unless told (F§2.6)."""
    offset, limit = _count(asked, "offset", 0, 0), _count(asked, "limit", 10, 1)
    rule = platform.switches.v2_limit if asked.version == "v2" else platform.switches.v2_1_limit
    if limit > 100 and rule == "refuse":
        raise Problem(400, "limit: must be at most 100.")
    return Page(offset, min(limit, 100))


def _count(asked: Asked, name: str, default: int, least: int) -> int:
    text = asked.query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10) or int(text) < least:
        raise Problem(400, f"{name}: must be a whole number, at least {least}.")
    return int(text)


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
