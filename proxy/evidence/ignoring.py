"""Ignore rules: differences that somebody answers for until a date. They take effect in classification, and are counted.

An ignored difference is *expected*, by the rule's place in the file (`ignore[0]`). What could not be translated is never
ignored. A rule that is over explains nothing any more; meeting it is a warning, once a day.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase

import msgspec

from proxy.config.model import Ignore
from proxy.evidence.classify import Verdict, classify
from proxy.evidence.difference import Difference
from proxy.log import EventLog


def place(number: int) -> str:
    """What a rule is called: its place in the file."""
    return f"ignore[{number}]"


def rule_for(rules: Sequence[Ignore], endpoint: str, difference: Difference) -> int | None:
    """The first rule that names an unexpected difference, over or not; `None` where there is none."""
    if not difference.unexpected or difference.kind == "untranslatable":
        return None
    for number, rule in enumerate(rules):
        if rule.path == difference.pointer and fnmatchcase(endpoint, rule.endpoint):
            return number
    return None


class Ignores:
    """The rules of one configuration. `count` hears how often each explained a difference; `today` is the date in UTC."""

    def __init__(
        self,
        rules: Sequence[Ignore],
        log: EventLog,
        count: Callable[[str, int], None],
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        self._rules = tuple(rules)
        self._log = log
        self._count = count
        self._today = today
        self._told: set[tuple[int, date]] = set()
        now = today()
        for number, rule in enumerate(self._rules):
            count(place(number), 0)  # a rule that never fires is seen to stay at nothing
            if rule.until < now:
                self._warn(number, now)

    def applied(self, endpoint: str, verdict: Verdict) -> Verdict:
        """The verdict with what is ignored taken for expected."""
        if verdict.cls != "unexpected" or not self._rules:
            return verdict
        now = self._today()
        kept = [self._explained(one, endpoint, now) for one in verdict.differences]
        return msgspec.structs.replace(classify(kept, verdict.statuses), hidden=verdict.hidden)

    def _explained(self, difference: Difference, endpoint: str, now: date) -> Difference:
        number = rule_for(self._rules, endpoint, difference)
        if number is None:
            return difference
        if self._rules[number].until < now:
            self._warn(number, now)
            return difference
        self._count(place(number), 1)
        return msgspec.structs.replace(difference, rule=place(number))

    def _warn(self, number: int, now: date) -> None:
        if (number, now) in self._told:
            return
        self._told.add((number, now))
        rule = self._rules[number]
        self._log.write(
            "expired",
            ignore=place(number),
            endpoint=rule.endpoint,
            owner=rule.owner,
            until=rule.until.isoformat(),
        )
