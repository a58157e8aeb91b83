"""What the store holds: raw JSON tokens by member name, so that numbers keep their spelling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from proxy.emulator.bodies import Draft
from proxy.emulator.kinds import Kind
from proxy.emulator.tokens import instant, text_of


@dataclass(frozen=True)
class Order:
    """One stored order; `guests` are those whom the call that made it named."""

    ref: str
    created_at: datetime
    modified_at: datetime
    members: Mapping[str, bytes] = field(repr=False)
    guests: frozenset[str] = frozenset()

    @property
    def reference_id(self) -> str:
        """The organisation's own id; recycled, so never enough to name an order (F§6.4)."""
        return text_of(self.members["referenceId"]) or ""

    @property
    def ordered_at(self) -> datetime:
        """When the order was made."""
        return instant(self.members["orderedAt"]) or self.created_at


@dataclass(frozen=True)
class Child:
    """An item, contact or consumer of an order; `guest` and `items` are the refs that a person is tied to."""

    ref: str
    created_at: datetime
    modified_at: datetime
    members: Mapping[str, bytes] = field(repr=False)
    kind: Kind
    order_ref: str
    guest: str = field(default="", repr=False)
    items: tuple[str, ...] = ()


@dataclass(frozen=True)
class Extension:
    """Flat pairs that extend the order or item named `owner`; `name` is `ext` for all that v2.1 can see."""

    ref: str
    created_at: datetime
    modified_at: datetime
    members: Mapping[str, bytes] = field(repr=False)
    owner: str
    name: str
    key: bytes


Thing = TypeVar("Thing", Order, Child)


def stamped(thing: Thing, draft: Draft) -> Thing:
    """The thing with the stamps that a request may set (F§3.1)."""
    created, modified = draft.stamps.get("createdAt"), draft.stamps.get("modifiedAt")
    return replace(thing, created_at=created or thing.created_at, modified_at=modified or thing.modified_at)
