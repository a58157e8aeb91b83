"""Who plays the platform, and who calls, in the machine of at-most-once: each call ends as the machine says."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from proxy.errors import Fault, UpstreamFailed
from proxy.types import Answer, Call, Headers, Outcome
from proxy.upstream.request import READS
from proxy.wire.headers import first
from tests.emulator.caller import FIRST_REF, order

NAME = b"X-Write"
"""The header in which a caller names its write; it goes along to the platform."""
Fate: TypeAlias = Literal["refused", "lost", "broken", "done", "odd", "conflict", "failed", "mistake"]
EXECUTED: frozenset[Fate] = frozenset({"broken", "done", "odd", "mistake"})
"""The ends of a write that the platform has executed."""
State: TypeAlias = Literal["flying", "not_sent", "unknown", "answered", "handed"]
_ENDED: dict[Fate, State] = {
    "refused": "not_sent",
    "lost": "unknown",
    "broken": "unknown",
    "mistake": "unknown",
}
"""What is known of a call that was not answered."""


@dataclass(eq=False)
class Sent:
    """One call that has reached the engine: which write it belongs to, its place in the journal, and its state."""

    name: str
    key: tuple[str, int]
    call: Call
    ending: asyncio.Future[Fate]
    state: State = "flying"

    @property
    def write(self) -> bool:
        return self.call.method not in READS


@dataclass
class Ledger:
    """All that was ever sent, and what was executed: it outlives every process."""

    executed: Counter[str] = field(default_factory=Counter)
    sent: list[Sent] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Promises that were broken; an exception here would end as an answer, and nobody would hear it."""

    def flying(self) -> list[Sent]:
        """The calls that wait for their end."""
        return [one for one in self.sent if not one.ending.done()]

    async def carry(self, call: Call) -> Answer:
        """Hold a call until somebody says how it ends."""
        name = (first(call.headers, NAME) or b"").decode()
        before = [one for one in self.sent if one.name == name]
        if any(one.write and one.state != "answered" for one in before):
            self.broken.append("a step was sent although the one before it was not answered")
        request = (first(call.headers, b"x-crossfade-request-id") or b"").decode()
        mine = Sent(name, (request, len(before) + 1), call, asyncio.get_running_loop().create_future())
        self.sent.append(mine)
        fate = await mine.ending
        mine.state = _ENDED.get(fate, "answered")
        if mine.write:
            self.executed[name] += fate in EXECUTED
        return _ended(fate, call, name)


def _ended(fate: Fate, call: Call, name: str) -> Answer:
    match fate:
        case "refused":
            raise UpstreamFailed(
                Outcome.NOT_SENT, Fault.UNREACHABLE, "http://platform: the connection was refused"
            )
        case "lost" | "broken":
            raise UpstreamFailed(Outcome.UNKNOWN, Fault.BROKEN, "http://platform: the connection was reset")
        case "mistake":
            raise RuntimeError
        case "conflict":
            return Answer(409, [], b'{"status":409}')
        case "failed":
            return Answer(500, [], b"<html>")
        case "odd":
            return Answer(201, [], b'{"ref":')
        case "done":
            one = order(referenceId=name, ref=FIRST_REF)
            listed = call.method == "GET" and b"?" in call.target
            return Answer(200, [], json.dumps({"items": [one]} if listed else one).encode())


@dataclass
class Acting:
    """An engine in front of the platform that the machine plays."""

    ledger: Ledger

    async def send(self, call: Call, *, room: int | None = None) -> Answer:
        return await self.ledger.carry(call)

    async def close(self) -> None:
        return


@dataclass
class Comparing:
    """The engine of comparisons: it may read."""

    ledger: Ledger

    async def send(self, call: Call, *, room: int | None = None) -> Answer:
        if call.method not in READS:
            self.ledger.broken.append("a comparison has written")
        return Answer(404, [], b"{}")

    async def close(self) -> None:
        return


class Caller:
    """The connection of one caller, as the server sees it, and what has come over it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.gone = False
        self.leaving: Callable[[], object] | None = None
        self.heard: Answer | None = None
        self.task: asyncio.Task[None] | None = None
        self.handed: bool | None = None
        """Whether it has its answer; nobody knows yet while this is None."""
        self._told: Callable[[bool], None] | None = None

    def when_handed(self, told: Callable[[bool], None]) -> None:
        self._told = told
        if self.gone:
            self.take(handed=False)

    def at_hand(self, most: int) -> bytes | None:
        return None

    async def answer(self, answer: Answer, *, head: bool) -> None:
        assert not head or not answer.body
        self.heard = answer

    @property
    def waits(self) -> bool:
        """Whether its answer is on the way through the kernel."""
        return self._told is not None and self.handed is None

    def take(self, *, handed: bool) -> None:
        """The kernel has its answer, or never will."""
        assert self._told is not None
        self.handed = handed
        self._told(handed)

    def said(self, name: bytes) -> str:
        """A field of its answer, empty without one."""
        headers: Headers = self.heard.headers if self.heard else []
        return (first(headers, name.lower()) or b"").decode()
