"""What of the contract was seen: names of the contract only, whatever stands in a body."""

from __future__ import annotations

import json
from pathlib import Path

from msgspec.structs import replace

from proxy.evidence.classify import failed
from proxy.mapping.nodes import Firing
from proxy.store.covering import Touch
from proxy.store.rows import Triage
from proxy.store.summary import Summary, summary
from proxy.types import Answer
from tests.evidence.bench import story
from tests.store.seen import CARD, EQUAL, NOON, PRICE, Bench, bench, group_of, seen, unexpected

BODY = {
    "ref": "canary-1",
    "status": "PURCHASED",
    "canary-2": {"canary-3": 1},
    "orderItems": {"items": [{"type": "FLIGHT"}]},
}


def answered(body: object, status: int = 200) -> Answer:
    return Answer(status, [], json.dumps(body).encode())


def read(made: Bench) -> Summary:
    return summary(made.store.database, int(NOON) + 60)


@story
async def test_only_names_of_the_contract_are_kept(address: str, tmp_path: Path) -> None:
    async with bench(address, tmp_path) as made:
        told = seen()
        for body in (answered(BODY), answered({"status": "canary-4"}), Answer(200, [], b"\xff{")):
            made.recorder.told(replace(told, answer=body), EQUAL)
        made.recorder.told(replace(told, answer=answered({"canary-5": 1}, 418)), EQUAL)
        assert await made.recorder.flush()
        found = read(made).covered["orders.get", "shadow_read"]
        assert {Touch("status", "200"), Touch("answered", "/status"), Touch("answered", "/ref")} <= found
        assert Touch("answered_value", "/status=PURCHASED") in found
        assert Touch("answered", "/orderItems/items/*/type") in found
        assert "canary" not in str(found)
        assert Touch("status", "418") not in found


@story
async def test_a_comparison_that_failed_covers_nothing(address: str, tmp_path: Path) -> None:
    async with bench(address, tmp_path) as made:
        made.recorder.told(seen(), failed("timeout"))
        assert await made.recorder.flush()
        assert read(made).covered == {}


@story
async def test_declarations_that_acted_are_counted(address: str, tmp_path: Path) -> None:
    async with bench(address, tmp_path) as made:
        for _ in range(3):
            made.recorder.told(seen(trace=[Firing("some-rule", "/x", b"1", None)]), EQUAL)
        assert await made.recorder.flush()
        assert read(made).fired == {("orders.get", "some-rule"): 3}


@story
async def test_open_groups_are_those_that_nobody_has_closed(address: str, tmp_path: Path) -> None:
    async with bench(address, tmp_path) as made:
        made.tell(unexpected(PRICE, CARD), caller="caller-1", record="a")
        made.tell(unexpected(CARD), caller="caller-2", record="b")
        assert await made.recorder.flush()
        found = read(made)
        assert (found.open_by_endpoint, found.open_by_caller) == (
            {"orders.get": 2}, {"caller-1": 2, "caller-2": 1}
        )  # fmt: skip
        assert [(one.key.pointer, one.records, one.callers) for one in found.groups] == [
            ("/cardType", 2, 2),
            ("/price", 1, 1),
        ]
        made.store.triage(group_of(CARD), Triage("accepted", "r", "o"))
        made.store.triage(group_of(PRICE), Triage("bug", "r", "o"))
        found = read(made)
        assert (found.open_by_endpoint, found.open_by_caller) == ({"orders.get": 1}, {"caller-1": 1})
        assert [one.state for one in found.groups] == ["bug"]
