"""The rest of an answer that is too large to be held: passed on as it comes, at the pace of whoever takes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from proxy.errors import UpstreamFailed

ENOUGH = 128 * 1024
"""Bytes that may wait here before the upstream is told to pause."""


class Coming:
    """A `Rest` that a connection fills. `pace` is told to go on (True) or to pause (False), `leave` to end it early."""

    __slots__ = (
        "_ended",
        "_failure",
        "_leave",
        "_pace",
        "_pieces",
        "_size",
        "_then",
        "_waiter",
        "length",
        "taken",
    )

    def __init__(self, pace: Callable[[bool], None], leave: Callable[[], None]) -> None:
        self.length: int | None = None
        self.taken = 0
        self._pace = pace
        self._leave = leave
        self._pieces: list[bytes] = []
        self._size = 0
        self._ended = False
        self._failure: UpstreamFailed | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._then: Callable[[], None] | None = None

    def add(self, piece: bytes) -> None:
        """A piece has come."""
        if piece:
            self._pieces.append(piece)
            self._size += len(piece)
            if self._size > ENOUGH:
                self._pace(False)
            self._wake()

    def end(self, failure: UpstreamFailed | None = None) -> None:
        """Nothing comes any more: the answer is whole, or it broke off."""
        if not self._ended:
            self._ended, self._failure = True, failure
            self._wake()
            if self._then is not None:
                self._then()

    def when_ended(self, then: Callable[[], None]) -> None:
        """Call `then` once nothing comes any more, at once if that is so."""
        if self._ended:
            then()
        else:
            self._then = then

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """See `Rest`; what came before a failure is given first."""
        while True:
            if self._pieces:
                piece = b"".join(self._pieces)
                self._pieces.clear()
                if self._size > ENOUGH and not self._ended:
                    self._pace(True)
                self._size = 0
                self.taken += len(piece)
                yield piece
            elif self._failure is not None:
                raise self._failure
            elif self._ended:
                return
            else:
                self._waiter = asyncio.get_running_loop().create_future()
                await self._waiter

    async def aclose(self) -> None:
        """See `Rest`; an answer that is not whole costs its connection."""
        if not self._ended:
            self._leave()
            self.end()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
