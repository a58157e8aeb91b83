"""How stored things look in each version: orders, their children, collections (F§2.1, F§2.6, F§3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec

from proxy.emulator.fields import NEW_STATUSES, ORDER_MEMBERS, RELATIONS, instant, text_of
from proxy.emulator.platform import Child, Order, Platform
from proxy.emulator.switches import Version

JsonObject = dict[str, Any]
_PAGING = {
    "none": (),
    "first-last": ("first", "last"),
    "first-last-next": ("first", "last", "next"),
    "all": ("first", "last", "next", "previous"),
}


@dataclass(frozen=True)
class Page:
    """Which part of a collection is wanted; counts in things."""

    offset: int = 0
    limit: int = 10


@dataclass(frozen=True)
class View:
    """One version's way to print the platform's store; `base_url` is the host that hrefs name."""

    platform: Platform
    version: Version
    base_url: str

    def href(self, path: str) -> str:
        """The absolute link to a path below the version."""
        return f"{self.base_url}/{self.version}/{path}"

    def written(self, order: Order) -> JsonObject:
        """The answer to a create or update, in both versions: children as lists of links."""
        related = {name: {"items": self._links(order, name)} for name in RELATIONS}
        return self._order(order, "", related)

    def read(self, order: Order, expand: str | None = None, query: str = "") -> JsonObject:
        """The answer to a read of one. v2 links to the children and echoes an expanding query in `href`."""
        if self.version == "v2.1":
            full = expand == "true"
            related: JsonObject = {
                name: {"items": self._full(order, name) if full else self._links(order, name)}
                for name in RELATIONS
            }
            return self._order(order, "", related)
        wanted = set((expand or "").split(","))
        related = {}
        for name in RELATIONS:
            link = self.href(f"orders/{order.ref}/{name}")
            page = {"offset": 0, "limit": 10, "items": self._full(order, name)[:10]} if name in wanted else {}
            related[name] = {"href": link, **page}
        return self._order(order, f"?{query}" if wanted & set(RELATIONS) else "", related)

    def child(self, child: Child) -> JsonObject:
        """An item, contact or consumer in full."""
        return {
            "href": self.href(f"{RELATIONS[child.relation]}/{child.ref}"),
            "ref": child.ref,
            "createdAt": self.time(child.created_at),
            "modifiedAt": self.time(child.created_at),
            **{name: msgspec.Raw(token) for name, token in child.members.items()},
            "order": {"href": self.href(f"orders/{child.order_ref}")},
        }

    def brief(self, thing: Order | Child) -> JsonObject:
        """A list item that is not expanded: v2 shows the link alone, v2.1 the ref too (F§3.2)."""
        kind = "orders" if isinstance(thing, Order) else RELATIONS[thing.relation]
        link = {"href": self.href(f"{kind}/{thing.ref}")}
        return link if self.version == "v2" else {**link, "ref": thing.ref}

    def collection(
        self,
        path: str,
        things: Sequence[Order] | Sequence[Child],
        page: Page,
        query: dict[str, str],
        *,
        expand: bool,
    ) -> JsonObject:
        """One page of things; its links print offset, limit, then the rest of the query (F§2.6)."""
        part = things[page.offset : page.offset + page.limit]
        items = [(self._expanded(thing) if expand else self.brief(thing)) for thing in part]
        links = self._paging_links(path, page, query, len(things))
        href = self._page_href(path, page.offset, page.limit, query)
        head: JsonObject = {"offset": page.offset, "limit": page.limit}
        if self.version == "v2":
            return {"href": href, **head, **links, "items": items}
        return {**head, **links, "href": href, "items": items}

    def time(self, when: datetime) -> str:
        """A time as this version prints it: v2 always with milliseconds (F§6.18)."""
        fine = self.version == "v2" or self.platform.switches.v2_1_timestamps == "milliseconds"
        return when.replace(tzinfo=None).isoformat(timespec="milliseconds" if fine else "seconds") + "Z"

    def _expanded(self, thing: Order | Child) -> JsonObject:
        return self.read(thing) if isinstance(thing, Order) else self.child(thing)

    def _order(self, order: Order, suffix: str, related: JsonObject) -> JsonObject:
        href = self.href(f"orders/{order.ref}{suffix}")
        names = {"href": href, "ref": order.ref} if self.version == "v2" else {"ref": order.ref, "href": href}
        known = {
            name: self._member(name, order.members[name]) for name in ORDER_MEMBERS if name in order.members
        }
        unknown = {name: msgspec.Raw(token) for name, token in order.members.items() if name not in known}
        stamps = {"createdAt": self.time(order.created_at), "modifiedAt": self.time(order.modified_at)}
        return {**names, **stamps, **known, **unknown, **related}

    def _member(self, name: str, token: bytes) -> str | msgspec.Raw:
        when = instant(token) if name == "orderedAt" else None
        if when is not None:
            return self.time(when)
        hides = self.version == "v2" and self.platform.switches.v2_new_statuses == "unknown"
        return (
            "UNKNOWN" if hides and name == "status" and text_of(token) in NEW_STATUSES else msgspec.Raw(token)
        )

    def _links(self, order: Order, relation: str) -> list[JsonObject]:
        children = self.platform.children_of(order.ref, relation)
        return [{"href": self.href(f"{RELATIONS[relation]}/{child.ref}")} for child in children]

    def _full(self, order: Order, relation: str) -> list[JsonObject]:
        return [self.child(child) for child in self.platform.children_of(order.ref, relation)]

    def _page_href(self, path: str, offset: int, limit: int, query: dict[str, str]) -> str:
        rest = "".join(f"&{name}={quote(value, safe='')}" for name, value in query.items())
        return self.href(f"{path}?offset={offset}&limit={limit}{rest}")

    def _paging_links(self, path: str, page: Page, query: dict[str, str], total: int) -> JsonObject:
        switches = self.platform.switches
        wanted = _PAGING[switches.v2_paging if self.version == "v2" else switches.v2_1_paging]
        offsets = {"first": 0, "last": max(total - 1, 0) // page.limit * page.limit}
        if page.offset + page.limit < total:
            offsets["next"] = page.offset + page.limit
        if page.offset > 0:
            offsets["previous"] = max(page.offset - page.limit, 0)
        links = {name: self._page_href(path, offset, page.limit, query) for name, offset in offsets.items()}
        return {name: {"href": links[name]} for name in wanted if name in links}
