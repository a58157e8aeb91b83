"""Assembling the program: from a configuration to two listeners, one for callers and one for operators."""

from __future__ import annotations

import asyncio
import gc
import hmac
import os
import signal
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import uvloop
from prometheus_client import CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route as Page

from proxy import __version__
from proxy.assembly import build
from proxy.config.load import Loaded
from proxy.config.model import Config
from proxy.config.network import Server
from proxy.connection import GatewayProtocol
from proxy.errors import ConfigError
from proxy.listen import Listener, run_all
from proxy.log import EventLog, foreign_loggers, open_log
from proxy.reload import Reloader
from proxy.serve import RAW_TARGET, Gateway, Receive, Scope, Send
from proxy.steering import Steering

_FLUSH = 5.0
"""Seconds that comparisons which still wait are given at the end."""
_SWITCH = 0.0005
"""Seconds for which the store's thread may keep callers waiting for the interpreter; Python's own are ten times as long."""
_MARGIN = 2.0
"""Seconds on top of the upstreams' own deadlines that requests in flight are given at the end."""


def serve(loaded: Loaded) -> None:
    """Run until a signal says stop. Raises `ConfigError`, `MappingError`, or `OSError` for an address, before it starts."""
    uvloop.run(_serve(loaded))


def admin(gateway: Gateway, registry: CollectorRegistry, token: str) -> Starlette:
    """The operators' application: health and metrics (the dashboard joins it later).

    Health needs no token, so that probes can ask; everything else does where a token is set.
    """

    async def probe(request: Request) -> Response:
        answer = gateway.health(request.url.path.lstrip("/").encode())
        return Response(answer.body, answer.status, media_type="application/json")

    async def metrics(request: Request) -> Response:
        given = request.headers.get("authorization", "")
        if token and not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return JSONResponse(
                {"error": "send Authorization: Bearer with the token of admin.token_file"}, 401
            )
        return PlainTextResponse(generate_latest(registry), media_type="text/plain; version=0.0.4")

    return Starlette(routes=[Page("/livez", probe), Page("/readyz", probe), Page("/metrics", metrics)])


class Operators:
    """The operators' application behind a connection of ours: who is slow or long-winded is ended there as well."""

    def __init__(self, pages: Starlette, gateway: Gateway) -> None:
        self._pages = pages
        self._gateway = gateway
        self.refusal = gateway.refusal
        self.outbox = gateway.outbox
        self.draining = False

    @property
    def limits(self) -> Server:
        """What a connection has to keep to: what callers' ones do."""
        return self._gateway.limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; ASGI asks for the names of fields in lower case and for the parts of the target."""
        path, _, scope["query_string"] = scope[RAW_TARGET].partition(b"?")
        if not path.startswith(b"/"):  # the absolute form (RFC 9112 §3.2.2)
            path = b"/" + path.partition(b"://")[2].partition(b"/")[2]
        scope["raw_path"], scope["path"] = path, unquote(path.decode("latin-1"))
        scope["headers"] = [(name.lower(), value) for name, value in scope["headers"]]
        await self._pages(scope, receive, send)


async def _serve(loaded: Loaded) -> None:
    config = loaded.config
    log = open_log(config.log.divergences)
    registry = CollectorRegistry()
    snapshot = build(loaded, registry, log)
    gateway = Gateway(snapshot)
    registry.register(gateway.refusals)
    steering = Steering(gateway, registry)
    reloader = Reloader(loaded, gateway, steering, os.environ, registry)
    operators = admin(gateway, registry, _token(config))
    patience = max(config.upstream.v2.total_timeout, config.upstream.v2_1.total_timeout) + _MARGIN
    address = (config.server.host, config.server.port)
    front = Listener(gateway, address, tls=_tls(config), patience=patience, protocol=GatewayProtocol)
    behind = Operators(operators, gateway)
    back = Listener(behind, (config.admin.host, config.admin.port), protocol=GatewayProtocol)
    stopping = _stopping(gateway, config, log, [front, back])
    snapshot.journal.start()
    snapshot.evidence.start()
    snapshot.recorder.start()
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)
    sys.setswitchinterval(_SWITCH)
    with foreign_loggers(log):
        watching = [asyncio.create_task(one.run()) for one in (steering, reloader)]
        hangups = set[asyncio.Task[bool]]()
        asyncio.get_running_loop().add_signal_handler(
            signal.SIGHUP, lambda: hangups.add(asyncio.create_task(reloader.reload()))
        )
        await run_all([front, back], stopping, lambda: _started(log, loaded, front, back))
        for one in (*watching, *hangups):
            one.cancel()
        snapshot = gateway.snapshot
        await snapshot.evidence.drain(_FLUSH)
        await snapshot.evidence.stop()
        await snapshot.recorder.stop()
        await steering.end()
        await asyncio.gather(snapshot.v2.close(), snapshot.v2_1.close(), snapshot.shadow.close())
    snapshot.journal.close()
    log.write("stopped", reason="signal", in_flight=gateway.in_flight)


def _stopping(gateway: Gateway, config: Config, log: EventLog, listeners: list[Listener]) -> asyncio.Event:
    """The event that ends the listeners: after `drain_delay` on SIGTERM, now on SIGINT; a second signal cuts connections."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()

    def again() -> bool:
        second = gateway.draining
        gateway.draining = True
        if second:
            stopping.set()
            for one in listeners:
                one.force()
        return second

    def stop() -> None:
        again()
        stopping.set()

    def drain() -> None:
        if again():
            return
        delay = config.server.drain_delay
        log.write("draining", in_flight=gateway.in_flight, delay_ms=round(delay * 1000))
        loop.call_later(delay, stopping.set)

    loop.add_signal_handler(signal.SIGINT, stop)
    loop.add_signal_handler(signal.SIGTERM, drain)
    return stopping


def _token(config: Config) -> str:
    path = config.admin.token_file
    if path is None:
        return ""
    try:
        token = Path(path).read_text("utf-8").strip()
    except OSError as error:
        raise ConfigError(
            f"admin.token_file: cannot be read: {error.strerror}; name a file with the token"
        ) from None
    if not token:
        raise ConfigError("admin.token_file: is empty; put the token into it")
    return token


def _started(log: EventLog, loaded: Loaded, front: Listener, back: Listener) -> None:
    log.write(
        "started",
        version=__version__,
        config=loaded.hash,
        host=front.host,
        port=front.port,
        admin_host=back.host,
        admin_port=back.port,
        engine=loaded.config.upstream.engine,
    )


def _tls(config: Config) -> dict[str, Any]:
    server = config.server
    if server.tls_cert is None:
        return {}
    return {"ssl_certfile": str(server.tls_cert), "ssl_keyfile": str(server.tls_key)}
