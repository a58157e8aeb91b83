"""Shadow: the caller never waits for it, every difference is a line, and writes are never repeated."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from proxy.emulator import Misbehaviour
from tests.emulator.caller import FIRST_REF, fresh_platform, order
from tests.endtoend.running import Carried, carried

READ = f"/v2/orders/{FIRST_REF}"
ALL = {"shadow.sample": 1.0, "shadow.max_calls_per_second": 10_000}
STAGES: dict[str, Any] = {
    "v2": "v2",
    "shadow": "shadow",
    "canary": {"stage": "canary", "percent": 50},
    "live": "live",
    "v2.1": "v2.1",
}
WRITES = {"POST", "PUT", "PATCH", "DELETE"}


def test_the_callers_answer_does_not_wait_for_a_v2_1_that_hangs() -> None:
    with carried(["shadow"], keys=ALL) as proxy:
        proxy.json("POST", "/v2/orders", order())
        proxy.emulator.mischief.set("v2.1", Misbehaviour(slow=1.0, slow_seconds=30.0))
        times = []
        for _ in range(40):
            begun = time.perf_counter()
            assert proxy.ask("GET", READ).status == 200
            times.append(time.perf_counter() - begun)
        until = time.monotonic() + 5
        while shadows(proxy) == 0 and time.monotonic() < until:
            time.sleep(0.01)
        assert shadows(proxy) >= 1
        assert sorted(times)[len(times) // 2] < 0.1
        assert max(times) < 2.0


def shadows(proxy: Carried) -> int:
    """How many calls v2.1 got."""
    return sum(one.target.startswith(b"/v2.1/") for one in list(proxy.emulator.recorded))


def test_each_comparison_that_is_not_equal_is_one_line_without_a_value() -> None:
    with carried(["shadow"], keys=ALL, platform=fresh_platform(v2_1_timestamps="milliseconds")) as proxy:
        proxy.json("POST", "/v2/orders", order(price=47.11, orderedAt="2025-12-19T12:07:18.000Z"))
        for _ in range(5):
            proxy.json("GET", READ)
        wait_for_shadows(proxy, 5)
        assert proxy.log_lines("divergence") == []
        proxy.emulator.mischief.set("v2.1", Misbehaviour(drift=1.0))
        asked = 12
        for _ in range(asked):
            proxy.json("GET", READ)
        lines = proxy.log_lines("divergence", least=asked)
        assert len(lines) == len({one["request_id"] for one in lines}) == asked
        assert {(one["class"], one["endpoint"], one["stage"]) for one in lines} == {
            ("unexpected", "orders.get", "shadow")
        }
        pointers = {difference["pointer"] for one in lines for difference in one["differences"]}
        assert {"/price", "/channel", "/cardType"} <= pointers
        assert not re.search(r"47\.11|Visa|gold|loyaltyTier|B94TXY", json.dumps(lines))
        assert {one["request_id"] for one in lines} <= {
            one["request_id"] for one in proxy.log_lines("request")
        }


def wait_for_shadows(proxy: Carried, least: int) -> None:
    """Until v2.1 has been asked so often, and a moment more for the comparison."""
    until = time.monotonic() + 5
    while shadows(proxy) < least and time.monotonic() < until:
        time.sleep(0.01)
    assert shadows(proxy) >= least
    time.sleep(0.2)


def test_a_divergence_in_what_v2_1_answers_is_a_line_where_it_answers() -> None:
    with carried(["v2.1"], keys=ALL) as proxy:
        proxy.json("POST", "/v2/orders", order())
        proxy.emulator.mischief.set("v2.1", Misbehaviour(drift=1.0, seed=3))
        for _ in range(12):
            assert proxy.ask("GET", READ).status == 200
        lines = [one for one in proxy.log_lines("divergence", least=1) if one["class"] == "unexpected"]
        assert {one["evidence"] for one in lines} == {"contract"}
        assert "/price" in {difference["pointer"] for one in lines for difference in one["differences"]}


def mixed(proxy: Carried, number: int) -> tuple[str, int]:
    """One of several calls; for a write its mark, and the status of its answer."""
    mark = f"M-{number}-"
    match number % 6:
        case 0 | 1:
            heard = proxy.ask("POST", "/v2/orders", json.dumps(order(referenceId=mark)))
        case 2:
            heard = proxy.ask("POST", READ, json.dumps(order(cardType=mark)))
        case 3:
            heard = proxy.ask("POST", "/v2/orders", json.dumps(order(referenceId=mark, price="x")))
        case 4:
            return "", proxy.ask("GET", READ).status
        case _:
            return "", proxy.ask("GET", "/v2/orders?referenceId=B94TXY-1").status
    return mark, heard.status


@pytest.mark.parametrize("trouble", [False, True], ids=["well", "in trouble"])
@pytest.mark.parametrize("stage", STAGES)
def test_each_accepted_write_reaches_the_platform_once(stage: str, *, trouble: bool) -> None:
    with carried([STAGES[stage]], keys=ALL) as proxy:
        proxy.json("POST", "/v2/orders", order())
        proxy.emulator.recorded.clear()
        if trouble:
            bad = Misbehaviour(
                close=0.1, truncate=0.1, error_503=0.1, too_many=0.1, slow=0.1, slow_seconds=0.05
            )
            for version in proxy.emulator.mischief.table:
                proxy.emulator.mischief.set(version, bad)
        with ThreadPoolExecutor(4) as pool:
            said = list(pool.map(lambda number: mixed(proxy, number), range(300)))
        proxy.log_lines("request", least=301)
        time.sleep(0.2)
        written = Counter(
            found.group()
            for one in list(proxy.emulator.recorded)
            if one.method in WRITES and (found := re.search(r"M-\d+-", one.body.decode()))
        )
        accepted = {mark for mark, status in said if mark and status < 300}
        assert len(accepted) > 50
        assert all(written[mark] == 1 for mark in accepted)
        assert max(written.values()) == 1
