"""A call as it goes out: the header list and the bytes of the head. Pure."""

from __future__ import annotations

import re

from proxy.errors import Fault, UpstreamFailed
from proxy.types import Call, Headers, Outcome
from proxy.upstream.settings import Origin

READS = frozenset({"GET", "HEAD", "OPTIONS"})
"""The methods that may be sent again (R§1.4); every other one counts as a write."""

_WITH_LENGTH = frozenset({"POST", "PUT", "PATCH"})
_OWN = frozenset({b"host", b"content-length", b"transfer-encoding"})
_OWN_SIZES = frozenset(map(len, _OWN))
_TARGET = re.compile(rb"/[!-~\x80-\xff]*")
_METHOD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def outgoing_headers(call: Call, host: bytes) -> Headers:
    """`Host`, then the given fields, then `Content-Length` where RFC 9110 §8.6 wants one.

    Who the message is for and where it ends belongs to the connection: given fields that say so are left out.
    """
    headers = [(b"Host", host)]
    headers += [
        pair for pair in call.headers if len(pair[0]) not in _OWN_SIZES or pair[0].lower() not in _OWN
    ]
    if call.body or call.method in _WITH_LENGTH:
        headers.append((b"Content-Length", b"%d" % len(call.body)))
    return headers


def request_head(call: Call, origin: Origin, headers: Headers) -> bytes:
    """The request line and the header section, blank line included.

    Raises UpstreamFailed (NOT_SENT) where a method, target or field would break out of its line.
    """
    method = call.method.encode("latin-1", "replace")
    if not _TARGET.fullmatch(call.target) or not _METHOD.fullmatch(method):
        raise UpstreamFailed(
            Outcome.NOT_SENT,
            Fault.TARGET,
            f"before sending to {origin}: the request line would not be proper HTTP",
        )
    lines = b"\r\n".join(map(b": ".join, headers))
    head = b"%b %b%b HTTP/1.1\r\n%b\r\n\r\n" % (method, origin.prefix, call.target, lines)
    ends = len(headers) + 2
    if head.count(b"\n") != ends or head.count(b"\r") != ends or b"\0" in head:
        raise UpstreamFailed(
            Outcome.NOT_SENT, Fault.HEADERS, f"{origin}: a field to send holds a line end or a NUL"
        )
    return head
