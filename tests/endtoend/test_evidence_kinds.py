"""Every kind of evidence on real traffic: what each stage gives, what it says, and that none of it repeats a write."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from proxy.emulator import Misbehaviour, Platform, Switches
from tests.emulator.caller import FIRST_REF, fresh_platform, order
from tests.endtoend.running import Carried, carried

READ = f"/v2/orders/{FIRST_REF}"
ALL = {"shadow.sample": 1.0, "shadow.max_calls_per_second": 10_000}
WRITES = {"POST", "PUT", "PATCH", "DELETE"}
FAULTS = {
    "close": Misbehaviour(close=1.0),
    "error_503": Misbehaviour(error_503=1.0),
    "error_500": Misbehaviour(error_500=1.0),
}
_COUNT = re.compile(
    r'crossfade_comparisons_total\{class="(\w+)",endpoint="([\w.]+)",evidence="(\w+)"\} (\S+)'
)


def ended(proxy: Carried, least: int) -> Counter[tuple[str, str, str]]:
    """How comparisons ended, by evidence, endpoint and class; waits until so many have, and none is in flight."""
    until = time.monotonic() + 10
    while True:
        text = proxy.metrics()
        found = Counter(
            {(kind, where, cls): int(float(count)) for cls, where, kind, count in _COUNT.findall(text)}
        )
        idle = "crossfade_comparisons_in_flight 0.0" in text
        if (idle and found.total() >= least) or time.monotonic() > until:
            return found
        time.sleep(0.02)


def unexpected(proxy: Carried, evidence: str) -> list[dict[str, Any]]:
    lines = proxy.log_lines("divergence")
    return [one for one in lines if one["class"] == "unexpected" and one["evidence"] == evidence]


@pytest.mark.parametrize(
    ("stage", "kinds"),
    [
        ("v2", {}),
        ("shadow", {"shadow_read": 1, "translate_only": 2, "read_back": 2}),
        ({"stage": "canary", "percent": 100}, {"contract": 3, "reverse_shadow": 1, "read_back": 2}),
        ("live", {"contract": 3, "reverse_shadow": 1, "read_back": 2}),
        ("v2.1", {"contract": 3}),
    ],
)
def test_each_stage_gives_its_kinds_of_evidence_and_an_undisturbed_platform_agrees(
    stage: Any, kinds: dict[str, int]
) -> None:
    with carried([stage], keys=ALL, platform=fresh_platform(v2_1_timestamps="milliseconds")) as proxy:
        for method, target, body in (
            ("POST", "/v2/orders", order()),
            ("POST", READ, order(cardType="Amex")),
            ("GET", READ, b""),
        ):
            proxy.json(method, target, body)
            time.sleep(0.1)
            ended(proxy, 0)  # else the next write would be a race
        found = ended(proxy, sum(kinds.values()))
        by_kind: Counter[str] = Counter()
        for (kind, _, cls), count in found.items():
            assert cls in {"equal", "expected"}, proxy.log_lines("divergence")
            by_kind[kind] += count
        assert by_kind == kinds
        written = [one for one in list(proxy.emulator.recorded) if one.method in WRITES]
        assert len(written) == 2
        versions = {one.target.split(b"/")[1] for one in list(proxy.emulator.recorded)}
        assert stage != "v2.1" or versions == {b"v2.1"}


def test_after_the_switch_a_difference_is_seen_by_asking_v2() -> None:
    with carried(["live"], keys=ALL) as proxy:
        proxy.json("POST", "/v2/orders", order())
        ended(proxy, 2)
        proxy.emulator.mischief.set("v2", Misbehaviour(drift=1.0, way="drops cardType"))
        proxy.json("GET", READ)
        ended(proxy, 4)
        (line,) = unexpected(proxy, "reverse_shadow")
        assert [(one["pointer"], one["kind"]) for one in line["differences"] if one["rule"] is None] == [
            ("/cardType", "extra")
        ]


def test_a_write_that_v2_takes_and_v2_1_cannot_be_told_is_named_with_its_rule() -> None:
    with carried(["shadow"], keys=ALL) as proxy:
        proxy.json("POST", "/v2/orders?guestRef=x", order())
        ended(proxy, 2)
        (line,) = unexpected(proxy, "translate_only")
        assert [(one["kind"], one["rule"]) for one in line["differences"]] == [
            ("untranslatable", "orders.create.guest")
        ]


def test_what_a_write_has_left_is_read_through_both() -> None:
    with carried(["shadow"], keys=ALL) as proxy:
        proxy.emulator.mischief.set("v2.1", Misbehaviour(drift=1.0, way="drops cardType"))
        proxy.json("POST", "/v2/orders", order())
        ended(proxy, 2)
        (line,) = unexpected(proxy, "read_back")
        assert (line["endpoint"], line["differences"][0]["pointer"]) == ("orders.create", "/cardType")


@pytest.mark.parametrize("stage", ["v2", "shadow"])
def test_a_create_that_meets_an_order_is_counted_while_v2_answers(stage: str) -> None:
    with carried([stage], keys=ALL, platform=fresh_platform()) as proxy:
        proxy.json("POST", "/v2/orders", order())
        assert proxy.log_lines("would_conflict") == []
        proxy.json("POST", "/v2/orders", order(price=13))
        (line,) = proxy.log_lines("would_conflict", least=1)
        assert (line["endpoint"], line["stage"]) == ("orders.create", stage)
        assert 'crossfade_would_conflict_total{endpoint="orders.create"} 1.0' in proxy.metrics()
        if stage == "shadow":
            ended(proxy, 4)
            (divergence,) = unexpected(proxy, "translate_only")
            assert (divergence["differences"][0]["v2"], divergence["differences"][0]["v2_1"]) == (201, 409)


def test_with_a_look_up_a_matching_create_is_no_conflict() -> None:
    with carried(["shadow"], keys=ALL, compat={"on_conflict": "update"}) as proxy:
        proxy.json("POST", "/v2/orders", order())
        proxy.json("POST", "/v2/orders", order(price=13))
        ended(proxy, 4)
        assert unexpected(proxy, "translate_only") == []


def test_a_record_that_changes_within_the_second_is_a_race() -> None:
    """v2.1 prints whole seconds: only reading v2 once more tells a change from a divergence."""
    platform = Platform(Switches(), clock=lambda: datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC))
    with carried(["shadow"], keys={**ALL, "shadow.workers": 1}, platform=platform) as proxy:
        made = proxy.json("POST", "/v2/orders", order())
        ended(proxy, 2)
        proxy.emulator.mischief.set("v2", Misbehaviour(slow=1.0, slow_seconds=0.5))
        ref = made["ref"]
        with ThreadPoolExecutor(1) as pool:
            read = pool.submit(proxy.json, "GET", f"/v2/orders/{ref}")
            time.sleep(0.25)  # v2's answer is made, and on its way
            changed = {**platform.orders[ref].members, "price": b"99"}
            object.__setattr__(platform.orders[ref], "members", changed)
            assert read.result()["price"] == 12
        found = ended(proxy, 3)
        assert found["shadow_read", "orders.get", "race"] == 1, proxy.log_lines("divergence")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failure_of_v2_1_towards_a_caller_is_evidence(fault: str) -> None:
    heard: list[tuple[str, str | None, float]] = []
    with carried(["v2.1"], keys=ALL) as proxy:
        proxy.snapshot.evidence.listen(
            lambda seen, verdict: heard.append((verdict.cls, verdict.reason, seen.seconds))
        )
        proxy.emulator.mischief.set("v2.1", FAULTS[fault])
        assert proxy.ask("GET", READ).status >= 500
        assert proxy.ask("POST", "/v2/orders", json.dumps(order())).status >= 500
        ended(proxy, 2)
        assert [(cls, reason) for cls, reason, _ in heard] == [("failed", "v2_1_failed")] * 2
        assert all(0 < seconds < 5 for *_, seconds in heard)


def test_what_the_translation_hides_is_counted_by_rule() -> None:
    with carried(["v2.1"], keys=ALL) as proxy:
        made = proxy.json("POST", "/v2/orders", order())
        platform = proxy.emulator.platform
        members = {**platform.orders[made["ref"]].members, "status": b'"SEARCHED"'}
        object.__setattr__(platform.orders[made["ref"]], "members", members)
        assert proxy.json("GET", READ)["status"] == "UNKNOWN"
        ended(proxy, 2)
        hidden = re.findall(
            r'crossfade_hidden_total\{endpoint="orders.get",rule="([\w.-]+)"\}', proxy.metrics()
        )
        assert "values.status.searched" in hidden
        assert "codec.href" not in hidden
        assert "codec.timestamp" not in hidden
