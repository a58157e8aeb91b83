"""Fuzzing the translation: `python -m tests.fuzz.run --count 100000`.

Every body must be carried or refused with a reason, within a second, without any other exception; what is carried is JSON
and, when no rule acted, the very body that came.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter

import msgspec

from proxy.errors import Fault, Refused, Untranslatable
from proxy.exchange import Asked, Reply, exchange
from proxy.mapping.api import CompiledMapping
from proxy.types import Answer
from tests.fuzz.bodies import ANSWER, ORDER, bodies
from tests.mapping.goldens import asked, compiled

SLOW = 1.0
"""Seconds after which a body counts as a hang."""
_CALLERS_FAULT = {Fault.JSON, Fault.FIELD, Fault.DUPLICATE, Fault.UNTRANSLATABLE}


class FuzzError(Exception):
    """A body that was neither carried nor refused as it must be."""


def request(mapping: CompiledMapping, body: bytes) -> str:
    """Send one body; gives the name of how it ended."""
    template = asked(mapping, {"method": "POST", "target": "/v2/orders"})
    question = Asked(template.endpoint, {}, [], [], body)
    try:
        call = next(exchange(mapping, question))
    except Refused as refused:
        if refused.fault not in _CALLERS_FAULT or not refused.message or len(refused.detail) < 20:
            raise FuzzError(
                f"refused without a proper reason: {refused.fault.code} {refused.detail!r}"
            ) from None
        return refused.fault.code
    msgspec.json.decode(call.body, type=msgspec.Raw)
    call.body.decode()
    return "carried untouched" if call.body is body else "carried"


def answer(mapping: CompiledMapping, body: bytes, *, write: bool) -> str:
    """Receive one body; gives the name of how it ended."""
    sent = {"method": "POST", "target": "/v2/orders", "body": ORDER.decode()}
    question = asked(mapping, sent if write else {"method": "GET", "target": "/v2/orders/15b3b5d0"})
    running = exchange(mapping, question)
    next(running)
    try:
        running.send(Answer(201 if write else 200, [], body))
    except StopIteration as end:
        reply: Reply = end.value
        if reply.untranslated and (not write or reply.answer.body != body):
            raise FuzzError("an untranslatable answer was changed, or hidden in a read") from None
        return "passed untranslated" if reply.untranslated else "answered"
    except Untranslatable:
        if write:
            raise FuzzError("the answer to a write must reach the caller") from None
        return "refused as untranslatable"
    raise FuzzError("a further call was made")


def run(count: int, seed: int) -> Iterator[str]:
    """Run all bodies through; yields how each ended. Raises `FuzzError`, or whatever should not have happened."""
    mapping = compiled()
    for body in bodies(seed, count, ORDER):
        yield "request: " + _timed(partial(request, mapping, body), body)
    for number, body in enumerate(bodies(seed + 1, count, ANSWER)):
        write = bool(number % 2)
        yield f"{'write' if write else 'read'} answer: " + _timed(
            partial(answer, mapping, body, write=write), body
        )


def _timed(act: Callable[[], str], body: bytes) -> str:
    started = perf_counter()
    try:
        result = act()
    except Exception as error:
        raise FuzzError(f"{type(error).__name__}: {error} for {body[:300]!r} ({len(body)} bytes)") from error
    if perf_counter() - started > SLOW:
        raise FuzzError(f"took longer than {SLOW} s: {body[:300]!r} ({len(body)} bytes)")
    return result


def main() -> int:
    """The program: prints how many bodies ended how."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--count", type=int, default=100_000, help="bodies in all; half requests, half answers"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = perf_counter()
    try:
        endings = Counter(run(options.count // 2, options.seed))
    except FuzzError as broken:
        print(f"FAILED  {broken}")  # noqa: T201 - a program
        return 1
    for ending, number in sorted(endings.items()):
        print(f"{number:>8}  {ending}")  # noqa: T201 - a program
    print(f"{endings.total()} bodies, 0 crashes, 0 hangs, {perf_counter() - started:.0f} s")  # noqa: T201 - a program
    return 0


if __name__ == "__main__":
    sys.exit(main())
