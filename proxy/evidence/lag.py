"""Whether the event loop is late: then evidence steps aside, since callers wait for the same loop."""

from __future__ import annotations

import asyncio
from contextlib import suppress

_LOOK = 0.05
"""Seconds between two looks."""
_REST = 1.0
"""Seconds that evidence stays away after the loop was late."""


class Lag:
    """Looks at the loop it was started on, twenty times a second; a timer may be `most` seconds late."""

    def __init__(self, most: float) -> None:
        self.most = most
        self._until = 0.0
        self._due = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._due = asyncio.get_running_loop().time() + _LOOK
        self._task = asyncio.create_task(self._look())

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def late(self) -> bool:
        """Whether the loop is late, or was a moment ago."""
        now = asyncio.get_running_loop().time()
        return now < self._until or now - self._due > self.most

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._due = loop.time() + _LOOK
            await asyncio.sleep(_LOOK)
            if loop.time() - self._due > self.most:
                self._until = loop.time() + _REST
