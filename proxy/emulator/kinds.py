"""What is kept: orders, and the items, contacts and consumers that hang on one; their members and checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from proxy.emulator.switches import Switches, Version
from proxy.emulator.tokens import (
    CURRENCY,
    IDENTIFIERS,
    INSTANT,
    LANGUAGE,
    NAME,
    NUMBER,
    OBJECTS,
    TEXTS,
    WHOLE,
    Check,
    one_of,
    text_of,
)

_STAFFED = {"AIRPORT_KIOSK", "BRANCH", "CALL_CENTER", "GDS", "KIOSK", "OFFLINE", "OTA", "OTHER"}
CHANNELS = frozenset({*_STAFFED, "MOBILE_APP", "MOBILE_WEB", "WEB"})
NEW_STATUSES = frozenset({"BROWSED", "SEARCHED"})
_OPEN_STATUSES = {"RESERVED", "PAYMENT_PENDING", "PENDING", "PURCHASED", "CONFIRMED", "PARTIALY_CONFIRMED"}
_ENDED_STATUSES = {"DECLINED", "CANCELLED", "REFUNDED", "PARTIALY_REFUNDED", "UNKNOWN"}
_V2_STATUSES = frozenset(_OPEN_STATUSES | _ENDED_STATUSES)
ITEM_STATUSES = _V2_STATUSES - {"PAYMENT_PENDING", "PARTIALY_CONFIRMED", "PARTIALY_REFUNDED"}
"""What an item's status can be in v2 (F§2.3); v2.1 takes any text (F§3.4)."""
OLD_TYPES = {
    "BAGGAGE": "BAG",
    "FEES": "FEE",
    "SEAT_UPGRADES": "SEAT_UPGRADE",
    "INFLIGHT_VOUCHERS": "INFLIGHT_VOUCHER",
}
"""Deprecated item types that v2 still takes, and what they are called since (F§2.3)."""
_TRAVEL = "FLIGHT HOTEL CAR TAXI PARKING TRANSPORT TRANSFER PACKAGE ACTIVITY INSURANCE"
_ON_BOARD = "SEAT SEAT_UPGRADE UPGRADE MEAL INFLIGHT_ENTERTAINMENT INFLIGHT_VOUCHER COMFORT_PACK CAR_SEAT BAG"
_EXTRAS = "HOTEL_WIFI HOTEL_BREAKFAST LOUNGE_ACCESS SMS_ITINERARY SPECIAL_ASSISTANCE PAID_SUBSCRIPTION"
_MONEY = "FEE CARBON_OFFSET CHARITY_DONATION OTHER"
ITEM_TYPES = frozenset(f"{_TRAVEL} {_ON_BOARD} {_EXTRAS} {_MONEY}".split())
"""The 29 item types of v2 (F§2.3)."""
BANNED_TYPES = frozenset(
    {"FLIGHT", "HOTEL", "MORTGAGE", "MORTGAGE_APPLICATION", "LOAN_APPLICATION", "PERSONAL_LOAN", "RAIL"}
)
"""What an item's type must not be in v2.1 (F§1.1)."""
FLIGHT_MEMBERS = frozenset({"passengerTypeCode", "flightSegments"})
"""Members of an item that v2.1 has no place for but the extension (F§3.4, F§6.14)."""

_GENDER = one_of({"male", "female", "unknown"}, "must be male, female or unknown.")
_PERSON = {
    "gender": _GENDER,
    "dateOfBirth": INSTANT,
    "emails": TEXTS,
    "phoneNumbers": TEXTS,
    "street": TEXTS,
    "passportExpiry": INSTANT,
    "identifiers": IDENTIFIERS,
}
_PERSON_MEMBERS = (
    *("title", "firstName", "lastName", "gender", "dateOfBirth", "emails", "phoneNumbers", "nationality"),
    *("passportNumber", "passportExpiry", "identifiers", "street", "city", "state", "country"),
)


@dataclass(frozen=True, eq=False)
class Kind:
    """One kind of resource: `relation` under its order, `path` where a single one lives.

    `members` stand as they are printed; `checks` are those beside "must be a string"; `links` are members of a
    request that name other resources; `nested` are whole resources that do not belong inside.
    """

    relation: str
    path: str
    word: str
    members: tuple[str, ...]
    required: Mapping[Version, tuple[str, ...]]
    checks: Mapping[str, Check] = field(repr=False)
    links: frozenset[str] = frozenset()
    nested: frozenset[str] = frozenset()

    @property
    def identity(self) -> frozenset[str]:
        """Members that only answers have."""
        return frozenset({"href", "ref"} if self is ORDER else {"href", "ref", "order"})


ORDER = Kind(
    relation="orders",
    path="orders",
    word="Order",
    members=(
        *("orderedAt", "currencyCode", "price", "referenceId", "paymentType", "cardType", "pointOfSale"),
        *("channel", "status"),
    ),
    required={
        "v2": ("pointOfSale", "currencyCode", "price", "orderedAt", "referenceId"),
        "v2.1": ("currencyCode", "orderedAt", "price", "referenceId"),
    },
    checks={
        "orderedAt": INSTANT,
        "currencyCode": CURRENCY,
        "price": NUMBER,
        "channel": one_of(CHANNELS, "must be one of the channels."),
    },
    nested=frozenset({"contact", "contacts", "consumers", "orderItems"}),
)
ITEM = Kind(
    relation="orderItems",
    path="orderItems",
    word="Order item",
    members=(
        *("orderedAt", "type", "status", "name", "description", "referenceId", "productId", "vendor"),
        *(
            "channel",
            "language",
            "currencyCode",
            "price",
            "originalCurrencyCode",
            "originalPrice",
            "quantity",
        ),
        *("passengerTypeCode", "flightSegments"),
    ),
    required={
        "v2": ("currencyCode", "price", "status", "type", "productId", "referenceId"),
        "v2.1": ("currencyCode", "name", "price", "status", "type"),
    },
    checks={
        "orderedAt": INSTANT,
        "name": NAME,
        "language": LANGUAGE,
        "currencyCode": CURRENCY,
        "originalCurrencyCode": CURRENCY,
        "price": NUMBER,
        "originalPrice": NUMBER,
        "quantity": NUMBER,
        "flightSegments": OBJECTS,
    },
)
CONTACT = Kind(
    relation="contacts",
    path="orderContacts",
    word="Order contact",
    members=_PERSON_MEMBERS,
    required={"v2": ("firstName", "lastName"), "v2.1": ()},
    checks=_PERSON,
    links=frozenset({"guest"}),
)
CONSUMER = Kind(
    relation="consumers",
    path="orderConsumers",
    word="Order consumer",
    members=_PERSON_MEMBERS,
    required={"v2": ("firstName", "lastName"), "v2.1": ()},
    checks=_PERSON,
    links=frozenset({"guest", "orderItems"}),
)
CHILDREN = {kind.relation: kind for kind in (CONTACT, CONSUMER, ITEM)}
"""What hangs on an order, by the name under which an order shows it and in that order."""
BY_PATH = {kind.path: kind for kind in CHILDREN.values()}
_WAIVED = {"firstName": ("firstName",), "both": ("firstName", "lastName"), "none": ()}


def required_of(kind: Kind, version: Version, switches: Switches) -> tuple[str, ...]:
    """The members that this version demands, as the switches have it."""
    names = kind.required[version]
    if version == "v2.1" and kind in (CONTACT, CONSUMER):
        return _WAIVED[switches.v2_1_person_required]
    if switches.v2_point_of_sale == "accept":
        return tuple(name for name in names if name != "pointOfSale")
    return names


def hidden_in_v2_1(kind: Kind, switches: Switches) -> frozenset[str]:
    """Members that v2.1 neither shows nor takes (F§3.4)."""
    if kind is not ITEM:
        return frozenset()
    late = {"orderedAt"} if switches.v2_1_item_ordered_at != "keep" else set()
    return frozenset(late | (FLIGHT_MEMBERS if switches.v2_1_flight_members != "keep" else set()))


def check_of(kind: Kind, version: Version, name: str, switches: Switches) -> Check | None:
    """How this version looks at a member, None for nothing but that it is a string."""
    if kind is ORDER and name == "status":
        words = _V2_STATUSES if version == "v2" else _V2_STATUSES | NEW_STATUSES
        return one_of(words, "must be one of the statuses.")
    if kind is ITEM and version == "v2":
        closed = {"type": ITEM_TYPES | set(OLD_TYPES), "status": ITEM_STATUSES}
        return (
            one_of(closed[name], f"must be one of the {name} values.")
            if name in closed
            else kind.checks.get(name)
        )
    if kind is ITEM and name == "type":
        return _type_check(switches)
    if kind is ITEM and name == "quantity" and switches.v2_1_quantity == "integer":
        return WHOLE
    return kind.checks.get(name)


def _type_check(switches: Switches) -> Check:
    folded = switches.v2_1_banned_types == "any-case"
    banned = frozenset() if switches.v2_1_banned_types == "accept" else BANNED_TYPES

    def good(token: bytes) -> bool:
        text = text_of(token)
        return text is not None and (text.upper() if folded else text) not in banned

    return good, "must be a string that is not reserved."
