"""Content codings (RFC 9110 §8.4): the two that are read here, within a limit."""

from __future__ import annotations

import zlib

from proxy.errors import CrossfadeError
from proxy.types import Headers

_GZIP_WINDOW = 31  # zlib's figure for "a gzip header, the largest window"

_MOST_MEMBERS = 64  # each further member copies the rest of the body: unbounded, that is quadratic


class Undecodable(CrossfadeError):  # noqa: N818 - the state of the body, as Refused and Untranslatable
    """A body that cannot be read within the limit: out of an upstream, a 502."""


def decode_body(headers: Headers, body: bytes, limit: int) -> bytes:
    """The body without its content coding; `limit` is in bytes and holds for what comes out.

    Reads `identity` and one layer of `gzip` (RFC 9110 §8.4.1.3, also `x-gzip`), and stops one byte beyond the
    limit however much more there is. An empty body is empty under any coding (`HEAD`, 204, 304). Raises
    `Undecodable` for another coding, broken or unfinished gzip, too many gzip members, a body over the limit.
    """
    codings = [
        coding.strip(b" \t")
        for name, value in headers
        if name.lower() == b"content-encoding"
        for coding in value.lower().split(b",")
    ]
    named = [coding for coding in codings if coding not in {b"", b"identity"}]
    if not body or not named:
        return _bounded(body, limit)
    if named not in ([b"gzip"], [b"x-gzip"]):
        raise Undecodable("The body has a content coding other than identity or gzip. Send it uncoded.")
    return _gunzip(body, limit)


def _gunzip(body: bytes, limit: int) -> bytes:
    """RFC 1952 §2.2: a gzip body is one member or several in a row."""
    out = b""
    for _ in range(_MOST_MEMBERS):
        member = zlib.decompressobj(_GZIP_WINDOW)
        try:
            out = _bounded(out + member.decompress(body, limit - len(out) + 1), limit)
        except zlib.error:
            raise Undecodable("The body calls itself gzip and is not. Send it uncoded.") from None
        if not member.eof:
            raise Undecodable("The gzip body ends too early. Send it whole.")
        body = member.unused_data
        if not body:
            return out
    raise Undecodable(f"The gzip body has more than {_MOST_MEMBERS} members. Send it as one.")


def _bounded(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise Undecodable(f"The body is larger than {limit} bytes. Send less.")
    return body
