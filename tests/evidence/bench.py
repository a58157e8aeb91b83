"""The evidence engine on its own: a real engine, a real log file, a registry; what traffic does is done by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from proxy.config.model import Shadow
from proxy.evidence import Evidence, Observation
from proxy.evidence.reads import Reads
from proxy.exchange import Asked
from proxy.log import open_log
from proxy.mapping.api import CompiledMapping
from proxy.types import Answer
from proxy.upstream import UpstreamSettings, make_engine
from tests.evidence.answers import KEY, MAPPING

AUTHORIZATION = (b"Authorization", b"Basic Y2xpZW50LTE6dG9rZW4tMQ==")


def story(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a coroutine test in a loop of its own, which must come out without complaint."""

    @wraps(test)
    def run(*args: Any, **fixtures: Any) -> None:
        complaints: list[str] = []

        async def told() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda _loop, one: complaints.append(str(one)))
            async with asyncio.timeout(30):
                await test(*args, **fixtures)

        asyncio.run(told())
        assert complaints == []

    return run


@dataclass(frozen=True)
class Bench:
    evidence: Evidence
    registry: CollectorRegistry
    log_file: Path

    async def judged(self, *offers: Observation) -> list[tuple[str, str | None]]:
        """Offer all of them and wait; class and reason of each line, `equal` for what has none."""
        before = len(self.lines())
        for one in offers:
            self.evidence.offer(one)
        assert await self.evidence.drain(10)
        lines = self.lines()[before:]
        found = [(line["class"], line.get("reason")) for line in lines if line["event"] == "divergence"]
        return found + [("equal", None)] * (len(offers) - len(found))

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log_file.read_text("ascii").splitlines()]

    def samples(self) -> dict[str, dict[tuple[str, ...], float]]:
        """What one scrape gives: by name, then by label values."""
        found: dict[str, dict[tuple[str, ...], float]] = {}
        for family in self.registry.collect():
            for one in family.samples:
                found.setdefault(one.name, {})[tuple(one.labels.values())] = one.value
        return found

    def adds_up(self) -> bool:
        """Whether every comparison that was received is in flight or in exactly one class."""
        now = self.samples()
        ended = sum(now.get("crossfade_comparisons_total", {}).values())
        in_flight = now["crossfade_comparisons_in_flight"][()]
        return now["crossfade_comparisons_received_total"][()] == ended + in_flight


@asynccontextmanager
async def bench(
    folder: Path, url: str, mapping: CompiledMapping = MAPPING, **settings: Any
) -> AsyncIterator[Bench]:
    registry = CollectorRegistry()
    log = open_log(str(folder / "log.jsonl"), strict=True)
    v2 = settings.pop("v2", "http://127.0.0.1:1")
    reads = Reads(*(make_engine("native", UpstreamSettings(one, keepalive=0.1)) for one in (v2, url)))
    chosen = Shadow(**{"max_calls_per_second": 1000, "max_lag": "10s", **settings})
    evidence = Evidence(chosen, mapping, reads, log, key=KEY, salt=b"s" * 32, registry=registry)
    made = Bench(evidence, registry, folder / "log.jsonl")
    evidence.start()
    try:
        yield made
        assert made.adds_up()
    finally:
        await evidence.stop()
        await reads.close()
        log.close()
        await asyncio.sleep(0)


def shadow_read(
    asked: Asked, answer: Answer, caller: str = "caller-1", record: str = "abc123"
) -> Observation:
    return Observation(
        evidence="shadow_read",
        endpoint=asked.endpoint,
        stage="shadow",
        caller=caller,
        record=record,
        request_id="request-1",
        answer=answer,
        asked=asked,
    )
