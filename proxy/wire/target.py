"""Request targets that no two parsers read differently, and query strings kept byte for byte.

A gateway decides on one form of a path and its upstream serves another: nearly every path trick lives in
that gap. It is closed here by refusing, not by cleaning. A target passes only if decoding it, once or many
times, joins or splits no segment; then the bytes that were decided on are the bytes that are sent.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote_to_bytes

from proxy.errors import Fault, Refused

MAX_TARGET = 8192
"""The longest target in bytes where nobody has said another, path and query together (RFC 9112 §3 asks for at least 8000)."""

_CLEAN = re.compile(
    rb"(?=/)(?:/(?!\.{1,2}(?:[/?]|\Z))[A-Za-z0-9\-._~!$&'()*+,=:@]+)*/?(?:\?[!\"$-~]*)?",
)
"""A path of RFC 3986 characters without escapes, empty or dot segments; then, perhaps, a query."""

_TARGET_RULES = (
    (re.compile(rb"\A(?!/)"), "is not in origin form", "Send the path alone, beginning with a slash"),
    (re.compile(rb"[^!-~]"), "holds a control byte, a space or a byte outside ASCII", "Percent-encode it"),
    (re.compile(rb"#"), "holds a fragment", "Leave the part from # on out"),
)
"""For the whole target: RFC 9112 §3.2.1 (origin form), RFC 3986 §2 (characters), §3.5 (no fragment)."""

_PATH_RULES = (
    (re.compile(rb"//"), "holds an empty segment", "Send single slashes"),
    (re.compile(rb"\\"), "holds a backslash", "Send slashes"),
    (re.compile(rb";"), "holds a semicolon", "Leave path parameters out"),
    (
        re.compile(rb"%(?![0-9a-fA-F]{2})"),
        "holds a percent sign that begins no escape",
        "Send % and two digits",
    ),
    (re.compile(rb"%(?:[01][0-9a-fA-F]|7[fF])"), "holds an escaped control byte", "Leave it out"),
    (re.compile(rb"%(?:2[fF35]|5[cC]|3[bBfF])"), "holds an escaped / \\ ; % ? or #", "Leave it out"),
    (re.compile(rb"/(?:\.|%2[eE]){1,2}(?:/|\Z)"), "holds a dot segment", "Send the path that is meant"),
    (
        re.compile(rb"[^A-Za-z0-9\-._~!$&'()*+,=:@/%]"),
        "holds a character that no path has",
        "Percent-encode it",
    ),
)
"""For the path: RFC 3986 §3.3 (characters), §6.2.2.3 (dots); the rest is what servers differ about."""

_DELIMITERS = "./\\;%?#"
_SLASH_TWINS = "\u2044\u2215\u29f5\u29f8"
"""Signs that some systems turn into slashes although Unicode's compatibility forms do not."""


def check_target(target: bytes, longest: int = MAX_TARGET) -> None:
    """Refuse a request target that is not in origin form or that two parsers could read differently.

    The path obeys RFC 3986 §3.3 strictly. The query only has to be visible ASCII without `#`: clients send it
    unencoded (F§7, G7), and it is handed on as it came. `OPTIONS *` is decided elsewhere. Raises `Refused`
    with `Fault.TARGET`, or `Fault.TARGET_LENGTH` for more than `longest` bytes (RFC 9110 §15.5.15).
    """
    if len(target) > longest:
        detail = f"The request's target is longer than {longest} bytes. Send a shorter one."
        raise Refused(Fault.TARGET_LENGTH, "target: is too long.", detail)
    if _CLEAN.fullmatch(target):
        return
    _hold("target", target, _TARGET_RULES)
    path = split(target)[0]
    _hold("path", path, _PATH_RULES)
    _hold_unicode(path)


def split(target: bytes) -> tuple[bytes, bytes | None]:
    """Path and raw query; the query is `None` without a `?` and empty with nothing behind it."""
    path, mark, query = target.partition(b"?")
    return path, query if mark else None


def parameters(query: bytes) -> list[tuple[bytes, bytes | None]]:
    """Raw names and values in their order, twins kept; the value is `None` where there is no `=`."""
    if not query:
        return []
    pieces = (piece.partition(b"=") for piece in query.split(b"&"))
    return [(name, value if mark else None) for name, mark, value in pieces]


def join(pairs: list[tuple[bytes, bytes | None]]) -> bytes:
    """The query that `parameters` took apart, byte for byte."""
    return b"&".join(name if value is None else name + b"=" + value for name, value in pairs)


def decoded(raw: bytes) -> str:
    """What a raw name or value means, for comparing: escapes and `+` resolved, broken UTF-8 as U+FFFD."""
    return unquote_to_bytes(raw.replace(b"+", b" ")).decode(errors="replace")


def _hold(part: str, text: bytes, rules: tuple[tuple[re.Pattern[bytes], str, str], ...]) -> None:
    for pattern, breach, way_out in rules:
        if pattern.search(text):
            raise _refused(part, breach, way_out)


def _hold_unicode(path: bytes) -> None:
    """Escapes must be UTF-8, without overlong forms, and must not become delimiters when normalised."""
    try:
        text = unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        raise _refused("path", "holds escapes that are not UTF-8", "Percent-encode UTF-8") from None
    plain = unicodedata.normalize("NFKC", text)
    if any(plain.count(sign) > text.count(sign) for sign in _DELIMITERS) or set(text) & set(_SLASH_TWINS):
        raise _refused("path", "holds a look-alike of a dot, a slash or another delimiter", "Leave it out")


def _refused(part: str, breach: str, way_out: str) -> Refused:
    return Refused(Fault.TARGET, f"{part}: {breach}.", f"The request's {part} {breach}. {way_out}.")
