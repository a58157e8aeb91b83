"""The few words that every floor uses: a header list, a call to the platform, its answer.

These travel on the hot path, so they are `msgspec` structs: frozen, compared by value, made in a tenth of a
microsecond.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Protocol, TypeAlias

import msgspec

Headers: TypeAlias = list[tuple[bytes, bytes]]
"""Field lines in wire order; names as they came; a repeated name is a repeated entry (RFC 9110 §5.3)."""


class Version(StrEnum):
    """The two versions of the Order API that the platform serves."""

    V2 = "v2"
    V2_1 = "v2.1"


class Rest(Protocol):
    """What is still to come of a body, in pieces that are not empty; taken once, by one, who sets the pace."""

    @property
    def length(self) -> int | None:
        """How many bytes that is; `None` where nobody has said."""
        ...

    @property
    def taken(self) -> int:
        """How many bytes have been given."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces; raises `CrossfadeError` where the body ends before it is whole."""
        ...

    async def aclose(self) -> None:
        """Let go of it, whole or not."""
        ...


class Call(msgspec.Struct, frozen=True, gc=False):
    """One HTTP request: what a caller sent, or what goes to an upstream.

    `target` is the raw request target in origin form: path, and `?query` where there is one. `body` is whole unless
    there is a `rest`.
    """

    method: str
    target: bytes
    headers: Headers
    body: bytes = b""
    rest: Rest | None = None


class Answer(msgspec.Struct, frozen=True, gc=False):
    """One HTTP answer: what an upstream said, or what a caller gets; whole unless there is a `rest`.

    `reason` is the upstream's own phrase behind the status; empty for the usual one.
    """

    status: int
    headers: Headers
    body: bytes = b""
    reason: bytes = b""
    rest: Rest | None = None


class Outcome(StrEnum):
    """How an attempt to send something to an upstream ended; decides what may be sent again (wire rule R5)."""

    ANSWERED = "answered"
    """A complete answer came back."""
    NOT_SENT = "not_sent"
    """No byte of the request left this process: it may be sent again."""
    UNKNOWN = "unknown"
    """Some byte may have left: the upstream may have acted on it."""
