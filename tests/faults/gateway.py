"""Many gateways in one event loop, each with a scripted platform of its own; and a caller that measures."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from prometheus_client import CollectorRegistry

from proxy.assembly import build, engine_of
from proxy.config.load import load
from proxy.connection import GatewayProtocol
from proxy.listen import Listener
from proxy.log import EventLog, foreign_loggers, open_log
from proxy.serve import Gateway
from proxy.snapshot import Snapshot
from proxy.upstream.journal import Journal
from tests.emulator.caller import CREDENTIALS, FIRST_REF, JSON, order
from tests.endtoend.configured import configuration
from tests.raw import Heard, parse, request

CONNECT, READ, TOTAL = 0.4, 0.3, 0.5
"""The deadlines of every gateway here, in seconds."""
LATE = 0.25
"""Seconds that an answer may come after the deadline."""
KEYS: Mapping[str, Any] = {
    f"upstream.{version}.{name}": value
    for version in ("v2", "v2_1")
    for name, value in {
        "connect_timeout": f"{CONNECT * 1000:.0f}ms",
        "read_timeout": f"{READ * 1000:.0f}ms",
        "total_timeout": f"{TOTAL * 1000:.0f}ms",
        "max_answer": "1MiB",
    }.items()
} | {
    "server.max_body": "256KiB",
    "server.max_passthrough_body": "1MiB",
    "server.body_timeout": "300ms",
    "compat.order_delete": "forward",
}

BODY = json.dumps(order(note="x" * 100_000))
"""Larger than what a socket takes at once, so that a request can break in its middle."""
CALLS: Mapping[str, tuple[str, str, str]] = {
    "GET": ("GET", f"/v2/orders/{FIRST_REF}", ""),
    "POST create": ("POST", "/v2/orders", BODY),
    "POST update": ("POST", f"/v2/orders/{FIRST_REF}", BODY),
    "DELETE": ("DELETE", f"/v2/orders/{FIRST_REF}", ""),
}


def asking(call: str) -> bytes:
    """The bytes of one of `CALLS`."""
    return request(*CALLS[call], [CREDENTIALS, JSON])


@dataclass
class House:
    """One log, and for each engine and stage a snapshot whose compiled mapping all its gateways share."""

    folder: Path
    log: EventLog
    made: dict[tuple[str, str], Snapshot] = field(default_factory=dict)
    gateways: int = 0

    def snapshot(self, url: str, engine: str, stage: str, keys: Mapping[str, Any]) -> Snapshot:
        """One more, that calls this address."""
        self.gateways += 1
        own = self.folder / str(self.gateways)
        own.mkdir()
        values = {**KEYS, "upstream.engine": engine, "identity.key_file": str(self.folder / "key"), **keys}
        loaded = load(configuration(own, url, {"route": [{"stage": stage}]}, values), {})
        if (engine, stage) not in self.made:
            self.made[engine, stage] = build(loaded, CollectorRegistry(), self.log)
        config = loaded.config
        return replace(
            self.made[engine, stage],
            config=config,
            v2=engine_of(config, "v2"),
            v2_1=engine_of(config, "v2_1"),
            journal=Journal(Path(config.journal.path), self.log),
        )

    def lines(self) -> list[dict[str, Any]]:
        """The log so far."""
        return [json.loads(one) for one in (self.folder / "log").read_text("ascii").splitlines()]

    def mistakes(self, since: int = 0) -> list[dict[str, Any]]:
        """Mistakes of ours, and complaints of libraries, behind so many lines of the log."""
        return [one for one in self.lines()[since:] if one["event"] in {"internal_error", "runtime"}]


@contextmanager
def house() -> Iterator[House]:
    """A log and a folder for gateways; no line of the log may break what docs/log.md promises."""
    with TemporaryDirectory() as name:
        made = House(Path(name), open_log(str(Path(name) / "log"), strict=True))
        with foreign_loggers(made.log):
            yield made
        assert (made.mistakes(), made.log.lost) == ([], 0)


@dataclass(frozen=True)
class Gate:
    """A gateway that listens."""

    port: int
    snapshot: Snapshot

    @property
    def in_doubt(self) -> int:
        return self.snapshot.journal.in_doubt()


@asynccontextmanager
async def gate(
    where: House, url: str, engine: str, stage: str, keys: Mapping[str, Any] | None = None
) -> AsyncIterator[Gate]:
    """A gateway in front of `url`."""
    snapshot = where.snapshot(url, engine, stage, keys or {})
    front = Listener(Gateway(snapshot), ("127.0.0.1", 0), patience=1, protocol=GatewayProtocol)
    running = asyncio.create_task(front.run())
    try:
        while not front.server.started:  # noqa: ASYNC110 - uvicorn sets a flag and owes nobody an event
            await asyncio.sleep(0)
        yield Gate(front.port, snapshot)
    finally:
        front.server.should_exit = True
        await running
        for one in (snapshot.v2, snapshot.v2_1):
            await one.close()
        snapshot.journal.close()


async def ask(port: int, raw: bytes) -> tuple[Heard, float]:
    """Send a request that closes its connection; the answer as far as it came, and how many seconds it took."""
    begun = time.monotonic()
    data = b""
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(raw)
        with suppress(ConnectionResetError):
            while piece := await reader.read(1 << 20):
                data += piece
    took = time.monotonic() - begun
    writer.close()
    return parse(data), took
