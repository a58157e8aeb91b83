"""A call as it goes out: the header list and the bytes of the head. Pure."""

from __future__ import annotations

import re

from proxy.errors import Fault, UpstreamFailed
from proxy.types import Call, Headers, Outcome, Rest
from proxy.upstream.settings import Origin

READS = frozenset({"GET", "HEAD", "OPTIONS"})
"""The methods that may be sent again (R§1.4); every other one counts as a write."""

_WITH_LENGTH = frozenset({"POST", "PUT", "PATCH"})
_OWN = frozenset({b"host", b"content-length", b"transfer-encoding"})
_OWN_SIZES = frozenset(map(len, _OWN))
_METHODS = {
    name: name.encode("ascii") for name in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_COLON = b": ".join
_LF, _CR, _SPACE = b"\n\r "


def outgoing_headers(call: Call, host: bytes) -> Headers:
    """`Host`, then the given fields, then `Content-Length` where RFC 9110 §8.6 wants one.

    Who the message is for and where it ends belongs to the connection: given fields that say so are left out.
    """
    headers = [(b"Host", host)]
    headers += [
        pair for pair in call.headers if len(pair[0]) not in _OWN_SIZES or pair[0].lower() not in _OWN
    ]
    if call.rest is not None:
        headers.append(_framing(call, call.rest))
    elif call.body or call.method in _WITH_LENGTH:
        headers.append((b"Content-Length", b"%d" % len(call.body)))
    return headers


def _framing(call: Call, rest: Rest) -> tuple[bytes, bytes]:
    """The length of a body that is still coming, or `chunked` where nobody has said one (RFC 9112 §6.3)."""
    if rest.length is None:
        return b"Transfer-Encoding", b"chunked"
    return b"Content-Length", b"%d" % (len(call.body) + rest.length)


def request_head(call: Call, origin: Origin, headers: Headers) -> bytes:
    """The request line and the header section, blank line included.

    Raises UpstreamFailed (NOT_SENT) where a method, target or field would break out of its line: the last fence,
    so it looks for line ends, spaces and NUL only.
    """
    target = call.target
    method = _METHODS.get(call.method) or _checked(call.method)
    if not method or target[:1] != b"/" or _SPACE in target:
        raise UpstreamFailed(
            Outcome.NOT_SENT, Fault.TARGET, f"{origin}: the method or target to send is not proper HTTP"
        )
    lines = b"\r\n".join(map(_COLON, headers))
    head = method + b" " + origin.prefix + target + b" HTTP/1.1\r\n" + lines + b"\r\n\r\n"
    ends = len(headers) + 2
    if head.count(_LF) != ends or head.count(_CR) != ends or 0 in head:
        raise UpstreamFailed(
            Outcome.NOT_SENT, Fault.HEADERS, f"{origin}: a line to send holds a line end or a NUL"
        )
    return head


def _checked(method: str) -> bytes:
    """The bytes of a method outside the table, none where it is not a token (RFC 9110 §5.6.2)."""
    return method.encode("ascii") if _TOKEN.fullmatch(method) else b""
