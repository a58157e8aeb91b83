"""Names for single requests: ours, which goes into logs, and the caller's, which is only handed back."""

from __future__ import annotations

import re
from random import getrandbits

from proxy.types import Headers
from proxy.wire.headers import first

_ACCEPTABLE = re.compile(rb"[A-Za-z0-9._-]{1,128}")


def new() -> str:
    """A new id: 24 hexadecimal digits, 96 random bits. It names and hides nothing, so the kernel need not be asked."""
    return f"{getrandbits(96):024x}"


def acceptable(value: bytes) -> str | None:
    """A caller's own id if it is safe to hand back, at most 128 of `A-Z a-z 0-9 . _ -`; else `None`."""
    return value.decode() if _ACCEPTABLE.fullmatch(value) else None


def told(headers: Headers, request_id: str) -> bytes:
    """The id that a caller gets back: its own, if it sent one that can be handed back safely, else ours."""
    own = first(headers, b"x-request-id")
    return ((own and acceptable(own)) or request_id).encode()
