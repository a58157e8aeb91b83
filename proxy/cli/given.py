"""What an operator hands to explain: a request as text, a body with method and target, a HAR entry, answers."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from proxy.errors import ConfigError
from proxy.types import Answer, Call, Headers
from proxy.wire.headers import edited

_METHODS = (b"GET ", b"HEAD ", b"POST ", b"PUT ", b"PATCH ", b"DELETE ", b"OPTIONS ")


class Given(msgspec.Struct, frozen=True):
    """A request, and the answers of v2.1 that came with it; `origin` is where it was sent, if it says so."""

    call: Call
    answers: tuple[Answer, ...] = ()
    origin: str = ""


def from_text(text: bytes, method: str = "", target: str = "") -> Given:
    """A request as it goes over the wire, header lines or not; or a body alone, with its method and target.

    Raises `ConfigError` for what is neither.
    """
    if text.startswith(_METHODS):
        if method or target:
            raise ConfigError("the request text has a method and a target; leave --method and --target out")
        return _request(text)
    if not target:
        raise ConfigError(
            "the input begins with no request line; begin it with, say, POST and a target, "
            "or name both with --method and --target"
        )
    path, origin = _origin_form(target)
    return Given(Call(method or ("POST" if text else "GET"), path, [], text), origin=origin)


def answer_from_text(text: bytes, status: int) -> Answer:
    """An answer of v2.1 as it came over the wire, or its body alone, which then has this status."""
    if not text.startswith(b"HTTP/"):
        return Answer(status, [], text)
    first, headers, body = _parted(text)
    try:
        return Answer(int(first.split()[1]), headers, body)
    except (IndexError, ValueError):
        raise ConfigError("--answer: the status line has no status; write, say, HTTP/1.1 200 OK") from None


def from_har(text: bytes, entry: int, prefix_v2_1: bytes) -> Given:
    """Entry number `entry` of a HAR file, counted from 1; raises `ConfigError`.

    Its response counts as v2.1's only if it links to v2.1: what a v2 caller was answered says nothing about v2.1.
    """
    try:
        entries = msgspec.json.decode(text)["log"]["entries"]
        if not 1 <= entry <= len(entries):
            raise ConfigError(f"--entry: the file has entries 1 to {len(entries)}; choose one of them")
        one = entries[entry - 1]
        request, response = one["request"], one.get("response") or {}
        path, origin = _origin_form(request["url"])
        body = (request.get("postData") or {}).get("text") or ""
        call = Call(request["method"], path, _har_headers(request), body.encode())
        content = _har_content(response.get("content") or {})
        native = prefix_v2_1 in content or prefix_v2_1.replace(b"/", b"\\/") in content
        answers = (Answer(int(response["status"]), _har_headers(response), content),) if native else ()
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError, ValueError):
        raise ConfigError("--har: is not a HAR file (JSON with log.entries); export it again") from None
    return Given(call, answers, origin)


def _request(text: bytes) -> Given:
    first, headers, body = _parted(text)
    words = first.split()
    if len(words) not in {2, 3}:
        raise ConfigError("the request line needs a method and a target, such as: GET /path HTTP/1.1")
    path, origin = _origin_form(words[1].decode("latin-1"))
    return Given(Call(words[0].decode(), path, headers, body), origin=origin)


def _parted(text: bytes) -> tuple[bytes, Headers, bytes]:
    """First line, header lines, body; with line ends of either kind."""
    separator = min(
        (found, len(end))
        for end in (b"\r\n\r\n", b"\n\n")
        if (found := text.find(end)) >= 0 or (found := len(text))
    )
    head, body = text[: separator[0]], text[separator[0] + separator[1] :]
    first, *lines = head.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")
    headers: Headers = []
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not name.strip():
            raise ConfigError("a header line has no colon; put an empty line between head and body")
        headers.append((name, value.strip()))
    return first, headers, body


def _origin_form(target: str) -> tuple[bytes, str]:
    """The target in origin form, and the origin of one that is a whole address (RFC 9112 §3.2)."""
    if not target.startswith(("http://", "https://")):
        return target.encode(), ""
    parts = urlsplit(target)
    path = parts.path or "/"
    return (
        f"{path}?{parts.query}".encode() if parts.query else path.encode(),
        f"{parts.scheme}://{parts.netloc}",
    )


def _har_headers(message: Any) -> Headers:
    """The header fields; a HAR holds bodies without their coding, so what spoke of it goes."""
    pairs: Sequence[Any] = message.get("headers") or ()
    named = [(one["name"], one["value"]) for one in pairs if not one["name"].startswith(":")]
    return edited([(name.encode("latin-1"), value.encode()) for name, value in named])


def _har_content(content: Any) -> bytes:
    text: str = content.get("text") or ""
    if content.get("encoding") != "base64":
        return text.encode()
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ConfigError("--har: the response's base64 text cannot be read; export it again") from None
