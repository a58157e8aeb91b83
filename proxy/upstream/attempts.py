"""How attempts to call an upstream end, and how many more may be made: a budget keeps an outage from being multiplied.

Each call earns a tenth of a retry and each retry costs a whole one, so that retries stay at a tenth of the calls however
long an upstream is away. What was earned in good times is kept, up to ten retries.
"""

from __future__ import annotations

from random import uniform
from typing import Literal, TypeAlias

from proxy.types import Outcome

_COST = 10
_MOST = 10 * _COST

_PAUSES = (0.05, 0.1)


def pauses(*, write: bool) -> tuple[float, ...]:
    """Seconds before each time that a failed connect is tried again: twice for a read, once for a write (R§1.4)."""
    jitter = uniform(0.5, 1.5)  # noqa: S311 - spreads callers, hides nothing
    return tuple(jitter * pause for pause in _PAUSES[: 1 if write else 2])


Reason: TypeAlias = Literal["not_connected", "stale"]
"""Why an attempt was made again: nothing was sent; or an idle connection turned out to be closed (reads only)."""


class Attempts:
    """The attempts of one upstream in this process, counted for the metrics, and its retry budget (R§1.4)."""

    __slots__ = ("_balance", "denied", "ended", "retried")

    def __init__(self) -> None:
        self._balance = 0
        self.ended: dict[Outcome, int] = dict.fromkeys(Outcome, 0)
        """Attempts by how they ended."""
        self.retried: dict[Reason, int] = {"not_connected": 0, "stale": 0}
        """Attempts that were made again."""
        self.denied = 0
        """Attempts that would have been made again if the budget had let them."""

    def begin(self) -> None:
        """A call begins, and earns its share of a retry."""
        if self._balance < _MOST:
            self._balance += 1

    def again(self, reason: Reason) -> bool:
        """Whether an attempt may be made again; if so, that is counted."""
        if self._balance <= 0:
            self.denied += 1
            return False
        self._balance -= _COST
        self.retried[reason] += 1
        return True
