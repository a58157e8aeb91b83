"""Distinct records: one bad order that many poll is one event, not many.

Whether a record counts is decided before its outcome is looked at, since a test that picks its evidence by what it says
proves nothing. A good record counts again after a minute, so that a break is also seen in records that were fine before;
a bad one counts once a day.
"""

from __future__ import annotations

GOOD_WINDOW = 60.0
"""Seconds in which a record that was good counts once."""
BAD_WINDOW = 86_400.0
"""Seconds in which a record that was bad counts once."""
_GOOD_KEPT = 20_000
_BAD_KEPT = 5_000
"""Records that are remembered; beyond it the oldest is forgotten, and counts again a little early."""


class Distinct:
    """The records of one test, each with the time until which it does not count again. `bad` survives a restart."""

    def __init__(self, bad: dict[str, float] | None = None) -> None:
        self.bad = {} if bad is None else bad
        self._good: dict[str, float] = {}

    def counts(self, record: str, now: float) -> bool:
        """Whether a record is evidence now (seconds since 1970)."""
        return not (
            _waits(self._good.get(record, 0.0), now, GOOD_WINDOW)
            or _waits(self.bad.get(record, 0.0), now, BAD_WINDOW)
        )

    def add(self, record: str, now: float, *, bad: bool) -> None:
        """A record has counted."""
        kept, window, most = (
            (self.bad, BAD_WINDOW, _BAD_KEPT) if bad else (self._good, GOOD_WINDOW, _GOOD_KEPT)
        )
        kept.pop(record, None)
        kept[record] = now + window
        if len(kept) > most:
            del kept[next(iter(kept))]


def _waits(until: float, now: float, window: float) -> bool:
    """Whether it is not time yet. What lies further ahead was noted before the clock was set back, and holds nobody."""
    return now < until <= now + 2 * window
