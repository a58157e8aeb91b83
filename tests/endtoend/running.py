"""The whole program between a caller and the platform: a real proxy in front of a real emulator, on loopback."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest

from proxy.assembly import build
from proxy.config.load import Loaded, load
from proxy.config.network import Server
from proxy.connection import GatewayProtocol
from proxy.emulator import Emulator, Platform
from proxy.errors import Fault
from proxy.log import EventLog, foreign_loggers, open_log
from proxy.outbox import Outbox
from proxy.reload import Reloader
from proxy.serve import Gateway
from proxy.snapshot import Snapshot
from proxy.steering import Steering
from tests.emulator.caller import CREDENTIALS, fresh_platform
from tests.endtoend.configured import LINKS, PUBLIC, configuration
from tests.raw import Heard, fetch, parse, request
from tests.servers import Running, emulator, serve

__all__ = ["LINKS", "PUBLIC", "Carried", "Program", "carried"]

Change = Callable[[Snapshot], Snapshot]


class Program:
    """What `crossfade serve` runs, as an ASGI application that lives and dies with its server's loop."""

    def __init__(self, loaded: Loaded, change: Change, *, steered: bool = False) -> None:
        self.registry = CollectorRegistry()
        self.log: EventLog = open_log(loaded.config.log.divergences, strict=True)
        self._loaded, self._change, self._steered = loaded, change, steered
        self.gateway: Gateway | None = None
        self._life: AbstractAsyncContextManager[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            assert self.gateway is not None
            await self.gateway(scope, receive, send)
            return
        await receive()
        async with self._alive():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    def refusal(self, fault: Fault) -> bytes:
        assert self.gateway is not None
        return self.gateway.refusal(fault)

    @property
    def outbox(self) -> Outbox:
        assert self.gateway is not None
        return self.gateway.outbox

    @property
    def draining(self) -> bool:
        assert self.gateway is not None
        return self.gateway.draining

    @property
    def limits(self) -> Server:
        return self._loaded.config.server

    @asynccontextmanager
    async def _alive(self) -> AsyncIterator[None]:
        snapshot = self._change(build(self._loaded, self.registry, self.log))
        self.gateway = Gateway(snapshot)
        with foreign_loggers(self.log):
            snapshot.evidence.start()
            snapshot.recorder.start()
            async with self._watched(self.gateway):
                yield
            snapshot = self.gateway.snapshot
            await snapshot.evidence.stop()
            await snapshot.recorder.stop()
            for engine in (snapshot.v2, snapshot.v2_1, snapshot.shadow):
                await engine.close()

    @asynccontextmanager
    async def _watched(self, gateway: Gateway) -> AsyncIterator[None]:
        """The guard and the reloader at work, where they are wanted."""
        if not self._steered:
            yield
            return
        self.loop = asyncio.get_running_loop()
        self.steering = Steering(gateway, self.registry)
        self.reloader = Reloader(self._loaded, gateway, self.steering, {}, self.registry)
        tasks = [asyncio.create_task(one.run()) for one in (self.steering, self.reloader)]
        yield
        for one in tasks:
            one.cancel()
        await self.steering.end()


@dataclass(frozen=True)
class Carried:
    """A running proxy, and the platform behind it to look into."""

    url: str
    platform_url: str
    emulator: Emulator = field(repr=False)
    program: Program = field(repr=False)
    log_file: Path

    @property
    def gateway(self) -> Gateway:
        assert self.program.gateway is not None
        return self.program.gateway

    @property
    def snapshot(self) -> Snapshot:
        return self.gateway.snapshot

    def ask(
        self, method: str, target: str, body: bytes | str = b"", *headers: tuple[str, str], timeout: float = 5
    ) -> Heard:
        """Ask the proxy with good credentials."""
        raw = request(method, target, body, [CREDENTIALS, *headers])
        return parse(fetch(self.url, raw, timeout=timeout))

    def json(self, method: str, target: str, body: Any = b"") -> Any:
        """The answer to a call that has to succeed."""
        data = body if isinstance(body, bytes | str) else json.dumps(body)
        heard = self.ask(method, target, data)
        assert heard.status < 300, heard
        return json.loads(heard.body)

    def log_lines(self, event: str = "", *, least: int = 0) -> list[dict[str, Any]]:
        """What stands in the log, of one event or of all; waits a while for so many, since answers come first."""
        until = time.monotonic() + 5
        while True:
            lines = [json.loads(line) for line in self.log_file.read_text("ascii").splitlines()]
            found = [line for line in lines if not event or line["event"] == event]
            if len(found) >= least or time.monotonic() > until:
                return found
            time.sleep(0.01)

    def went(self) -> str:
        """The version that answers a read now, by the line of that read, which comes behind its answer."""

        def reads() -> list[dict[str, Any]]:
            return [one for one in self.log_lines("request") if one["endpoint"] == "orders.get"]

        before = len(reads())
        self.ask("GET", "/v2/orders/somebody")
        until = time.monotonic() + 5
        while len(found := reads()) == before:
            assert time.monotonic() < until, "the read has no line"
            time.sleep(0.01)
        return str(found[-1]["version"])

    def metrics(self) -> str:
        """What a scrape of the metrics would give."""
        return generate_latest(self.program.registry).decode()


@contextmanager
def carried(
    routes: Sequence[Any] = (),
    *,
    keys: Mapping[str, Any] | None = None,
    tables: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    compat: Mapping[str, Any] | None = None,
    key: bytes = b"",
    platform: Platform | None = None,
    change: Change = lambda snapshot: snapshot,
    upstream: str | None = None,
    mistakes: bool = False,
    steered: bool = False,
    **options: Any,
) -> Iterator[Carried]:
    """A proxy in front of an emulator of its own (or of `upstream`).

    A route is a stage's name or a table, `keys` are dotted names of the configuration, `options` go to the emulator.
    Unless `mistakes` are wanted, none may have been logged at the end. `steered`: with guard and reloader, as in earnest.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        behind, app = stack.enter_context(
            emulator(platform or fresh_platform(), **{"base_url": LINKS, **options})
        )
        if key:
            (folder / "identity.key").write_text(key.hex(), "ascii")
        values = {**(keys or {}), **{f"compat.{name}": value for name, value in (compat or {}).items()}}
        rows = {
            **(tables or {}),
            "route": [{"stage": one} if isinstance(one, str) else one for one in routes],
        }
        loaded = load(configuration(folder, upstream or behind, rows, values), {})
        program = Program(loaded, change, steered=steered)
        running: Running = stack.enter_context(
            serve(
                program,
                http=GatewayProtocol,
                lifespan="on",
                interface="asgi3",
                proxy_headers=False,
                server_header=False,
                date_header=False,
            )
        )
        made = Carried(running.url, behind, app, program, folder / "log.jsonl")
        yield made
        assert program.log.lost == 0, "every line of the log has the fields that docs/log.md promises"
        wrong = [one for one in made.log_lines() if one["event"] in {"internal_error", "runtime"}]
        assert mistakes or all(one.get("level") == "warning" for one in wrong), wrong
