"""Where a message ends (RFC 9112 §6), on the callers' side, and which of its wishes are passed over."""

from __future__ import annotations

from proxy.types import Headers
from proxy.wire.headers import first


def check_framing(version: str, headers: Headers) -> None:
    """Raises ValueError: HTTP/1.1 without `Host`, a transfer coding other than `chunked`, any of them before HTTP/1.1.

    Rules: RFC 9112 §3.2 and §6.1.
    """
    coding = first(headers, b"transfer-encoding")
    known = coding is None or (version == "1.1" and coding.lower() == b"chunked")
    if not known or version not in {"1.0", "1.1"} or (version == "1.1" and first(headers, b"host") is None):
        raise ValueError


def without_upgrade(method: bytes, target: bytes, version: str, headers: Headers) -> bytes:
    """The head of a request whose wish to upgrade is not granted, as if it had not been uttered (RFC 9110 §7.8)."""
    kept = [(name, value) for name, value in headers if name.lower() not in {b"upgrade", b"connection"}]
    options = b",".join(value for name, value in headers if name.lower() == b"connection").split(b",")
    kept += [
        (b"Connection", one) for each in options if (one := each.strip()).lower() not in {b"", b"upgrade"}
    ]
    lines = [b"%b %b HTTP/%b" % (method, target, version.encode()), *(b": ".join(field) for field in kept)]
    return b"\r\n".join([*lines, b"", b""])


def chunk(piece: bytes) -> bytes:
    """A piece as a chunk (RFC 9112 §7.1); the empty one is the last."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)
