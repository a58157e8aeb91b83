"""From the body of a request to a draft: what is demanded, refused, forgotten and kept (F§2, F§3)."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from proxy.emulator.kinds import FLIGHT_MEMBERS, ITEM, OLD_TYPES, Kind, check_of, required_of
from proxy.emulator.problems import Problem
from proxy.emulator.switches import Switches, Version
from proxy.emulator.tokens import NULL, TEXT, instant, members_of, text_of

_STAMPS = ("createdAt", "modifiedAt")
_Fate: TypeAlias = Literal["keep", "drop", "ignore", "refuse", "link"]
_LINKS: dict[str, _Fate] = {"honour": "link", "ignore": "ignore", "refuse": "refuse"}


@dataclass(frozen=True)
class Draft:
    """A resource as a request describes it: raw JSON tokens by member name, stamps that count, links."""

    members: Mapping[str, bytes] = field(repr=False)
    stamps: Mapping[str, datetime]
    links: Mapping[str, bytes] = field(default_factory=dict, repr=False)


def read_body(kind: Kind, version: Version, body: bytes, switches: Switches, *, required: bool) -> Draft:
    """The request body as a draft; Problem 400 with the first fault, missing members before wrong ones."""
    given = members_of(body)
    must = required_of(kind, version, switches)
    for name in must if required else ():
        if given.get(name, NULL) == NULL:
            raise Problem(400, f"{name}: may not be null.")
    nulls = "drop" if version == "v2" else switches.v2_1_nulls
    kept, links = {}, {}
    for name, token in given.items():
        if token == NULL and _known(kind, name):
            if nulls == "refuse" or name in must:
                raise Problem(400, f"{name}: must not be null.")
            if nulls == "drop":
                continue
        fate = _fate(kind, version, name, switches)
        if fate == "refuse":
            text = "must not be part of an order." if name in kind.nested else "is not a known field."
            raise Problem(400, f"{name}: {text}")
        if fate == "link":
            links[name] = token
        elif fate == "keep":
            kept[name] = _checked(kind, version, name, token, switches)
    honours = version == "v2.1" and switches.v2_1_stamps == "honour"
    return Draft(kept, _stamps(given) if honours else {}, links)


def _known(kind: Kind, name: str) -> bool:
    return name in {*kind.members, *_STAMPS, *kind.identity, *kind.links, *kind.nested}


def _fate(kind: Kind, version: Version, name: str, switches: Switches) -> _Fate:
    """What becomes of a member by its name alone."""
    older = version == "v2"
    fates: list[tuple[Container[str], _Fate]] = [
        (kind.nested, switches.v2_nested if older else switches.v2_1_nested),
        (kind.links, "link" if older else _LINKS[switches.v2_1_request_links]),
        (kind.identity, "refuse" if not older and switches.unknown_fields == "refuse" else "drop"),
        (_STAMPS, "drop"),
        (FLIGHT_MEMBERS if kind is ITEM else (), "keep" if older else switches.v2_1_flight_members),
        (("orderedAt",) if kind is ITEM else (), "keep" if older else switches.v2_1_item_ordered_at),
        (kind.members, "keep"),
    ]
    return next((fate for names, fate in fates if name in names), switches.unknown_fields)


def _checked(kind: Kind, version: Version, name: str, token: bytes, switches: Switches) -> bytes:
    """The token that is stored; a null that comes so far is wanted stored."""
    if name not in kind.members or token == NULL:
        return token
    holds, text = check_of(kind, version, name, switches) or TEXT
    if not holds(token):
        raise Problem(400, f"{name}: {text}")
    if kind is ITEM and name == "type" and version == "v2" and switches.v2_old_types == "modern":
        modern = OLD_TYPES.get(text_of(token) or "")
        return f'"{modern}"'.encode() if modern else token
    return token


def _stamps(given: Mapping[str, bytes]) -> dict[str, datetime]:
    stamps = {}
    for name in _STAMPS:
        token = given.get(name, NULL)
        if token != NULL:
            when = instant(token)
            if when is None:
                raise Problem(400, f"{name}: must be a date-time.")
            stamps[name] = when
    return stamps
