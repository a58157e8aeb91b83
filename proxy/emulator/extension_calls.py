"""Calls to data extensions: v2's, of which only the existence is documented (F§2.0), and v2.1's (F§3.7)."""

from __future__ import annotations

import re

from proxy.emulator import extensions
from proxy.emulator.asked import Asked, Methods, Said, collection
from proxy.emulator.kinds import ITEM
from proxy.emulator.platform import Platform
from proxy.emulator.problems import Problem
from proxy.emulator.records import Extension
from proxy.emulator.shapes import View
from proxy.emulator.switches import Switches

_V2_NAME = re.compile("ext(ext[0-9]?|[A-Z][A-Za-z0-9]*)")


def v2_methods(segments: tuple[str, ...], switches: Switches) -> Methods | None:
    """What v2 answers below `/orders/{ref}/ext{Name}`; None where there is nothing."""
    if switches.v2_extension == "none" or not _V2_NAME.fullmatch(segments[2]):
        return None
    single: Methods = {"GET": _get, "POST": _old_update, "DELETE": _old_delete}
    match len(segments), switches.v2_extension:
        case 3, "by-ref":
            return {"GET": _list, "POST": _create}
        case 3, _:
            return {**single, "POST": _old_write}
        case 4, "by-ref":
            return single
        case _:
            return None


def v2_1_methods(segments: tuple[str, ...]) -> Methods | None:
    """What v2.1 answers below `/{orders,orderItems}/{ref}/extensions`; None where there is nothing."""
    match segments[3:]:
        case ():
            return {"GET": _list}
        case (_,):
            return {"GET": _get, "POST": _create, "PUT": _put, "PATCH": _patch, "DELETE": _delete}
        case (_, "fields"):
            return {"DELETE": _delete_fields}
        case _:
            return None


def _list(platform: Platform, view: View, asked: Asked) -> Said:
    name = extensions.ONLY_NAME if asked.version == "v2.1" else _name(asked)
    found = extensions.of_owner(platform, _owner(platform, asked), name)
    return collection(view, "/".join(asked.segments), found, asked, {})


def _create(platform: Platform, view: View, asked: Asked) -> Said:
    name, owner = _name(asked), _owner(platform, asked)
    key, pairs = extensions.read_pairs(asked.version, asked.json(platform.switches), platform.switches)
    new = Extension("", asked.now, asked.now, pairs, owner, name, key)
    return Said(201, view.extension(extensions.create(platform, new)))


def _get(platform: Platform, view: View, asked: Asked) -> Said:
    return Said(200, view.extension(_found(platform, asked)))


def _put(platform: Platform, view: View, asked: Asked) -> Said:
    return _update(platform, view, asked, merge=False)


def _patch(platform: Platform, view: View, asked: Asked) -> Said:
    return _update(platform, view, asked, merge=True)


def _update(platform: Platform, view: View, asked: Asked, *, merge: bool) -> Said:
    name, owner = _name(asked), _owner(platform, asked)
    absent = not extensions.of_owner(platform, owner, name)
    if absent and platform.switches.v2_1_extension_missing == "create":
        return _create(platform, view, asked)
    old = _found(platform, asked)
    _, pairs = extensions.read_pairs("v2.1", asked.json(platform.switches), platform.switches)
    kept = {**old.members, **pairs} if merge else pairs
    return Said(200, view.extension(extensions.written(platform, old, kept, asked.now)))


def _delete(platform: Platform, _view: View, asked: Asked) -> Said:
    del platform.extensions[_found(platform, asked).ref]
    return Said(platform.switches.v2_1_delete_status)


def _delete_fields(platform: Platform, view: View, asked: Asked) -> Said:
    """The named pairs go, or all of them where none is named; the extension stays (F§3.7)."""
    old = _found(platform, asked)
    names = set(asked.query["name"].split("|")) if asked.query.get("name") else set(old.members)
    kept = {name: token for name, token in old.members.items() if name not in names}
    return Said(200, view.extension(extensions.written(platform, old, kept, asked.now)))


def _old_update(platform: Platform, view: View, asked: Asked) -> Said:
    old = _found(platform, asked)
    _, pairs = extensions.read_pairs("v2", asked.json(platform.switches), platform.switches)
    written = extensions.written(platform, old, pairs, asked.now)
    return Said(platform.switches.v2_update_status, view.extension(written))


def _old_write(platform: Platform, view: View, asked: Asked) -> Said:
    there = extensions.of_owner(platform, _owner(platform, asked), _name(asked))
    return (_old_update if there else _create)(platform, view, asked)


def _old_delete(platform: Platform, view: View, asked: Asked) -> Said:
    old = _found(platform, asked)
    del platform.extensions[old.ref]
    return Said(204) if platform.switches.v2_delete_status == 204 else Said(200, view.extension(old))


def _found(platform: Platform, asked: Asked) -> Extension:
    ref = asked.segments[3] if asked.version == "v2" and len(asked.segments) == 4 else None
    return extensions.find(platform, _owner(platform, asked), _name(asked), ref)


def _owner(platform: Platform, asked: Asked) -> str:
    path, ref = asked.segments[:2]
    return platform.child(ITEM, ref).ref if path == ITEM.path else platform.get(ref).ref


def _name(asked: Asked) -> str:
    """The extension's name; v2.1 has one alone (F§3.0). Problem 400."""
    if asked.version == "v2":
        return asked.segments[2].removeprefix("ext")
    if asked.segments[3] != extensions.ONLY_NAME:
        raise Problem(400, f"name: must be {extensions.ONLY_NAME}.")
    return asked.segments[3]
