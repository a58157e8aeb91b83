"""What callers do wrong (R§1.5, C1 to C8), and how it ends; `test_callers.py` does all of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Habit:
    """One habit of callers: how a read ends, and how a write does."""

    id: str
    says: str
    read: str
    write: str


HEAD_MISSING = "408 `CF-HEAD-TIMEOUT` not_sent"
BODY_MISSING = "408 `CF-BODY-TIMEOUT` not_sent"

HABITS = {
    habit.id: habit
    for habit in (
        Habit("C1", "leaves before its body", "has no body", "nothing is sent; logged as `CF-BODY-TIMEOUT`"),
        Habit(
            "C2",
            "leaves in the middle of its body",
            "has no body",
            "nothing is sent; logged as `CF-BODY-TIMEOUT`",
        ),
        Habit(
            "C3",
            "leaves while the platform works",
            "the call to the platform ends too; logged as 499",
            "the platform answers, once, and the write is in doubt: nobody has the answer",
        ),
        Habit("C4", "reads its answer slowly", "it gets all of it, and nobody else waits", "the same"),
        Habit(
            "C5",
            "sends its header section byte by byte",
            HEAD_MISSING,
            HEAD_MISSING,
        ),
        Habit("C6", "sends its body byte by byte", "has no body", BODY_MISSING),
        Habit(
            "C7",
            "sends the next requests before it has its answers",
            "answered in order",
            "the same, each sent once",
        ),
        Habit(
            "C8", "closes its side after the request", "ends as if the caller had left", "it gets its answer"
        ),
    )
}
