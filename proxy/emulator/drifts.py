"""Answers that differ from the documentation: what can happen to one, and when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

JsonObject: TypeAlias = dict[str, Any]
Drift: TypeAlias = tuple[Callable[[int, JsonObject], bool], Callable[[JsonObject], JsonObject]]


def drifted(status: int, body: JsonObject, which: float, way: str = "") -> JsonObject:
    """The body with one applicable drift (`which` from 0 up to 1 picks it), or as it was when none applies.

    `way` names the one that may happen; empty for any.
    """
    ways = [change for name, (test, change) in DRIFTS.items() if way in {"", name} and test(status, body)]
    return ways[int(which * len(ways))](body) if ways else body


def _drops(name: str, *beside: str) -> Drift:
    """Leaves a member out, where those beside it show what kind of body it is."""
    return (
        lambda status, body: status < 300 and all(one in body for one in (name, *beside)),
        lambda body: {key: value for key, value in body.items() if key != name},
    )


def _respells(name: str, change: Callable[[bytes], bytes], *beside: str) -> Drift:
    """Prints a member's token in another way."""
    return (
        lambda status, body: (
            status < 300 and _token(body, name) is not None and all(one in body for one in beside)
        ),
        lambda body: body | {name: msgspec.Raw(change(_token(body, name) or b""))},
    )


def _token(body: JsonObject, name: str) -> bytes | None:
    """The token of a member that has one and is not null."""
    value = body.get(name)
    return bytes(value) if isinstance(value, msgspec.Raw) and bytes(value) != b"null" else None


def _quoted(token: bytes) -> bytes:
    return b'"' + token + b'"'


def _first_number(body: JsonObject) -> str | None:
    return next((name for name in body if (_token(body, name) or b"n")[:1] in b"-0123456789"), None)


def _with_number_as_text(body: JsonObject) -> JsonObject:
    name = _first_number(body) or ""
    return body | {name: msgspec.Raw(_quoted(_token(body, name) or b""))}


DRIFTS: dict[str, Drift] = {
    "drops cardType": _drops("cardType"),
    "prints price as text": _respells("price", _quoted),
    "prints channel in lower case": _respells("channel", bytes.lower),
    "adds an unknown member": (
        lambda status, body: status < 300 and "referenceId" in body,
        lambda body: body | {"loyaltyTier": "gold"},
    ),
    "prints an error's status as text": (
        lambda status, body: status == 400 and "status" in body,
        lambda body: body | {"status": "BAD_REQUEST"},
    ),
    "drops an item's status": _drops("status", "type"),
    "prints an item's type in lower case": _respells("type", bytes.lower, "price"),
    "prints an item's quantity as text": _respells("quantity", _quoted, "type"),
    "drops lastName": _drops("lastName"),
    "prints gender in upper case": _respells("gender", bytes.upper),
    "drops an extension's key": _drops("key", "createdAt"),
    "prints an extension's number as text": (
        lambda status, body: (
            status < 300 and {"key", "createdAt"} <= set(body) and _first_number(body) is not None
        ),
        _with_number_as_text,
    ),
}
"""Each drift: when it can happen, and what it does."""
