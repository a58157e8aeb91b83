"""The connections of the evidence: both versions, for reads only.

Comparing repeats calls, so nothing that it sends may change anything. This is the one place through which it sends, and
what is no read does not pass here, whatever asked for it.
"""

from __future__ import annotations

import asyncio

from proxy.errors import CrossfadeError
from proxy.types import Answer, Call, Version
from proxy.upstream.engine import Engine

READS = frozenset({"GET", "HEAD"})
"""Methods that change nothing (RFC 9110 §9.2.1) and that the evidence has a use for."""


class SecondWrite(CrossfadeError):  # noqa: N818 - named after what it prevents
    """The evidence was about to send something that is no read: a mistake in crossfade, and nothing was sent."""


class Reads:
    """Both versions, each on connections of its own, so that evidence never takes one from a caller."""

    def __init__(self, v2: Engine, v2_1: Engine) -> None:
        self._engines = {Version.V2: v2, Version.V2_1: v2_1}

    async def send(self, version: Version, call: Call, room: int) -> Answer:
        """A version's answer to a read; one with more than `room` bytes comes with its `rest`, see `Engine.send`.

        Raises `SecondWrite` before anything is sent, and `UpstreamFailed`.
        """
        if call.method not in READS or call.body:
            raise SecondWrite(
                f"{call.method} is no read; the evidence sends {' and '.join(sorted(READS))} alone, without a body"
            )
        return await self._engines[version].send(call, room=room)

    async def close(self) -> None:
        """Let go of both."""
        await asyncio.gather(*(one.close() for one in self._engines.values()))
