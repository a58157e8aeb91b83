"""Who wants to know when an answer has been handed to the caller's socket: closing a write in the journal waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_AGAIN = 0.05
"""Seconds between two looks at an answer that its caller is slow to read."""


class Owed:
    """What has to be told once all that was written to a transport has left this process."""

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport) -> None:
        self._loop = loop
        self._transport = transport
        self._waiting: list[Callable[[bool], None]] = []

    def add(self, told: Callable[[bool], None], *, gone: bool, unsent: bool) -> None:
        """Tell whether the kernel has taken all that was sent: soon, or when the caller reads on or is gone.

        Where something is `unsent` yet, `sent` has to follow.
        """
        if gone:
            told(False)
            return
        self._waiting.append(told)
        if not unsent:
            self.sent()

    def sent(self) -> None:
        """All has been written to the transport. If that failed, the end of the connection is heard of before the look."""
        if self._waiting:
            self._loop.call_soon(self._look)

    def settle(self, *, handed: bool) -> None:
        """Tell everybody who waits."""
        waiting, self._waiting = self._waiting, []
        for told in waiting:
            told(handed)

    def _look(self) -> None:
        if not self._waiting:
            return
        if self._transport.get_write_buffer_size():
            self._loop.call_later(_AGAIN, self._look)
        else:
            self.settle(handed=True)
