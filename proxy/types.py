"""The few words that every floor uses: a header list, a call to the platform, its answer.

These travel on the hot path, so they are `msgspec` structs: frozen, compared by value, made in a tenth of a
microsecond.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec

Headers: TypeAlias = list[tuple[bytes, bytes]]
"""Field lines in wire order; names as they came; a repeated name is a repeated entry (RFC 9110 §5.3)."""


class Version(StrEnum):
    """The two versions of the Order API that the platform serves."""

    V2 = "v2"
    V2_1 = "v2.1"


class Call(msgspec.Struct, frozen=True, gc=False):
    """One HTTP request: what a caller sent, or what goes to an upstream.

    `target` is the raw request target in origin form: path, and `?query` where there is one. `body` is whole.
    """

    method: str
    target: bytes
    headers: Headers
    body: bytes = b""


class Answer(msgspec.Struct, frozen=True, gc=False):
    """One HTTP answer, whole: what an upstream said, or what a caller gets.

    `reason` is the upstream's own phrase behind the status; empty for the usual one.
    """

    status: int
    headers: Headers
    body: bytes = b""
    reason: bytes = b""


class Outcome(StrEnum):
    """How an attempt to send something to an upstream ended; decides what may be sent again (wire rule R5)."""

    ANSWERED = "answered"
    """A complete answer came back."""
    NOT_SENT = "not_sent"
    """No byte of the request left this process: it may be sent again."""
    UNKNOWN = "unknown"
    """Some byte may have left: the upstream may have acted on it."""
