"""The order's members: which there are, which each version demands, what each may hold (F§2.1, F§3.1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

import msgspec

from proxy.emulator.problems import Problem
from proxy.emulator.switches import Switches, Version

ORDER_MEMBERS = (
    "orderedAt",
    "currencyCode",
    "price",
    "referenceId",
    "paymentType",
    "cardType",
    "pointOfSale",
    "channel",
    "status",
)
"""The scalar members in the order in which both versions print them."""
RELATIONS = {"contacts": "orderContacts", "consumers": "orderConsumers", "orderItems": "orderItems"}
"""What hangs on an order, and the path under which each single one lives."""
REQUIRED: dict[Version, tuple[str, ...]] = {
    "v2": ("pointOfSale", "currencyCode", "price", "orderedAt", "referenceId"),
    "v2.1": ("currencyCode", "orderedAt", "price", "referenceId"),
}
_STAFFED = {"AIRPORT_KIOSK", "BRANCH", "CALL_CENTER", "GDS", "KIOSK", "OFFLINE", "OTA", "OTHER"}
CHANNELS = frozenset({*_STAFFED, "MOBILE_APP", "MOBILE_WEB", "WEB"})
NEW_STATUSES = frozenset({"BROWSED", "SEARCHED"})
_OPEN_STATUSES = {"RESERVED", "PAYMENT_PENDING", "PENDING", "PURCHASED", "CONFIRMED", "PARTIALY_CONFIRMED"}
_ENDED_STATUSES = {"DECLINED", "CANCELLED", "REFUNDED", "PARTIALY_REFUNDED", "UNKNOWN"}
V2_STATUSES = frozenset(_OPEN_STATUSES | _ENDED_STATUSES)
STATUSES: dict[Version, frozenset[str]] = {"v2": V2_STATUSES, "v2.1": V2_STATUSES | NEW_STATUSES}

_STAMPS = ("createdAt", "modifiedAt")
_IDENTITY = ("href", "ref")
_NESTED = ("contact", *RELATIONS)
_OURS = {*ORDER_MEMBERS, *_STAMPS, *_IDENTITY, *_NESTED}
_NULL = b"null"


@dataclass(frozen=True)
class Draft:
    """An order as a request describes it: raw JSON tokens by member name, and stamps that count."""

    members: Mapping[str, bytes]
    stamps: Mapping[str, datetime]


def text_of(token: bytes) -> str | None:
    """The text of a JSON string token, None for any other token."""
    try:
        return msgspec.json.decode(token, type=str)
    except msgspec.DecodeError:
        return None


def instant(token: bytes) -> datetime | None:
    """The UTC time in a JSON string token, None when it is no date-time; no zone means UTC."""
    text = text_of(token) or ""
    try:
        when = datetime.fromisoformat(text) if "T" in text else None
        return when and (when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def read_order(version: Version, body: bytes, switches: Switches, *, required: bool) -> Draft:
    """The request body as a draft; Problem 400 with the first fault, missing members before wrong ones."""
    given = _members(body)
    if required:
        _demand(version, given, switches)
    nulls = "drop" if version == "v2" else switches.v2_1_nulls
    kept = {}
    for name, token in given.items():
        known = name in _OURS
        if known and token == _NULL:
            if nulls == "refuse" or name in REQUIRED["v2.1"]:
                raise Problem(400, f"{name}: must not be null.")
            if nulls == "drop":
                continue
        _check(version, name, token, switches)
        if name in ORDER_MEMBERS or (not known and switches.unknown_fields == "keep"):
            kept[name] = token
    honours = version == "v2.1" and switches.v2_1_stamps == "honour"
    return Draft(kept, _stamps(given) if honours else {})


def _members(body: bytes) -> dict[str, bytes]:
    try:
        body.decode()
        return {
            name: bytes(raw) for name, raw in msgspec.json.decode(body, type=dict[str, msgspec.Raw]).items()
        }
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        raise Problem(400, "The request body is not a JSON object that can be read.") from error


def _demand(version: Version, given: Mapping[str, bytes], switches: Switches) -> None:
    for name in REQUIRED[version]:
        waived = name == "pointOfSale" and switches.v2_point_of_sale == "accept"
        if given.get(name, _NULL) == _NULL and not waived:
            raise Problem(400, f"{name}: may not be null.")


def _stamps(given: Mapping[str, bytes]) -> dict[str, datetime]:
    stamps = {}
    for name in _STAMPS:
        token = given.get(name, _NULL)
        if token != _NULL:
            when = instant(token)
            if when is None:
                raise Problem(400, f"{name}: must be a date-time.")
            stamps[name] = when
    return stamps


_Check: TypeAlias = tuple[Callable[[bytes], bool], str]
_TEXT: _Check = (lambda token: text_of(token) is not None, "must be a string.")
_CHECKS: dict[str, _Check] = {
    "orderedAt": (lambda token: instant(token) is not None, "must be a date-time."),
    "currencyCode": (
        lambda token: re.fullmatch("[A-Z]{3}", text_of(token) or "") is not None,
        "must be three upper-case letters.",
    ),
    "price": (lambda token: token[:1] in b"-0123456789", "must be a number."),
    "channel": (lambda token: text_of(token) in CHANNELS, "must be one of the channels."),
}


def _check(version: Version, name: str, token: bytes, switches: Switches) -> None:
    """Whether the version takes this member with this value; a null that comes so far is wanted stored."""
    nested = switches.v2_nested if version == "v2" else switches.v2_1_nested
    if name in _NESTED and nested == "refuse":
        raise Problem(400, f"{name}: must not be part of an order.")
    strange = name not in _OURS or (version == "v2.1" and name in _IDENTITY)
    if strange and switches.unknown_fields == "refuse":
        raise Problem(400, f"{name}: is not a known field.")
    if name not in ORDER_MEMBERS or token == _NULL:
        return
    if name == "status":
        holds, text = text_of(token) in STATUSES[version], "must be one of the statuses."
    else:
        test, text = _CHECKS.get(name, _TEXT)
        holds = test(token)
    if not holds:
        raise Problem(400, f"{name}: {text}")
