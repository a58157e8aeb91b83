"""Sending at the end of a turn of the event loop: many small writes next to one another.

A write wakes whoever waits for it. Where that one sleeps on another processor, waking it costs as much as the write itself;
of writes that follow one another closely, only the first has to wake anybody. So a connection with something to send says
so here instead of sending it: with 64 callers that took a quarter off what a call costs that is passed on.

Between two turns uvloop looks at every socket, so that most idle connections that have ended are known to have ended before
a request leaves over them. A turn under load takes milliseconds: the connection looks once more when it is flushed.
"""

from __future__ import annotations

import asyncio
from typing import Protocol


class Sender(Protocol):
    """A connection with bytes to send."""

    def flush(self) -> None:
        """Hand them to the transport now; nothing where they have gone already, or the connection has ended."""
        ...


class Outbox:
    """Who has something to send at the end of this turn. Belongs to one event loop."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[Sender] = []

    def add(self, loop: asyncio.AbstractEventLoop, sender: Sender) -> None:
        """Flush a sender in the next turn of `loop`, before anything that is put on it from now on."""
        if not self._waiting:
            loop.call_soon(self._flush)
        self._waiting.append(sender)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for sender in waiting:
            sender.flush()
