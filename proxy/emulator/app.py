"""The HTTP side: an ASGI app over a `Platform`, with accounts, a record, and trouble on demand."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote

from proxy.emulator.asked import Asked, Said
from proxy.emulator.calls import answer
from proxy.emulator.control import CONTROL, control, demand_loopback
from proxy.emulator.credentials import Accounts, client_of
from proxy.emulator.dressing import Wire, dressed, html_page
from proxy.emulator.drifts import drifted
from proxy.emulator.misbehave import Mischief
from proxy.emulator.platform import Platform
from proxy.emulator.problems import Problem, error_body
from proxy.emulator.recorded import Recorded
from proxy.emulator.shapes import View
from proxy.emulator.switches import Version

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

ABORT = "emulator.abort"
"""Name of the ASGI extension that ends a connection at once; `serve.Protocol` offers it."""
_VERSIONS: dict[str, Version] = {"v2": "v2", "v2.1": "v2.1"}


@dataclass
class Emulator:
    """The app. `platform`, `mischief` and `recorded` may be read and changed while it runs.

    `base_url` is the platform's own host as hrefs print it, `accounts` maps client keys to tokens, `steering`
    offers `/_emulator/…`, `recorded` holds the latest `keep` requests to the two versions, oldest first.
    """

    platform: Platform
    base_url: str
    accounts: Accounts = field(repr=False)
    mischief: Mischief
    steering: bool
    keep: int
    recorded: deque[Recorded] = field(init=False, repr=False)
    count: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        """The record is bounded."""
        self.recorded = deque(maxlen=self.keep)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One ASGI connection; the lifespan has nothing to prepare."""
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        request = await _whole(scope, receive)
        if request is None:
            return
        peer = (scope.get("client") or ("",))[0]
        wire = self._answer(request, peer)
        await asyncio.sleep(wire.delay)
        if wire.cut == "close":
            _hang_up(scope)
            return
        await send({"type": "http.response.start", "status": wire.status, "headers": wire.headers})
        if wire.cut == "truncate":
            await send(
                {"type": "http.response.body", "body": wire.body[: len(wire.body) // 2], "more_body": True}
            )
            _hang_up(scope)
            return
        await send({"type": "http.response.body", "body": wire.body})

    def _answer(self, request: Recorded, peer: str) -> Wire:
        now = self.platform.clock()
        path, _, query = request.target.decode("latin-1").partition("?")
        first, *rest = path.removeprefix("/").removesuffix("/").split("/")
        if first == CONTROL and self.steering:
            return self._steered(request, "/".join(rest), peer, now)
        self.count += 1
        self.recorded.append(request)
        version = _VERSIONS.get(first)
        if version is None:
            missing = Problem(404, "The resource was not found.")
            return self._dress(request, self._failed(missing, "v2.1"), now)
        mishap = self.mischief.throw(version, rest)
        page = html_page(mishap.failure)
        if page is not None:
            return self._dress(request, page, now, delay=mishap.delay)
        said = self._said(request, version, tuple(unquote(part) for part in rest), query, now)
        if mishap.drift is not None and isinstance(said.body, dict):
            said = replace(said, body=drifted(said.status, said.body, mishap.drift, mishap.way))
        cut = mishap.failure if mishap.failure in {"truncate", "close"} else None
        return self._dress(request, said, now, delay=mishap.delay, cut=cut)

    def _said(
        self, request: Recorded, version: Version, segments: tuple[str, ...], query: str, now: datetime
    ) -> Said:
        try:
            known = (
                client_of(request.header("authorization"), self.accounts)
                if request.method != "OPTIONS"
                else ""
            )
            asked = Asked(
                version=version,
                method=request.method,
                segments=segments,
                query=dict(parse_qsl(query, keep_blank_values=True)),
                raw_query=query,
                body=request.body,
                content_type=request.header("content-type"),
                client=known,
                host=request.header("host"),
                now=now,
            )
            return answer(self.platform, View(self.platform, version, self.base_url), asked)
        except Problem as problem:
            return self._failed(problem, version)

    def _steered(self, request: Recorded, name: str, peer: str, now: datetime) -> Wire:
        try:
            demand_loopback(peer)
            said = control(request, name, self.platform, self.mischief, self.recorded)
        except Problem as problem:
            said = self._failed(problem, "v2.1")
        return self._dress(request, said, now)

    def _failed(self, problem: Problem, version: Version) -> Said:
        return Said(problem.status, error_body(problem, version, self.platform.switches), problem.headers)

    def _dress(
        self, request: Recorded, said: Said, now: datetime, *, delay: float = 0.0, cut: str | None = None
    ) -> Wire:
        wire = dressed(request, said, now, self.count, self.platform.switches)
        return replace(wire, delay=delay, cut=cut)


def _hang_up(scope: Message) -> None:
    end = scope.get("extensions", {}).get(ABORT)
    if end is None:
        raise RuntimeError("this server cannot cut a connection; serve the emulator with serve.Protocol")
    end()


async def _whole(scope: Message, receive: Receive) -> Recorded | None:
    """The complete request, None when the caller left before its end."""
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    query = scope["query_string"]
    target = scope["raw_path"] + (b"?" + query if query else b"")
    return Recorded(scope["method"], target, list(scope["headers"]), body)


def make_app(  # noqa: PLR0913 - one keyword for each thing in which two emulators may differ
    platform: Platform | None = None,
    *,
    base_url: str = "http://platform.test",
    accounts: Accounts = "any",
    mischief: Mischief | None = None,
    steering: bool = True,
    keep: int = 10_000,
) -> Emulator:
    """The platform as an ASGI app; every keyword is explained at `Emulator`."""
    return Emulator(
        platform=platform or Platform(),
        base_url=base_url.rstrip("/"),
        accounts=accounts,
        mischief=mischief or Mischief(),
        steering=steering,
        keep=keep,
    )
