"""Data extensions of orders and items: flat pairs under a name, set apart by a key (F§3.7, F§6.15)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from proxy.emulator.platform import Platform
from proxy.emulator.problems import Problem
from proxy.emulator.records import Extension
from proxy.emulator.switches import Switches, Version
from proxy.emulator.tokens import NULL, members_of, text_of

DEFAULT = b'"default"'
ONLY_NAME = "ext"
"""The one name that v2.1 has for orders and items (F§3.0)."""
_MOST = 100
_RESERVED = frozenset({"name", "href", "ref", "key", "createdAt", "modifiedAt", "order", "orderItem"})


def read_pairs(version: Version, body: bytes, switches: Switches) -> tuple[bytes, dict[str, bytes]]:
    """The key and the pairs of a request; Problem 400 for what is not flat, too much or reserved."""
    given = members_of(body)
    key = DEFAULT
    if version == "v2":
        key = given.pop("key", NULL)
        if key == NULL:
            raise Problem(400, "key: may not be null.")
        if text_of(key) is None or (switches.v2_extension_key == "default" and key != DEFAULT):
            raise Problem(400, "key: must be default.")
    pairs = {}
    for name, token in given.items():
        if name in _RESERVED:
            if version == "v2.1" and switches.v2_1_extension_reserved == "refuse":
                raise Problem(400, f"{name}: is set by the server.")
            continue
        if version == "v2" and token == NULL:
            continue
        if version == "v2.1" and not re.fullmatch("[A-Za-z0-9]+", name):
            raise Problem(400, "The names of an extension are made of letters and digits.")
        if token[:1] in b"{[n":
            raise Problem(400, f"{name}: must be a string, a number or a boolean.")
        pairs[name] = token
    return key, _counted(pairs)


def of_owner(platform: Platform, owner: str, name: str | None = None) -> list[Extension]:
    """The extensions of an order or item, of one name or all, oldest first."""
    return [
        one
        for one in platform.extensions.values()
        if one.owner == owner and (name is None or one.name == name)
    ]


def find(platform: Platform, owner: str, name: str, ref: str | None = None) -> Extension:
    """The extension of this name (and ref); Problem 404."""
    for one in of_owner(platform, owner, name):
        if ref is None or one.ref == ref:
            return one
    raise Problem(404, "The resource was not found.", "The data extension was not found")


def create(platform: Platform, new: Extension) -> Extension:
    """Keep a new extension; Problem 409 where there is one of this name and key, or its pairs make room."""
    twin = next((one for one in of_owner(platform, new.owner, new.name) if one.key == new.key), None)
    if twin is None:
        return _keep(platform, replace(new, ref=next(platform.refs)))
    if platform.switches.extension_match == "refuse":
        raise Problem(409, "The resource already exists so it can't be created.")
    return written(platform, twin, new.members, new.modified_at)


def written(platform: Platform, old: Extension, pairs: Mapping[str, bytes], now: datetime) -> Extension:
    """The extension with these pairs and no others; Problem 400 above 100."""
    return _keep(platform, replace(old, members=_counted(pairs), modified_at=now))


def _keep(platform: Platform, extension: Extension) -> Extension:
    platform.extensions[extension.ref] = extension
    return extension


def _counted(pairs: Mapping[str, bytes]) -> dict[str, bytes]:
    if len(pairs) > _MOST:
        raise Problem(400, f"An extension holds at most {_MOST} pairs.")
    return dict(pairs)
