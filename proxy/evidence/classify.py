"""From differences to one class: the classes exclude each other, and every comparison ends in exactly one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from proxy.evidence.difference import Difference

Class: TypeAlias = Literal["equal", "expected", "noise", "race", "unexpected", "failed", "skipped"]
CLASSES: tuple[Class, ...] = ("equal", "expected", "noise", "race", "unexpected", "failed", "skipped")

Reason: TypeAlias = Literal[
    "unreachable", "broken", "bad_answer", "timeout", "overloaded", "rate_limited", "ambiguous_json",
    "compare_error", "v2_1_failed", "v2_failed",
    "too_large", "dropped", "rate", "paused", "credentials", "conditional", "v2_refused", "no_body", "coding",
    "no_contract", "no_record", "breaker", "lag", "stopped",
]  # fmt: skip
"""Why a comparison failed (the first two lines) or was not made (`v2_failed` too); docs/evidence.md explains each."""


class Verdict(msgspec.Struct, frozen=True):
    """How a comparison ended. `statuses` are v2's and ours, as far as they are known."""

    cls: Class
    differences: Sequence[Difference] = ()
    statuses: tuple[int | None, int | None] = (None, None)
    reason: Reason | None = None
    hidden: Sequence[str] = ()
    """Rules that kept something of v2.1's own answer from the caller, whatever the class."""


def classify(differences: Sequence[Difference], statuses: tuple[int | None, int | None]) -> Verdict:
    """The class of a finished comparison: the worst of what its differences are."""
    return Verdict(_class(differences), tuple(differences), statuses)


def failed(reason: Reason) -> Verdict:
    """A comparison that was begun and could not be finished: it says nothing about the answers."""
    return Verdict("failed", reason=reason)


def skipped(reason: Reason) -> Verdict:
    """A comparison that was not made."""
    return Verdict("skipped", reason=reason)


def _class(differences: Sequence[Difference]) -> Class:
    if not differences:
        return "equal"
    if any(one.unexpected for one in differences):
        return "unexpected"
    excuses = {one.excuse for one in differences if one.rule is None}
    if not excuses:
        return "expected"
    return "race" if "race" in excuses else "noise"
