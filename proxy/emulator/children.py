"""Items, contacts and consumers in the store: made, changed and tied to guests and items."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from proxy.emulator.bodies import Draft
from proxy.emulator.kinds import CONSUMER, CONTACT, ITEM, Kind, hidden_in_v2_1, required_of
from proxy.emulator.links import Linking
from proxy.emulator.platform import Platform
from proxy.emulator.problems import Problem
from proxy.emulator.records import Child, Order, stamped
from proxy.emulator.tokens import identifiers_in, instant


@dataclass(frozen=True)
class Change:
    """What a request wants written, how its links are read, and the time."""

    draft: Draft
    linking: Linking
    now: datetime


def create(platform: Platform, kind: Kind, order: Order, change: Change) -> Child:
    """Hang a new one on an order. Problem 400 for a link or a date that cannot be."""
    blank = Child("", change.now, change.now, {}, kind, order.ref)
    tied = _tied(platform, blank, change)
    child = replace(tied, ref=next(platform.refs), members=change.draft.members)
    if kind is not ITEM and not child.guest:
        child = replace(child, guest=_guest_of(child))
    return _keep(platform, stamped(child, change.draft))


def replaced(platform: Platform, child: Child, change: Change) -> Child:
    """The v2 update: all members anew, and a consumer's items with them (F§6.5); the guest stays unless named."""
    tied = _tied(platform, replace(child, items=()), change)
    return _keep(platform, replace(tied, members=change.draft.members, modified_at=change.now))


def put(platform: Platform, child: Child, change: Change) -> Child:
    """The v2.1 PUT; what v2.1 cannot name stays as it was."""
    if platform.switches.v2_1_put_omitted == "keep":
        return patched(platform, child, change)
    must = required_of(child.kind, "v2.1", platform.switches)
    stays = {*must, *hidden_in_v2_1(child.kind, platform.switches)}
    old = {name: token for name, token in child.members.items() if name in stays}
    blank = replace(child, items=()) if platform.switches.v2_1_request_links == "honour" else child
    tied = _tied(platform, blank, change)
    return _changed(platform, tied, old, change)


def patched(platform: Platform, child: Child, change: Change) -> Child:
    """The v2.1 PATCH: what is named changes, all else stays."""
    tied = _tied(platform, child, change)
    return _changed(platform, tied, child.members, change)


def _changed(platform: Platform, child: Child, old: Mapping[str, bytes], change: Change) -> Child:
    new = replace(child, members={**old, **change.draft.members}, modified_at=change.now)
    return _keep(platform, stamped(new, change.draft))


def _keep(platform: Platform, child: Child) -> Child:
    platform.children[child.ref] = child
    return child


def _tied(platform: Platform, child: Child, change: Change) -> Child:
    newer = change.linking.version == "v2.1" and child.kind in (CONTACT, CONSUMER)
    born = instant(change.draft.members.get("dateOfBirth", b'""')) if newer else None
    if born is not None and born >= change.now:
        raise Problem(400, "dateOfBirth: must be in the past.")
    if "guest" in change.draft.links:
        child = replace(child, guest=change.linking.one("guest", "guests", change.draft.links["guest"]))
    if "orderItems" in change.draft.links:
        refs = change.linking.many("orderItems", ITEM.path, change.draft.links["orderItems"])
        known = {item.ref for item in platform.children_of(child.order_ref, ITEM)}
        for index, ref in enumerate(refs):
            if ref not in known:
                raise Problem(400, f"orderItems.items[{index}].href: must be an item of the same order.")
        child = replace(child, items=refs)
    return child


def _guest_of(child: Child) -> str:
    """Whom a person without a link turns out to be: the same for the same first identifier (F§3.5)."""
    known = identifiers_in(child.members.get("identifiers", b"[]"))
    return str(uuid.uuid5(uuid.NAMESPACE_OID, known[0] if known else child.ref))
