"""Holding a document against a contract: whether every value stands where it should, in the kind it should be.

Two readers of one contract. The quick one is a `msgspec` type built from the schema: it answers yes in about two
microseconds. Only when it says no does the slow one walk the document and name every finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from msgspec import Raw

from proxy.json import Kind, Token, child, kind, open_array, open_object, text_of
from proxy.mapping.contract import Schema


class Finding(msgspec.Struct, frozen=True):
    """One breach: contract pointer, kind (`missing, extra, type, enum, format`), and what should and does stand there.

    `name` is the unknown member's own name (personal data, perhaps: for keyed hashing only), or a word that is no value of
    the leaf type `codec`, if it is one of those that may be told.
    """

    pointer: str
    kind: Literal["missing", "extra", "type", "enum", "format"]
    expected: str
    found: str
    name: str = ""
    codec: str = ""


@dataclass(frozen=True)
class Checker:
    """A schema, compiled. `request` reads it as what a caller may send: unknown members and blanks are welcome.

    `telling` are words that a finding may hold, since the mapping files hold them as well.
    """

    schema: Schema
    request: bool = False
    telling: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "_quick", msgspec.json.Decoder(_type(self.schema, self.request), strict=True)
        )

    def fits(self, body: Token) -> bool:
        """Whether the quick reader is content; a `False` only means: ask `findings`."""
        try:
            self._quick.decode(body)  # type: ignore[attr-defined] # set in __post_init__
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        return True

    def findings(self, body: Token) -> list[Finding]:
        """Every breach, in document order; empty when all is well. Raises `Refused` for what is not JSON."""
        whole = Raw(bytes(body).strip(b" \t\r\n"))
        if kind(whole) is Kind.NULL and Kind.NULL not in self.schema.kinds:
            return [Finding("", "missing", " or ".join(self.schema.types), "nothing")]
        return [self._discreet(one) for one in _walk(whole, self.schema, "", self.request)]

    def _discreet(self, one: Finding) -> Finding:
        return (
            one if one.kind != "enum" or one.name in self.telling else msgspec.structs.replace(one, name="")
        )


def _type(schema: Schema, request: bool) -> Any:
    kept = [name for name in schema.types if name != "integer" or "number" not in schema.types]
    options = [_single(name, schema, request) for name in kept]
    if not options:
        return Any
    whole = options[0]
    for other in options[1:]:
        whole = whole | other
    return whole


def _single(name: str, schema: Schema, request: bool) -> Any:
    match name:
        case "object":
            return _struct(schema, request) if schema.members else dict
        case "array":
            return list[_type(schema.items, request)] if schema.items else list  # type: ignore[misc] # built at run time
        case "string":
            return Literal[schema.enum] if schema.enum else str
        case "null":
            return None
        case _:
            return {"number": float, "integer": int, "boolean": bool}[name]


def _struct(schema: Schema, request: bool) -> Any:
    fields: list[Any] = []
    for index, (name, member) in enumerate(schema.members.items()):
        needed = name in schema.required
        kind_of = Any if request and (member.read_only or not member.types) else _type(member, request)
        field = f"m{index}"
        if needed:
            fields.append((field, kind_of, msgspec.field(name=name)))
        else:
            blank = kind_of if kind_of is Any or not request else kind_of | None
            fields.append((field, blank, msgspec.field(name=name, default=None)))
    fields.sort(key=lambda one: one[2].default is None)
    return msgspec.defstruct("Document", fields, forbid_unknown_fields=not request, gc=False)


def _walk(value: Raw, schema: Schema, pointer: str, request: bool) -> Iterator[Finding]:
    found = kind(value)
    if request and found is Kind.NULL:
        return
    if found not in schema.kinds or (found is Kind.NUMBER and not _whole_where_asked(value, schema)):
        yield Finding(pointer, "type", " or ".join(schema.types), found.value)
    elif schema.enum and found is Kind.STRING and text_of(value) not in schema.enum:
        wanted = f"one of its {len(schema.enum)} values"
        yield Finding(pointer, "enum", wanted, "another value", text_of(value), schema.codec)
    elif found is Kind.OBJECT and schema.members:
        yield from _members(value, schema, pointer, request)
    elif found is Kind.ARRAY and schema.items is not None:
        for element in open_array(value, pointer):
            yield from _walk(element, schema.items, f"{pointer}/*", request)


def _members(value: Raw, schema: Schema, pointer: str, request: bool) -> Iterator[Finding]:
    members = open_object(value, pointer, schema.members)
    for name in schema.members:
        raw = members.get(name)
        if name in schema.required and (raw is None or (request and kind(raw) is Kind.NULL)):
            yield Finding(child(pointer, name), "missing", " or ".join(schema.members[name].types), "nothing")
    for name, raw in members.items():
        member = schema.members.get(name)
        if member is None:
            if not request:
                yield Finding(f"{pointer}/{{unknown}}", "extra", "nothing", kind(raw).value, name)
        elif not (request and member.read_only):
            yield from _walk(raw, member, child(pointer, name), request)


def _whole_where_asked(value: Raw, schema: Schema) -> bool:
    if "number" in schema.types or "integer" not in schema.types:
        return True
    return not set(bytes(value)) & set(b".eE")
