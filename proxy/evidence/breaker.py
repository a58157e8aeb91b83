"""The breaker of one version: when it fails again and again, evidence leaves it alone for a while, then tries one call.

closed ── FAILURES in a row ──► open for PAUSE ── over ──► half open: one call
▲                               ▲                            │
└────────── answered ───────────┼────────────────────────────┤
└── failed, twice as long ───┘
"""

from __future__ import annotations

import time
from collections.abc import Callable

FAILURES = 5
"""Failures in a row that open it."""
PAUSE = 5.0
"""Seconds of the first pause; each further one is twice as long."""
LONGEST = 60.0
"""Seconds of the longest pause."""


class Breaker:
    """Counts what became of the calls to one version. `clock` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._pause = 0.0
        self._until = 0.0
        self._trying = False

    @property
    def open(self) -> bool:
        """Whether it keeps calls back."""
        return self._pause > 0

    def passes(self) -> bool:
        """Whether a call may be made now. The one that tries a version again keeps others waiting for its pause."""
        if not self.open:
            return True
        now = self._clock()
        if now < self._until:
            return False
        self._until = now + self._pause
        self._trying = True
        return True

    def answered(self) -> bool:
        """A call was answered properly; says whether that closed the breaker."""
        closed = self.open
        self._failures, self._pause, self._trying = 0, 0.0, False
        return closed

    def failed(self) -> bool:
        """A call failed; says whether that opened the breaker, which was closed before."""
        self._failures += 1
        if self.open:
            if self._trying:  # else it was on its way before the breaker opened
                self._pause = min(self._pause * 2, LONGEST)
                self._until, self._trying = self._clock() + self._pause, False
            return False
        if self._failures < FAILURES:
            return False
        self._pause, self._until = PAUSE, self._clock() + PAUSE
        return True
