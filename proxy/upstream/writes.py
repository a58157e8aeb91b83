"""The writes of one request: each is entered in the journal before it leaves, and closed when its caller has the answer.

the call is refused or fails before a byte left      → closed at once
it is not known what became of it                     → in doubt, whatever the caller is told
it was answered, and the caller has the answer        → closed
it was answered, and the caller was gone              → in doubt
"""

from __future__ import annotations

import time
from typing import Literal

from msgspec.structs import replace

from proxy.errors import Fault, UpstreamFailed
from proxy.types import Answer, Call, Outcome
from proxy.upstream.engine import Engine
from proxy.upstream.entries import Entry
from proxy.upstream.journal import Journal
from proxy.upstream.request import READS

OnFailure = Literal["send", "refuse"]

_REFUSED = (
    "journal: this write could not be entered, and journal.on_failure says to send none that is not. "
    "Have the operator make room or mend journal.path, then send it again"
)


class Writes:
    """An `Engine` for the calls of one request; what it sends besides writes goes through untouched.

    `about` holds what all entries of the request have in common.
    """

    __slots__ = (
        "_about",
        "_answered",
        "_doubted",
        "_engine",
        "_incomplete",
        "_journal",
        "_on_failure",
        "_step",
    )

    def __init__(self, journal: Journal, on_failure: OnFailure, engine: Engine, about: Entry) -> None:
        self._journal = journal
        self._on_failure = on_failure
        self._engine = engine
        self._about = about
        self._answered: list[Entry] = []
        self._doubted = False
        self._incomplete = ""
        self._step = 0

    async def send(self, call: Call, *, room: int | None = None) -> Answer:
        """See `Engine.send`; raises UpstreamFailed (NOT_SENT, JOURNAL) too."""
        self._step += 1
        if call.method in READS:
            return await self._engine.send(call, room=room)
        entry = replace(self._about, step=self._step, at=_now(), method=call.method)
        try:
            await self._journal.enter(entry)
        except OSError:
            if self._on_failure == "refuse":
                self._journal.note(entry.closing("not_sent", _now()))
                raise UpstreamFailed(Outcome.NOT_SENT, Fault.JOURNAL, _REFUSED) from None
        try:
            answer = await self._engine.send(call, room=room)
        except UpstreamFailed as failed:
            if failed.outcome is Outcome.NOT_SENT:
                self._journal.note(entry.closing("not_sent", _now()))
            else:
                self._doubted = True
                self._journal.note(entry.doubtful("unknown", failed.fault.code))
            raise
        except Exception:
            self._journal.note(entry.doubtful("unknown", Fault.INTERNAL.code))
            raise
        self._answered.append(entry)
        return answer

    async def close(self) -> None:
        """Nothing: the engine behind it goes on."""

    def incomplete(self, step: str) -> None:
        """What was written lacks what this step writes: the last of it stays in doubt, whoever has the answer.

        Unless one of the writes is in doubt already.
        """
        self._incomplete = step

    def settle(self, handed: bool) -> None:
        """Close what was answered if the caller has its answer (`handed`); else it is in doubt."""
        if self._incomplete and self._answered and not self._doubted:
            self._journal.note(self._answered.pop().doubtful("answered", self._incomplete))
        for entry in self._answered:
            self._journal.note(entry.closing("handed", _now()) if handed else entry.doubtful("answered"))
        self._answered.clear()


def _now() -> int:
    return time.time_ns() // 1_000_000
