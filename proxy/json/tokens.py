"""Single JSON values as the bytes they came in: their kind, their text, how a tree of them is written.

A number has no Python form here. `30.60`, `1e2` and a twenty-digit integer mean something to the caller that
a float would lose, so a number stays its own bytes from one side of the proxy to the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeAlias

import msgspec
from msgspec import Raw

from proxy.errors import Fault, Refused

Token: TypeAlias = bytes | Raw
"""One JSON value as UTF-8 bytes. A `Raw` out of `open_object` has no white space around it."""

Node: TypeAlias = "Raw | str | bool | Mapping[str, Node] | Sequence[Node] | None"
"""What `render` writes. Neither `bytes` nor a Python number is one: a value in JSON form is a `Raw`."""


class Kind(StrEnum):
    """The six kinds of JSON value (RFC 8259 §3; `true` and `false` are one kind)."""

    OBJECT = "object"
    ARRAY = "array"
    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    NULL = "null"


_KIND_BY_FIRST_BYTE = {
    ord("{"): Kind.OBJECT,
    ord("["): Kind.ARRAY,
    ord('"'): Kind.STRING,
    ord("t"): Kind.BOOLEAN,
    ord("f"): Kind.BOOLEAN,
    ord("n"): Kind.NULL,
    **dict.fromkeys(b"-0123456789", Kind.NUMBER),
}
_BLANKS = b" \t\r\n"

_text = msgspec.json.Decoder(str)
_encode = msgspec.json.Encoder().encode


def kind(token: Token) -> Kind:
    """The kind of a valid value, told by its first byte; white space in front of it is passed over.

    Raises `Refused` with `Fault.JSON` for bytes that begin no JSON value.
    """
    try:
        return _KIND_BY_FIRST_BYTE[memoryview(token)[0]]
    except (KeyError, IndexError):
        start = bytes(token).lstrip(_BLANKS)[:1]
    if not start or start[0] not in _KIND_BY_FIRST_BYTE:
        raise Refused(
            Fault.JSON, "body: is not valid JSON.", "No JSON value stands here. Send RFC 8259 JSON."
        )
    return _KIND_BY_FIRST_BYTE[start[0]]


def is_null(token: Token) -> bool:
    """Whether a token out of an object or array is the literal `null`."""
    return len(token) == 4 and bytes(token) == b"null"


def text_of(token: Token, pointer: str = "") -> str:
    """What a JSON string says, its escapes resolved (RFC 8259 §7).

    Raises `Refused` with `Fault.FIELD` when the value is not a string; `pointer` is its place in the
    document.
    """
    try:
        return _text.decode(token)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise wrong_kind(pointer, "a string") from None


def token_of(text: str) -> Raw:
    """A text as a JSON string, in the shortest spelling: only what RFC 8259 §7 demands is escaped."""
    return Raw(_encode(text))


def render(value: Node) -> bytes:
    """A tree as compact JSON, members in their order; every `Raw` in it comes out byte for byte."""
    return _encode(value)


def wrong_kind(pointer: str, wanted: str) -> Refused:
    """The refusal of a value that is not `wanted` ("an object"); `pointer` holds no unknown member name."""
    place = pointer.rpartition("/")[2] or "body"
    detail = f"The value at {pointer or 'the top of the body'} must be {wanted}. Send {wanted} there."
    return Refused(Fault.FIELD, f"{place}: must be {wanted}.", detail, pointer=pointer)
