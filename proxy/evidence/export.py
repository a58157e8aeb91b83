"""A group of divergences as a test that stands alone: it fails while the divergence exists, and passes once it is mended.

Only what the contract says goes into it: paths, members, types. Values are made up from their types. So only groups that
shape alone decides can be exported: something is missing, is there too much, or has another type.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from proxy.errors import CrossfadeError
from proxy.evidence.exported import PROGRAM
from proxy.mapping.api import CompiledMapping
from proxy.mapping.contract import Schema
from proxy.mapping.endpoint import Endpoint
from proxy.store.rows import Group

_TEXT = "EUR"
"""Stands for any text: three capital letters are right also where a currency, a country or a language is asked for."""
_TIME = "2026-01-02T03:04:05.000Z"
_VALUES: Mapping[str, Any] = {"string": _TEXT, "number": 12.5, "integer": 1, "boolean": True}
_WHY_NOT: Mapping[str, str] = {
    "value": "it is about a value, and values are not kept",
    "enum": "it is about a word that some records have, and values are not kept",
    "order": "it is about the order of what is stored, which is not kept",
    "length": "it is about how much is stored, which is not kept",
    "precision": "it is about the digits of a value, and values are not kept",
    "format": "it is about how a value is written, and values are not kept",
    "status": "the versions answer with different statuses, and which request leads to that is not kept",
    "header": "it is about a header that depends on what is stored",
    "untranslatable": "a request or an answer could not be translated, and its values are not kept",
}
"""Why groups of a kind cannot be exported; kinds that are not named here can."""


_ELSEWHERE: Mapping[str, str] = {
    "translate_only": "it is about a request, and the values of requests are not kept",
    "read_back": "it was seen as a write was read back; export the group that the reads themselves show",
}
"""Why groups that only this evidence has shown cannot be exported."""


class NotExportable(CrossfadeError):  # noqa: N818 - the answer to a question, no fault
    """A group that no test can be made of; its text says why."""


def exported(group: Group, mapping: CompiledMapping) -> str:
    """The text of a pytest module that needs nothing but pytest. Raises `NotExportable`."""
    key = group.key
    why = _why_not(group)
    if why:
        raise NotExportable(why)
    endpoint = mapping.endpoints.get(key.endpoint)
    if endpoint is None:
        raise NotExportable("the mappings have no such endpoint any more")
    status = key.status_v2 or key.status_v2_1 or 200
    schema = endpoint.schemas.get(status)
    if schema is None:
        raise NotExportable(f"the contract says nothing about an answer {status} of this call")
    if key.kind == "missing" and endpoint.cases and "*" in key.pointer:
        raise NotExportable("the call is answered in several forms, and which one was asked for is not kept")
    known = _known(schema, key.pointer) if _unnamed(key.pointer) else ()
    if known is None:
        raise NotExportable("the contract does not list the members at this place")
    facts = {
        "group": key.id,
        "endpoint": key.endpoint,
        "pointer": key.pointer,
        "kind": key.kind,
        "type": key.v2,
        "known": known,
        "status": status,
        **_calls(endpoint, mapping),
    }
    says = f"{key.endpoint}, {key.pointer}: {key.kind}, {key.v2 or 'nothing'} in v2, {key.v2_1 or 'nothing'} through v2.1"
    lines = "\n".join(f"{name.upper()} = {value!r}" for name, value in facts.items())
    return (
        PROGRAM.replace("<says>", says).replace("<group>", key.id.replace("-", "_")).replace("<facts>", lines)
    )


def _why_not(group: Group) -> str:
    key = group.key
    statuses = [status for status in (key.status_v2, key.status_v2_1) if status is not None]
    if key.kind in _WHY_NOT:
        return _WHY_NOT[key.kind]
    if any(status >= 400 for status in statuses):
        return "it is about an error, and which request leads to that error is not kept"
    seen_by = {one.evidence for one in group.examples}
    if len(seen_by) == 1 and seen_by <= _ELSEWHERE.keys():
        return _ELSEWHERE[seen_by.pop()]
    if key.kind == "missing" and _unnamed(key.pointer):
        return "only a keyed hash of the member's name is known"
    return ""


def _unnamed(pointer: str) -> bool:
    return "{unknown" in pointer


def _known(schema: Schema, pointer: str) -> tuple[str, ...] | None:
    """The members that the contract lists where an unknown one turned up."""
    *outer, last = pointer.removeprefix("/").split("/")
    if not last.startswith("{unknown"):
        return None
    for step in outer:
        below = schema.items if step == "*" else schema.members.get(step)
        if below is None:
            return None
        schema = below
    return tuple(schema.members) or None


def _calls(endpoint: Endpoint, mapping: CompiledMapping) -> dict[str, Any]:
    """How the test makes a record of its own, and how it then asks: each as method, path and body, and the record's key."""
    method = _method(endpoint, mapping)
    before, brace, _ = endpoint.v2_path.partition("{")
    found = mapping.paths.match((before if brace else endpoint.v2_path).rstrip("/").encode())
    making = found[0].get("POST") if found else None
    if making is None or making.check is None:
        raise NotExportable("no single call makes a record that could be looked at")
    if endpoint.v2_path.count("{") > 1 or endpoint.refusal is not None:
        raise NotExportable("the call needs more than one record")
    answer = next((one for status, one in making.schemas.items() if status < 300), Schema())
    ref = next((name for name, member in answer.members.items() if member.codec == "ref"), None)
    if brace and ref is None:
        raise NotExportable("the contract does not say which member names a new record")
    path = endpoint.v2_path
    if not brace and method == "GET" and endpoint.record.query:
        path += f"?{endpoint.record.query}=<key>"
    body = _made_up(making.check.schema, making.record.body)
    sign = "&" if "?" in path else "?"
    forms = {f"{sign}{name.decode()}={value.decode()}" for name, value, _ in endpoint.cases}
    return {
        "make": ("POST", making.v2_path, json.dumps(body)),
        "ref": ref if brace else None,
        "ask": (method, path, json.dumps(body) if endpoint.check else ""),
        "forms": ("", *sorted(forms)),
    }


def _method(endpoint: Endpoint, mapping: CompiledMapping) -> str:
    found = mapping.paths.match(endpoint.v2_path.encode())
    methods = found[0] if found else {}
    return next(method for method, one in methods.items() if one.id == endpoint.id)


def _made_up(schema: Schema, key: str) -> dict[str, Any]:
    """A body with every single value that a caller may send; the record's key is filled in as the test runs."""
    body: dict[str, Any] = {}
    for name, member in schema.members.items():
        kind = next((one for one in member.types if one in _VALUES), None)
        if kind is None or member.read_only:
            continue
        value = member.enum[0] if member.enum else _TIME if member.codec == "timestamp" else _VALUES[kind]
        body[name] = "<key>" if name == key else value
    return body
