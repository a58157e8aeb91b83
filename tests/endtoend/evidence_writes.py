"""No second write: generated requests over sockets, in every stage, at every percentage, under every switch and in trouble.

`make one-write` sends 20,000; the ordinary run about a thousand. The platform records every request that reaches it. A
write that reaches it twice, or reaches it from the evidence, is a second write.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from typing import Any

from proxy.emulator import Misbehaviour
from tests.emulator.caller import CREDENTIALS, FIRST_REF, order
from tests.endtoend.running import Carried, carried
from tests.servers import fetch, request

READ = f"/v2/orders/{FIRST_REF}"
STAGES: tuple[Any, ...] = (
    "v2",
    "shadow",
    {"stage": "canary", "percent": 1},
    {"stage": "canary", "percent": 50},
    {"stage": "canary", "percent": 99},
    "live",
    "v2.1",
)
SWITCHES: tuple[dict[str, Any], ...] = (
    {},
    {"on_conflict": "update"},
    {"point_of_sale": "accept", "guest_ref": "ignore"},
    {"new_statuses": "pass", "both_filters": "referenceId"},
    {"order_delete": "forward", "update_status": 201},
)
TROUBLE = Misbehaviour(close=0.1, truncate=0.1, error_503=0.1, too_many=0.1, slow=0.2, slow_seconds=0.01)
_MARK = re.compile(rb"M-\d+-")


@dataclass(frozen=True)
class Told:
    """What became of so many requests: those sent, the writes that reached the platform, and those that came twice."""

    sent: int = 0
    written: int = 0
    twice: int = 0
    compared: int = 0

    def __add__(self, other: Told) -> Told:
        return Told(
            self.sent + other.sent,
            self.written + other.written,
            self.twice + other.twice,
            self.compared + other.compared,
        )


def generated(number: int, dice: random.Random) -> tuple[str, str, str]:
    """One call: method, target, body. Every write carries a mark of its own."""
    mark = f"M-{number}-"
    body = order(referenceId=dice.choice(["B94TXY-1", mark]), cardType=mark)
    for name in ("pointOfSale", "channel", "price", "status"):
        if dice.random() < 0.1:
            body[name] = dice.choice([None, "x", 1, []])
    match dice.randrange(8):
        case 0 | 1 | 2:
            return "POST", "/v2/orders" + dice.choice(["", "", "?guestRef=g"]), json.dumps(body)
        case 3 | 4:
            return "POST", READ, json.dumps(body)
        case 5:
            return "DELETE", f"/v2/orders/{mark}", ""
        case 6:
            return "GET", READ + dice.choice(["", "?expand=orderItems"]), ""
        case _:
            return "GET", "/v2/orders?referenceId=B94TXY-1", ""


def told(stage: Any, compat: dict[str, Any], *, trouble: bool, count: int, seed: int) -> Told:
    """Send so many through a proxy of its own, everything compared."""
    keys = {"shadow.sample": 1.0, "shadow.max_calls_per_second": 100_000}
    dice = random.Random(seed)
    calls = [generated(number, dice) for number in range(count)]
    with carried([stage], keys=keys, compat=compat) as proxy:
        proxy.ask("POST", "/v2/orders", json.dumps(order()))
        settled(proxy)
        proxy.emulator.recorded.clear()
        if trouble:
            for version in proxy.emulator.mischief.table:
                proxy.emulator.mischief.set(version, TROUBLE)
        with ThreadPoolExecutor(4) as pool:
            list(
                pool.map(lambda one: fetch(proxy.url, request(one[0], one[1], one[2], [CREDENTIALS])), calls)
            )
        settled(proxy)
        return counted(proxy, count)


def settled(proxy: Carried) -> None:
    """Wait until nothing is being compared any more."""
    until = time.monotonic() + 30
    while "crossfade_comparisons_in_flight 0.0" not in proxy.metrics() and time.monotonic() < until:
        time.sleep(0.02)


def counted(proxy: Carried, sent: int) -> Told:
    """What the platform has recorded."""
    writes: Counter[tuple[str, bytes]] = Counter()
    for one in list(proxy.emulator.recorded):
        if one.method in {"GET", "HEAD"}:
            assert not one.body
            continue
        found = _MARK.search(one.body) or _MARK.search(one.target)
        assert found, "a write that nobody sent"
        # A conflict that is answered by an update is two declared calls: they differ in their method.
        writes[one.method, found.group()] += 1
    posts = {mark for method, mark in writes if method == "POST"}
    doubled = sum(count - 1 for count in writes.values())
    doubled += sum(mark in posts and not _may_update(proxy) for method, mark in writes if method == "PUT")
    received = re.search(r"^crossfade_comparisons_received_total (\S+)", proxy.metrics(), re.MULTILINE)
    return Told(sent, writes.total(), doubled, int(float(received[1])) if received else 0)


def _may_update(proxy: Carried) -> bool:
    return proxy.snapshot.config.compat.get("on_conflict") == "update"


def everything(count: int) -> Told:
    """About so many requests over all stages and switches, a third of them in trouble."""
    rows = [
        (stage, compat, place % 3 == 0) for place, (stage, compat) in enumerate(product(STAGES, SWITCHES))
    ]
    each = -(-count // len(rows))
    found = Told()
    for seed, (stage, compat, trouble) in enumerate(rows):
        found += told(stage, compat, trouble=trouble, count=each, seed=seed)
    return found


def main() -> int:
    """Print what was found; 0 when no write came twice."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--count", type=int, default=20_000)
    begun = time.monotonic()
    found = everything(given.parse_args().count)
    print(  # noqa: T201 - the command's output
        f"{found.sent} requests, {found.written} writes at the platform, {found.compared} comparisons, "
        f"{found.twice} second writes, {time.monotonic() - begun:.0f} s"
    )
    return 1 if found.twice else 0


if __name__ == "__main__":
    sys.exit(main())
