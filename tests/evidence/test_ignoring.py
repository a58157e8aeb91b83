"""Ignore rules take effect in classification, are counted, and end on their day."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from proxy.config.model import Ignore
from proxy.emulator import Misbehaviour
from proxy.evidence.classify import classify
from proxy.evidence.difference import Difference
from proxy.evidence.ignoring import Ignores
from proxy.log import open_log
from tests.emulator.caller import FIRST_REF, order
from tests.endtoend.running import Carried, carried
from tests.store.test_trouble import wait_for

PRICE = Difference("/price", "type", "number", "string")
CARD = Difference("/cardType", "missing", "string", None)
LOST = Difference("/price", "untranslatable", None, None)
READ = f"/v2/orders/{FIRST_REF}"
DAY = date(2026, 11, 23)


def rule(path: str = "/price", endpoint: str = "orders.get", until: date = DAY) -> Ignore:
    return Ignore(endpoint=endpoint, path=path, reason="known", owner="ana", until=until)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


@pytest.mark.parametrize(
    ("rules", "differences", "cls", "named"),
    [
        ([rule()], [PRICE], "expected", ["ignore[0]"]),
        ([rule(), rule("/cardType")], [PRICE, CARD], "expected", ["ignore[0]", "ignore[1]"]),
        ([rule()], [PRICE, CARD], "unexpected", ["ignore[0]", None]),
        ([rule(endpoint="orders.*")], [PRICE], "expected", ["ignore[0]"]),
        ([rule(endpoint="*"), rule()], [PRICE], "expected", ["ignore[0]"]),
        ([rule(endpoint="orders.list")], [PRICE], "unexpected", [None]),
        ([rule("/price/more")], [PRICE], "unexpected", [None]),
        ([rule()], [LOST], "unexpected", [None]),
        ([rule(until=date(2026, 11, 22))], [PRICE], "unexpected", [None]),
        ([], [PRICE], "unexpected", [None]),
        ([rule()], [], "equal", []),
    ],
)
def test_what_a_rule_explains(
    tmp_path: Path, rules: list[Ignore], differences: list[Difference], cls: str, named: list[str | None]
) -> None:
    hits: Counter[str] = Counter()
    log = open_log(str(tmp_path / "log"), strict=True)
    ignores = Ignores(rules, log, lambda one, count: hits.update({one: count}), lambda: DAY)
    verdict = ignores.applied("orders.get", classify(differences, (200, 200)))
    assert verdict.cls == cls
    assert [one.rule for one in verdict.differences] == named
    assert hits == {f"ignore[{number}]": named.count(f"ignore[{number}]") for number in range(len(rules))}
    log.close()


def test_a_rule_that_is_over_is_a_warning_at_the_start_and_once_a_day(tmp_path: Path) -> None:
    log = open_log(str(tmp_path / "log"), strict=True)
    now = [date(2026, 11, 24)]
    ignores = Ignores([rule()], log, lambda _one, _count: None, lambda: now[0])
    for _ in range(3):
        ignores.applied("orders.get", classify([PRICE], (200, 200)))
    now[0] = date(2026, 11, 25)
    ignores.applied("orders.get", classify([PRICE], (200, 200)))
    found = lines(tmp_path / "log")
    assert [(one["event"], one["ignore"], one["owner"], one["until"]) for one in found] == [
        ("expired", "ignore[0]", "ana", "2026-11-23")
    ] * 2
    log.close()


def test_a_rule_in_the_file_takes_effect_on_traffic() -> None:
    entry = {
        "endpoint": "orders.get",
        "path": "/cardType",
        "reason": "r",
        "owner": "o",
        "until": "2099-01-31",
    }
    keys = {"shadow.sample": 1.0, "shadow.max_calls_per_second": 10_000}
    with carried(["shadow"], keys=keys, tables={"ignore": [entry]}) as proxy:
        proxy.json("POST", "/v2/orders", order())
        proxy.emulator.mischief.set("v2.1", Misbehaviour(drift=1.0, way="drops cardType"))
        proxy.json("GET", READ)
        wait_for(lambda: bool(reads(proxy)), proxy)
        (line,) = reads(proxy)
        assert line["class"] == "expected"
        assert [one["rule"] for one in line["differences"] if one["pointer"] == "/cardType"] == ["ignore[0]"]
        assert line["groups"] == []
        assert 'crossfade_ignored_total{ignore="ignore[0]"} 1.0' in proxy.metrics()


def reads(proxy: Carried) -> list[dict[str, Any]]:
    return [one for one in proxy.log_lines("divergence") if one["endpoint"] == "orders.get"]
