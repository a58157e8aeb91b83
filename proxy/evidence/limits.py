"""What comparing may cost a caller: calls per second, and pauses when the platform asks for one."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Generic, TypeVar

from proxy.types import Answer
from proxy.wire.headers import first

CREDENTIAL_PAUSE = 300.0
"""Seconds without shadow calls for a credential that the platform has turned away: comparing must lock nobody out."""
PAUSE = 10.0
"""Seconds of a pause that the platform asks for without saying how long."""
LONGEST_PAUSE = 3600.0
_REMEMBERED = 1024

Value = TypeVar("Value")


class _Recent(Generic[Value]):
    """The last thousand names, each with a value: memory stays bounded whoever calls."""

    def __init__(self) -> None:
        self._values: dict[bytes, Value] = {}

    def get(self, name: bytes) -> Value | None:
        return self._values.get(name)

    def put(self, name: bytes, value: Value) -> None:
        self._values.pop(name, None)
        self._values[name] = value
        if len(self._values) > _REMEMBERED:
            del self._values[next(iter(self._values))]


class Limits:
    """Asked before each shadow call. `clock` gives seconds that never go back.

    Credentials are kept whole and in memory only, so that somebody's wrong password stops nobody else's evidence.
    """

    def __init__(self, calls_per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._calls = max(1, int(calls_per_second))
        self._window = max(1.0, 1 / calls_per_second) if calls_per_second else float("inf")
        self._none = not calls_per_second
        self._sent: _Recent[deque[float]] = _Recent()
        self._callers: _Recent[float] = _Recent()
        self._credentials: _Recent[float] = _Recent()

    def wait(self, caller: str) -> float:
        """Seconds until this caller's next call may leave; 0 means now, and that it is counted as sent.

        In no window of a second are there more calls than allowed, wherever the window begins.
        """
        if self._none:
            return self._window
        now, name = self._clock(), caller.encode()
        sent = self._sent.get(name) or deque(maxlen=self._calls)
        if len(sent) == self._calls and now - sent[0] < self._window:
            return self._window - (now - sent[0])
        sent.append(now)
        self._sent.put(name, sent)
        return 0.0

    def pause_caller(self, caller: str, seconds: float) -> None:
        """Send nothing for this caller for a while."""
        self._callers.put(caller.encode(), self._clock() + seconds)

    def pause_credential(self, authorization: bytes) -> None:
        """Send nothing with this credential for `CREDENTIAL_PAUSE`."""
        self._credentials.put(authorization, self._clock() + CREDENTIAL_PAUSE)

    def caller_paused(self, caller: str) -> bool:
        """Whether the platform has asked for a pause that is not over."""
        return (self._callers.get(caller.encode()) or 0.0) > self._clock()

    def credential_paused(self, authorization: bytes) -> bool:
        """Whether the platform has turned this credential away a short while ago."""
        return (self._credentials.get(authorization) or 0.0) > self._clock()


def pause_asked(answer: Answer) -> float:
    """Seconds of the pause that an answer asks for (RFC 9110 §10.2.3, RFC 6585 §4); 0 for none."""
    value = first(answer.headers, b"retry-after")
    if value is None:
        return PAUSE if answer.status == 429 else 0.0
    text = value.decode("latin-1").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_PAUSE)
    try:
        seconds = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, OverflowError):
        return PAUSE
    return min(max(seconds, 0.0), LONGEST_PAUSE)
