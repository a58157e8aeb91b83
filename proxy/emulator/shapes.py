"""How stored things look in each version: orders, what hangs on them, collections (F§2, F§3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias, assert_never

import msgspec

from proxy.emulator.kinds import (
    CHILDREN,
    CONSUMER,
    CONTACT,
    ITEM,
    ITEM_STATUSES,
    ITEM_TYPES,
    NEW_STATUSES,
    OLD_TYPES,
    ORDER,
    Kind,
    hidden_in_v2_1,
)
from proxy.emulator.pages import Page, expanded, page_href, paging_links
from proxy.emulator.platform import Platform
from proxy.emulator.records import Child, Extension, Order
from proxy.emulator.switches import Switches, Version
from proxy.emulator.tokens import instant, text_of

JsonObject = dict[str, Any]
Listed: TypeAlias = Order | Child | Extension


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
        related = {name: {"items": self._links(order, kind)} for name, kind in CHILDREN.items()}
        return self._order(order, "", related)

    def read(self, order: Order, expand: str | None = None, query: str = "") -> JsonObject:
        """The answer to a read of one. v2 links to the children and echoes an expanding query in `href`."""
        wanted = {name: page for name, page in expanded(expand).items() if name in CHILDREN}
        if self.version == "v2.1":
            return self._order(order, "", self._newer_related(order, expand, set(wanted)))
        related: JsonObject = {}
        for name, kind in CHILDREN.items():
            related[name] = {"href": self.href(f"orders/{order.ref}/{name}")}
            if name in wanted:
                page = wanted[name]
                items = self._full(order, kind)[page.part]
                related[name] |= {"offset": page.offset, "limit": page.limit, "items": items}
        return self._order(order, f"?{query}" if wanted else "", related)

    def read_child(self, child: Child) -> JsonObject:
        """The answer to a read of one; only a v2 consumer may look otherwise than when it was written."""
        body = self.child(child)
        odd = self.version == "v2" and self.platform.switches.v2_consumer_items == "href"
        if child.kind is CONSUMER and odd:
            body["orderItems"] = {"href": self.href(f"{CONSUMER.path}/{child.ref}/{ITEM.relation}")}
        return body

    def child(self, child: Child) -> JsonObject:
        """An item, contact or consumer in full."""
        ties: JsonObject = {}
        if child.guest:
            ties["guest"] = {"href": self.href(f"guests/{child.guest}")}
        if child.kind is CONSUMER:
            there = [ref for ref in child.items if ref in self.platform.children]
            ties["orderItems"] = {"items": [{"href": self.href(f"{ITEM.path}/{ref}")} for ref in there]}
        order = {"href": self.href(f"orders/{child.order_ref}")}
        head = self._head(child, self._path(child))
        return {**head, **self._members(child.kind, child.members), **ties, "order": order}

    def extension(self, extension: Extension) -> JsonObject:
        """A data extension; only v2.1 prints its name (F§3.7)."""
        word = "order" if extension.owner in self.platform.orders else "orderItem"
        body = {
            **self._head(extension, self._path(extension)),
            "key": msgspec.Raw(extension.key),
            **{name: msgspec.Raw(token) for name, token in extension.members.items()},
            word: {"href": self.href(self._owner_path(extension))},
        }
        return body if self.version == "v2" else {"name": extension.name, **body}

    def brief(self, thing: Listed) -> JsonObject:
        """A list item that is not expanded: v2 shows the link alone, v2.1 the ref too (F§3.2)."""
        link = {"href": self.href(self._path(thing))}
        return link if self.version == "v2" else {**link, "ref": thing.ref}

    def collection(
        self, path: str, things: Sequence[Listed], page: Page, query: Mapping[str, str], *, expand: bool
    ) -> JsonObject:
        """One page of things; its links print offset, limit, then the rest of the query (F§2.6)."""
        switches = self.platform.switches
        style = switches.v2_paging if self.version == "v2" else switches.v2_1_paging
        items = [(self._expanded(thing) if expand else self.brief(thing)) for thing in things[page.part]]
        links = paging_links(self.href(path), page, query, len(things), style)
        href = page_href(self.href(path), page.offset, page.limit, query)
        head: JsonObject = {"offset": page.offset, "limit": page.limit}
        if self.version == "v2":
            return {"href": href, **head, **links, "items": items}
        return {**head, **links, "href": href, "items": items}

    def time(self, when: datetime) -> str:
        """A time as this version prints it: v2 always with milliseconds (F§6.18)."""
        fine = self.version == "v2" or self.platform.switches.v2_1_timestamps == "milliseconds"
        return when.replace(tzinfo=None).isoformat(timespec="milliseconds" if fine else "seconds") + "Z"

    def _expanded(self, thing: Listed) -> JsonObject:
        match thing:
            case Order():
                return self.read(thing)
            case Child():
                return self.child(thing)
            case Extension():
                return self.extension(thing)
            case _:
                assert_never(thing)

    def _newer_related(self, order: Order, expand: str | None, names: set[str]) -> JsonObject:
        rule = self.platform.switches.v2_1_expand
        whole = set(CHILDREN) if expand == "true" and rule in {"flag", "both"} else set()
        full = whole | (names if rule in {"names", "both"} else set())
        return {
            name: {"items": self._full(order, kind) if name in full else self._links(order, kind)}
            for name, kind in CHILDREN.items()
        }

    def _order(self, order: Order, suffix: str, related: JsonObject) -> JsonObject:
        head = self._head(order, f"orders/{order.ref}{suffix}")
        return {**head, **self._members(ORDER, order.members), **related}

    def _head(self, thing: Listed, path: str) -> JsonObject:
        """What every resource begins with; each version has its own order (F§2.1, F§3.1)."""
        href = self.href(path)
        names = {"href": href, "ref": thing.ref} if self.version == "v2" else {"ref": thing.ref, "href": href}
        return {**names, "createdAt": self.time(thing.created_at), "modifiedAt": self.time(thing.modified_at)}

    def _members(self, kind: Kind, members: Mapping[str, bytes]) -> JsonObject:
        """The members that this version shows: those it knows in its own order, then all others."""
        hidden = hidden_in_v2_1(kind, self.platform.switches) if self.version == "v2.1" else frozenset()
        names = [name for name in kind.members if name in members and name not in hidden]
        names += [name for name in members if name not in kind.members]
        return {name: self._member(kind, name, members[name]) for name in names}

    def _member(self, kind: Kind, name: str, token: bytes) -> str | msgspec.Raw:
        when = instant(token) if name == "orderedAt" else None
        if when is not None:
            return self.time(when)
        sentinel = _sentinel(kind, name, token, self.platform.switches) if self.version == "v2" else None
        return sentinel or msgspec.Raw(token)

    def _path(self, thing: Listed) -> str:
        """Where a thing lives, below the version."""
        match thing:
            case Order():
                return f"orders/{thing.ref}"
            case Child():
                return f"{thing.kind.path}/{thing.ref}"
            case Extension() if self.version == "v2.1":
                return f"{self._owner_path(thing)}/extensions/{thing.name}"
            case Extension():
                last = f"/{thing.ref}" if self.platform.switches.v2_extension == "by-ref" else ""
                return f"{self._owner_path(thing)}/ext{thing.name}{last}"
            case _:
                assert_never(thing)

    def _owner_path(self, extension: Extension) -> str:
        path = "orders" if extension.owner in self.platform.orders else ITEM.path
        return f"{path}/{extension.owner}"

    def _links(self, order: Order, kind: Kind) -> list[JsonObject]:
        children = self.platform.children_of(order.ref, kind)
        odd = self.version == "v2.1" and self.platform.switches.v2_1_order_contacts == "guests"
        if kind is CONTACT and odd:
            return [{"href": self.href(f"guests/{child.guest}")} for child in children]
        return [{"href": self.href(f"{kind.path}/{child.ref}")} for child in children]

    def _full(self, order: Order, kind: Kind) -> list[JsonObject]:
        return [self.child(child) for child in self.platform.children_of(order.ref, kind)]


def _sentinel(kind: Kind, name: str, token: bytes, switches: Switches) -> str | None:
    """The word that v2 prints for one that it does not know; None to print the token."""
    text = text_of(token)
    if kind is ORDER and name == "status" and text in NEW_STATUSES:
        return "UNKNOWN" if switches.v2_new_statuses == "unknown" else None
    if kind is ITEM and switches.v2_foreign_words == "sentinel":
        if name == "type" and text not in ITEM_TYPES | set(OLD_TYPES):
            return "OTHER"
        if name == "status" and text not in ITEM_STATUSES:
            return "UNKNOWN"
    return None
