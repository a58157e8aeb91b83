"""What traffic would have said, made by hand: observations, verdicts, and a recorder to hear them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from prometheus_client import CollectorRegistry

from proxy.evidence.classify import Verdict, classify, skipped
from proxy.evidence.difference import Difference
from proxy.evidence.groups import group_id
from proxy.evidence.observation import Observation
from proxy.log import open_log
from proxy.store import Keep, Recorder, Store
from proxy.types import Answer
from tests.evidence.answers import MAPPING

KEEP = Keep(age=30 * 86400.0, size=64 << 20)
PRICE = Difference("/price", "type", "number", "string")
CARD = Difference("/cardType", "missing", "string", None)
EQUAL = classify([], (200, 200))
NOON = 1_789_999_980.0


def unexpected(*differences: Difference) -> Verdict:
    return classify(differences or [PRICE], (200, 200))


def skipped_one() -> Verdict:
    return skipped("dropped")


def group_of(difference: Difference, endpoint: str = "orders.get") -> str:
    return group_id(endpoint, (200, 200), difference)


def seen(
    record: str = "abc123",
    caller: str = "caller-1",
    endpoint: str = "orders.get",
    evidence: Literal["contract", "shadow_read"] = "shadow_read",
    **more: Any,
) -> Observation:
    return Observation(
        evidence=evidence,
        endpoint=MAPPING.endpoints[endpoint],
        stage="shadow",
        caller=caller,
        record=record,
        request_id=more.pop("request_id", "request-1"),
        answer=Answer(200, []),
        route="route-1",
        **more,
    )


class Clock:
    """Unix time that a test sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Bench:
    recorder: Recorder
    store: Store
    registry: CollectorRegistry
    log_file: Path
    clock: Clock

    def tell(self, *verdicts: Verdict, **about: Any) -> None:
        for verdict in verdicts:
            self.recorder.told(seen(**about), verdict)

    def events(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.log_file.read_text("ascii").splitlines()]
        return [line for line in lines if line["event"] == event]

    def sample(self, name: str) -> float:
        value = self.registry.get_sample_value(name)
        assert value is not None, name
        return value


@asynccontextmanager
async def bench(address: str, folder: Path, keep: Keep = KEEP) -> AsyncIterator[Bench]:
    """A recorder that is flushed by hand (`start` it to have it flush by itself), and a reader."""
    registry = CollectorRegistry()
    log = open_log(str(folder / "log.jsonl"), strict=True)
    clock = Clock()
    recorder = Recorder(address, keep, log, registry, clock)
    made = Bench(recorder, Store(address), registry, folder / "log.jsonl", clock)
    try:
        yield made
    finally:
        await recorder.stop()
        made.store.close()
        log.close()
        await asyncio.sleep(0)
