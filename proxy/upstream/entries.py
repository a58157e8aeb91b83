"""What stands in a journal: one line for each thing that is known of a write, and how lines add up. Pure.

    open → answered → handed            the usual way; `answered` is written only where the caller was gone
         → not_sent                     nothing left this process
         → unknown → resolved           nobody knows, until an operator has looked

A line that says more stands above one that says less, wherever it was written: lines of several files can be read in any
order. A line cut short by a crash, and any other that cannot be read, is passed over: a write is only sent once its line
is whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

import msgspec
from msgspec.structs import replace

State: TypeAlias = Literal["open", "answered", "unknown", "handed", "not_sent", "resolved"]

_RANKS: dict[State, int] = {"open": 0, "answered": 1, "unknown": 1, "handed": 2, "not_sent": 2, "resolved": 2}
_CLOSED = 2

Key: TypeAlias = tuple[str, int]
"""A write: the request's id and the number of the step."""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One line. A closing line carries nothing but its state, its time and the write that it closes.

    `at` is milliseconds since 1970. `record` is the keyed hash of the record's key, empty where the call names none.
    `code` is what the caller was told.
    """

    state: State
    request: str
    step: int
    at: int
    endpoint: str = ""
    method: str = ""
    version: str = ""
    caller: str = ""
    record: str = ""
    code: str = ""

    @property
    def key(self) -> Key:
        """The write that it is about."""
        return self.request, self.step

    @property
    def closed(self) -> bool:
        """Whether nobody needs to look at this write any more."""
        return _RANKS[self.state] == _CLOSED

    def closing(self, state: State, at: int) -> Entry:
        """The line that closes this write."""
        return Entry(state, self.request, self.step, at)

    def doubtful(self, state: State, code: str = "") -> Entry:
        """The line that leaves it in doubt."""
        return replace(self, state=state, code=code)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Entry)


def line(entry: Entry) -> bytes:
    """The line of an entry, its end included."""
    return _encoder.encode(entry) + b"\n"


def read(data: bytes) -> list[Entry]:
    """The entries of a journal; what is no whole line of one is left out."""
    found = []
    for text in data.split(b"\n"):
        try:
            found.append(_decoder.decode(text))
        except msgspec.DecodeError:
            continue
    return found


def standing(entries: Iterable[Entry]) -> dict[Key, Entry]:
    """What is known of each write that is not closed, in the order in which they were begun."""
    known: dict[Key, Entry] = {}
    for entry in entries:
        before = known.get(entry.key)
        if before is None or _RANKS[entry.state] >= _RANKS[before.state]:
            known[entry.key] = entry
    return {key: entry for key, entry in known.items() if not entry.closed}
