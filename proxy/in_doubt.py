"""What a request owes its caller and the journal: writes are entered, ended and closed; reads end with their caller.

A caller that goes away ends a read, whose connection upstream is then free. It never ends a write: that runs to its end
within its deadline. The server tells of a caller's leaving by one call on the connection; no request pays for a watcher.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from proxy.errors import Fault, Refused
from proxy.exchange import record_key
from proxy.recorded import Done
from proxy.snapshot import Snapshot
from proxy.types import Answer, Call, Version
from proxy.upstream.engine import Engine
from proxy.upstream.entries import Entry
from proxy.upstream.request import READS
from proxy.upstream.writes import Writes
from proxy.wire.credentials import record_name

LEFT = Answer(499, [])
"""How a read is logged whose caller has left; nobody receives it."""


class Line(Protocol):
    """The connection of a caller."""

    gone: bool
    """Whether the caller has left."""
    leaving: Callable[[], object] | None
    """What to do when the caller leaves while this is set."""
    broken: Refused | None
    """Why no more of the request's body can be read, once that is so."""

    def at_hand(self, most: int) -> bytes | None:
        """The whole body of the request at work, if that has come and is within so many bytes."""
        ...

    async def answer(self, answer: Answer, *, head: bool) -> None:
        """Write a whole answer in one piece, names and reason as they are, or as it comes; raises `CrossfadeError`."""
        ...

    def when_handed(self, told: Callable[[bool], None]) -> None:
        """Tell, once, whether all that was sent has been handed to the kernel."""
        ...


def engine_for(snapshot: Snapshot, version: Version, call: Call, done: Done) -> Engine:
    """What carries the caller's call: the version's engine, and for a write the journal in front of it."""
    engine = snapshot.v2 if version is Version.V2 else snapshot.v2_1
    if call.method in READS:
        return engine
    about = Entry(
        state="open",
        request=done.request_id,
        step=0,
        at=0,
        endpoint=done.ahead.label if done.ahead else "",
        version=str(version),
        caller=done.caller,
        record=record_of(snapshot, call, done),
    )
    done.writes = Writes(snapshot.journal, snapshot.config.journal.on_failure, engine, about)
    return done.writes


def record_of(snapshot: Snapshot, call: Call, done: Done) -> str:
    """The keyed name of the record that a call is about, worked out once; empty where it names none."""
    ahead = done.ahead
    if done.record or ahead is None or ahead.endpoint is None or call.rest is not None:
        return done.record
    key = record_key(ahead.endpoint, ahead.path, ahead.pairs, call.body)
    done.record = record_name(snapshot.key, key) if key else ""
    return done.record


def end_with_caller(line: Line | None, method: str) -> None:
    """From here on a read ends when its caller leaves."""
    if line is not None and method in READS:
        task = asyncio.current_task()
        line.leaving = None if task is None else task.cancel


async def handed_over(sending: Awaitable[None], line: Line | None, done: Done) -> None:
    """Send the answer, and close the writes behind it once the caller's socket has all of it.

    After a mistake of ours the caller knows nothing of what was written: it stays in doubt.
    """
    writes = done.writes
    if writes is None:
        await sending
        return
    told = False
    try:
        await sending
        told = done.code != Fault.INTERNAL.code
    finally:
        if told and line is not None:
            line.when_handed(writes.settle)
        else:
            writes.settle(told)
