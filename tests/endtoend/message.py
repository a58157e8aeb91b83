"""A message's bytes, taken apart so that two of them can be compared across a hop."""

from __future__ import annotations

BY_HOP = {b"connection", b"keep-alive", b"te", b"transfer-encoding"}
"""Fields of one connection (RFC 9110 §7.6.1)."""
OURS = {b"via", b"x-crossfade-request-id", b"host"}
"""Fields that this hop sets anew."""


def lines(raw: bytes, *dropped: bytes) -> tuple[bytes, list[bytes], bytes]:
    """First line, header lines, body; without the fields that belong to a hop and those `dropped`.

    Names come in lower case (RFC 9110 §5.1: their case means nothing), values as they are.
    """
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *fields = head.split(b"\r\n")
    gone = BY_HOP | OURS | set(dropped)
    pairs = [
        (name.lower(), value.strip(b" \t")) for name, _, value in (one.partition(b":") for one in fields)
    ]
    return first, [name + b": " + value for name, value in pairs if name not in gone], body
