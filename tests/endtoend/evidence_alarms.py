"""False alarms: reads of orders that others change all the while, on a platform that does nothing wrong.

`make false-alarms` makes 10,000 comparisons; the ordinary run some hundreds. Both versions read the same store, so
every `unexpected` is a false alarm.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from proxy.emulator import Platform
from tests.emulator.caller import order
from tests.endtoend.running import Carried, carried

ORDERS = 8
STAGES: tuple[Any, ...] = ("shadow", {"stage": "canary", "percent": 50}, "live")
_ENDED = re.compile(r'^crossfade_comparisons_total\{class="(\w+)".*\} (\S+)$', re.MULTILINE)


def classes(proxy: Carried) -> Counter[str]:
    """How comparisons ended so far."""
    found: Counter[str] = Counter()
    for cls, count in _ENDED.findall(proxy.metrics()):
        found[cls] += int(float(count))
    return found


def alarms(stage: Any, least: int) -> Counter[str]:
    """The classes of so many comparisons under concurrent updates, in one stage; at most five minutes."""
    keys = {"shadow.sample": 1.0, "shadow.max_calls_per_second": 100_000, "log.requests": "off"}
    prices = itertools.count(1)
    over = threading.Event()
    with carried([stage], keys=keys, platform=Platform()) as proxy:
        refs = [
            proxy.json("POST", "/v2/orders", order(referenceId=f"R-{number}"))["ref"]
            for number in range(ORDERS)
        ]

        def update(ref: str, name: str) -> None:
            while not over.wait(0.02):
                body = order(referenceId=name, price=next(prices))
                proxy.ask("POST", f"/v2/orders/{ref}", json.dumps(body))

        def read(turn: int) -> None:
            place = turn % ORDERS
            target = (
                f"/v2/orders/{refs[place]}" if turn % 3 else f"/v2/orders?referenceId=R-{place}&expand=true"
            )
            proxy.ask("GET", target)

        until = time.monotonic() + 300
        with ThreadPoolExecutor(5) as pool:
            writers = [pool.submit(update, refs[place], f"R-{place}") for place in range(2)]
            turns = itertools.count()
            while _judged(classes(proxy)) < least and time.monotonic() < until:
                list(pool.map(read, itertools.islice(turns, 30)))
            over.set()
            for one in writers:
                one.result()
        return classes(proxy)


def _judged(found: Counter[str]) -> int:
    return sum(found[cls] for cls in ("equal", "expected", "noise", "race", "unexpected"))


def everything(least: int) -> Counter[str]:
    """So many comparisons over all stages that ask both versions."""
    found: Counter[str] = Counter()
    for stage in STAGES:
        found += alarms(stage, -(-least // len(STAGES)))
    return found


def main() -> int:
    """Print what was found; 0 when there was at most one false alarm in 10,000."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--count", type=int, default=10_000)
    begun = time.monotonic()
    found = everything(given.parse_args().count)
    shown = ", ".join(f"{count} {cls}" for cls, count in sorted(found.items()))
    print(f"{_judged(found)} comparisons: {shown}; {time.monotonic() - begun:.0f} s")  # noqa: T201 - the command's output
    return 1 if found["unexpected"] * 10_000 > _judged(found) else 0


if __name__ == "__main__":
    sys.exit(main())
