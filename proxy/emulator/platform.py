"""The store and its rules: one set of orders, written and read through both versions. No HTTP."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from proxy.emulator.bodies import Draft
from proxy.emulator.kinds import CONTACT, ORDER, Kind
from proxy.emulator.problems import Problem
from proxy.emulator.records import Child, Extension, Order, stamped
from proxy.emulator.switches import Switches, Version
from proxy.emulator.tokens import instant

Clock: TypeAlias = Callable[[], datetime]
"""Gives the present time, zone UTC."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def utc_now() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


def random_refs() -> Iterator[str]:
    """Fresh UUIDs without end."""
    return (str(uuid.uuid4()) for _ in itertools.count())


@dataclass
class Platform:
    """The platform behind both versions; raises Problem where a caller would get an error answer.

    `clock` and `refs` are all that changes from run to run: with both given, two runs agree in every byte.
    """

    switches: Switches = field(default_factory=Switches)
    clock: Clock = utc_now
    refs: Iterator[str] = field(default_factory=random_refs)
    orders: dict[str, Order] = field(default_factory=dict)
    children: dict[str, Child] = field(default_factory=dict)
    extensions: dict[str, Extension] = field(default_factory=dict)

    def get(self, ref: str) -> Order:
        """The order named `ref`, exactly as spelled; Problem 404."""
        if ref not in self.orders:
            raise Problem(404, "The resource was not found.", f"Order with ref {ref} was not found")
        return self.orders[ref]

    def find(self, reference_id: str | None, guest: str | None) -> list[Order]:
        """Orders that fit every filter given, oldest first; a guest is one whom a contact links (F§2.4)."""
        linked = {c.order_ref for c in self.children.values() if c.kind is CONTACT and c.guest == guest}
        return [
            order
            for order in self.orders.values()
            if (reference_id is None or order.reference_id == reference_id)
            and (guest is None or guest in order.guests or order.ref in linked)
        ]

    def create(
        self, version: Version, draft: Draft, *, now: datetime, client: str, guest: str | None
    ) -> Order:
        """Store a new order; what a matching one leads to is F§6.3. Problem 409."""
        match = self._match(draft)
        policy = self.switches.v2_match if version == "v2" else "refuse"
        if match is not None and policy == "refuse":
            text = _conflict_text(match, draft, client)
            raise Problem(409, "The resource already exists so it can't be created.", text)
        if match is not None and policy == "update":
            order = self._written(match, draft, now)
        else:
            order = Order(next(self.refs), now, now, draft.members)
        order = stamped(order, draft)
        return self._keep(replace(order, guests=order.guests | {guest}) if guest else order)

    def replace(self, ref: str, draft: Draft, *, now: datetime) -> Order:
        """The v2 update: the whole order anew; `createdAt`, guests and children stay (F§6.5)."""
        return self._keep(self._written(self.get(ref), draft, now))

    def put(self, ref: str, draft: Draft, *, now: datetime) -> Order:
        """The v2.1 PUT; `referenceId` and `orderedAt` are frozen (F§3.3). Problem 400, 404."""
        old = self.get(ref)
        keeps = ORDER.required["v2.1"] if self.switches.v2_1_put_omitted == "remove" else tuple(old.members)
        kept = {name: old.members[name] for name in keeps if name in old.members}
        new = self._update(old, replace(draft, members=kept | dict(draft.members)), now)
        if self.switches.v2_1_put_children == "remove":
            self.bare(ref)
        return new

    def patch(self, ref: str, draft: Draft, *, now: datetime) -> Order:
        """The v2.1 PATCH: named members change, all others stay. Problem 400, 404."""
        old = self.get(ref)
        return self._update(old, replace(draft, members=dict(old.members) | dict(draft.members)), now)

    def clear(self) -> None:
        """Forget everything that was ever stored."""
        for held in (self.orders, self.children, self.extensions):
            held.clear()

    def delete(self, ref: str) -> None:
        """The order and all that hangs on it go for good. Problem 404."""
        del self.orders[self.get(ref).ref]
        self.bare(ref)
        self._forget(ref)

    def bare(self, ref: str) -> None:
        """The items, contacts and consumers of an order go for good."""
        for child in [child for child in self.children.values() if child.order_ref == ref]:
            self.drop(child)

    def drop(self, child: Child) -> None:
        """An item, contact or consumer goes for good, and with it what extends it."""
        del self.children[child.ref]
        self._forget(child.ref)

    def child(self, kind: Kind, ref: str) -> Child:
        """The item, contact or consumer named `ref`; Problem 404."""
        child = self.children.get(ref)
        if child is None or child.kind is not kind:
            text = f"{kind.word} with ref {ref} was not found"
            raise Problem(404, "The resource was not found.", text)
        return child

    def children_of(self, ref: str, kind: Kind) -> list[Child]:
        """What hangs on an order, of one kind, oldest first."""
        return [c for c in self.children.values() if c.order_ref == ref and c.kind is kind]

    def _forget(self, owner: str) -> None:
        self.extensions = {key: one for key, one in self.extensions.items() if one.owner != owner}

    def _keep(self, order: Order) -> Order:
        self.orders[order.ref] = order
        return order

    def _written(self, old: Order, draft: Draft, now: datetime) -> Order:
        return replace(old, modified_at=now, members=draft.members)

    def _update(self, old: Order, draft: Draft, now: datetime) -> Order:
        new = stamped(self._written(old, draft, now), draft)
        if self.switches.v2_1_frozen == "accept":
            return self._keep(new)
        moved = {
            "referenceId": new.reference_id != old.reference_id,
            "orderedAt": new.ordered_at.replace(microsecond=0) != old.ordered_at.replace(microsecond=0),
        }
        if self.switches.v2_1_frozen == "refuse":
            for name, changed in moved.items():
                if changed:
                    raise Problem(400, f"{name}: may not be changed.")
        return self._keep(
            replace(new, members={**new.members, **{name: old.members[name] for name in moved}})
        )

    def _match(self, draft: Draft) -> Order | None:
        probe = Order("", datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC), draft.members)
        near = [
            order
            for order in self.find(probe.reference_id, None)
            if _within(self.switches.match_window, order.ordered_at, probe.ordered_at)
        ]
        return min(near, key=lambda order: abs(order.ordered_at - probe.ordered_at), default=None)


def _within(window: str, one: datetime, other: datetime) -> bool:
    apart = one.date() - other.date() if window == "calendar" else one - other
    return window != "off" and abs(apart) <= timedelta(days=2)


def _conflict_text(match: Order, draft: Draft, client: str) -> str:
    """The developer's text of a 409: reference, date as Java prints one, client key (F§3.8)."""
    when = instant(draft.members["orderedAt"]) or match.ordered_at
    java = f"{_DAYS[when.weekday()]} {_MONTHS[when.month - 1]} {when:%d %H:%M:%S} UTC {when.year}"
    return f"Order with ref {match.reference_id} and orderedAt {java} for client key {client} already exist"
