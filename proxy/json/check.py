"""Whether a body is JSON that every reader reads alike, and if not, where and why, without quoting it."""

from __future__ import annotations

import re

import msgspec

from proxy.errors import Fault, Refused

MAX_DEPTH = 64
"""Levels of objects and arrays that a document may have; the platform's own have five."""

_whole = msgspec.json.Decoder(msgspec.Raw)
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_BOM = b"\xef\xbb\xbf"
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_NOT_SKELETON = bytes(set(range(256)) - set(b'{}[]"'))
_AS_BRACES = bytes.maketrans(b"[]", b"{}")

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
"""A surrogate pair, a surrogate without its other half, any other escape: in this order, left to right."""

_REASONS = {
    "trailing comma": "a comma stands before the closing bracket",
    "trailing characters": "something follows after the end of the document",
    "invalid number": "a number is not written as JSON demands (no leading zero, digits after a point)",
    "invalid escaped character": "a backslash in a string is followed by a character that is no escape",
    "unicode escape": "a \\u escape in a string lacks its four hexadecimal digits",
    "hex escape": "a \\u escape in a string lacks its other half",
    "surrogate": "a \\u escape in a string lacks its other half",
    "expected ':'": "a colon is missing after a member's name",
    "expected ',' or '}'": "a comma or the closing brace is missing",
    "expected ',' or ']'": "a comma or the closing bracket is missing",
    "expected '\"'": "a member's name in double quotes is missing",
    "truncated": "the document ends too early",
}
"""What the parser says, as a part of its message, and what the caller is told."""
_OTHER_REASON = "a character stands where JSON has no place for it"
_OFFSET = re.compile(r"\(byte ([0-9]+)\)$")


def check_document(body: bytes) -> None:
    """Refuse a body that is not one JSON document in UTF-8 without byte order mark (RFC 8259 §8.1).

    Raises `Refused` with `Fault.JSON` for an empty body, a byte order mark, bytes that are not UTF-8,
    surrogate escapes without their other half (RFC 8259 §8.2), more than `MAX_DEPTH` levels, and every
    breach of the grammar. Duplicate members are looked for where objects are opened.
    """
    try:
        _whole.decode(body)
    except _UNREADABLE as error:
        raise malformed(body, error) from None
    check_text(body)


def check_text(body: bytes) -> None:
    """Refuse what no parser looks for in a document that it has read: bytes that are not UTF-8, too many levels.

    Enough for a body that has been decoded already. Raises `Refused` with `Fault.JSON`.
    """
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise malformed(body, error) from None
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _deeper_than(MAX_DEPTH, body):
        raise _too_deep()


def malformed(body: bytes, error: Exception) -> Refused:
    """The refusal of a body that the parser gave up on with `error`; quotes nothing from the body."""
    if not body.strip(b" \t\r\n"):
        return _not_json("the body is empty", "Send a JSON document")
    if body.startswith(_BOM):
        return _not_json("the body begins with a byte order mark (EF BB BF)", "Send UTF-8 without it")
    if isinstance(error, RecursionError):
        return _too_deep()
    try:
        body.decode()
    except UnicodeDecodeError as broken:
        return _not_json(f"the byte at offset {broken.start} is not UTF-8", "Send the body in UTF-8")
    for escape in _ESCAPE.finditer(body):
        if escape["lone"]:
            reason = f"{_place(body, escape.start())}: half of a surrogate pair stands alone in a \\u escape"
            return _not_json(reason, "Send the character itself, or both halves")
    said = str(error)
    offset = _OFFSET.search(said)
    place = _place(body, int(offset[1]) if offset else len(body))
    reason = next((ours for theirs, ours in _REASONS.items() if theirs in said), _OTHER_REASON)
    return _not_json(f"{place}: {reason}", "Send RFC 8259 JSON")


def _deeper_than(limit: int, body: bytes) -> bool:
    """Whether a valid document has more levels than `limit`: each pass takes the innermost brackets away.

    Only brackets and quotes are kept; strings without brackets in them are then two quotes, and go without a search.
    """
    plain = _ESCAPED.sub(b"", body) if b"\\" in body else body
    skeleton = plain.translate(_AS_BRACES, _NOT_SKELETON).replace(b'""', b"")
    brackets = _STRING.sub(b"", skeleton) if b'"' in skeleton else skeleton
    for _ in range(limit):
        if not brackets:
            return False
        brackets = brackets.replace(b"{}", b"")
    return bool(brackets)


def _place(body: bytes, offset: int) -> str:
    start = body.rfind(b"\n", 0, offset) + 1
    column = len(body[start:offset].decode(errors="replace")) + 1
    line = body.count(b"\n", 0, offset) + 1
    return f"line {line}, column {column}"


def _too_deep() -> Refused:
    return _not_json(
        f"objects and arrays are nested more than {MAX_DEPTH} levels deep", "Send a flatter document"
    )


def _not_json(reason: str, way_out: str) -> Refused:
    return Refused(Fault.JSON, "body: is not valid JSON.", f"{reason[0].upper()}{reason[1:]}. {way_out}.")
