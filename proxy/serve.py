"""The hot path: one ASGI coroutine from the first byte of a request to the last byte of its answer.

    check target and header section → who calls → what lies ahead → read the body → which version
       v2:    forward as it came
       v2.1:  drive the exchange, each of its calls answered by the upstream
    → send the answer → hand the evidence over

Nothing stands between receiving the deciding answer and sending it. Whatever goes wrong ends as an answer in v2's shape.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from time import perf_counter
from typing import Any, TypeAlias

from proxy.answers import CODE, for_connection, for_error, health, own_options
from proxy.body import check_uncoded, read_body, too_large
from proxy.config.network import Server
from proxy.cutover.decide import Caller
from proxy.errors import CrossfadeError, Fault, Refused, UpstreamFailed
from proxy.forward import asked_about, forwarded
from proxy.in_doubt import LEFT, Line, end_with_caller, handed_over
from proxy.offered import offer
from proxy.outbox import Outbox
from proxy.recorded import Done, count_call, log_mistake, log_refusal, log_request
from proxy.refusals import Refusals
from proxy.snapshot import Snapshot
from proxy.translate import translated
from proxy.types import Answer, Call, Headers, Version
from proxy.wire.headers import check_request, for_caller
from proxy.wire.hops import LIMITED, onward
from proxy.wire.request_id import new, told
from proxy.wire.target import check_target

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

RAW_TARGET = "crossfade.target"
"""The key of `scope` under which our server protocol leaves the request target as it came."""
LINE = "crossfade.line"
"""The key of `scope` under which it leaves the caller's connection, a `Line`."""


class Gateway:
    """The ASGI application that callers talk to."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.refusals = Refusals()
        self.outbox = Outbox()
        self.in_flight = 0
        self.draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        snapshot = self.snapshot
        done = Done(new(), perf_counter(), scope["method"])
        line: Line | None = scope.get(LINE)
        self.in_flight += 1
        try:
            answer = await self._answered(snapshot, scope, receive, done)
        except asyncio.CancelledError:
            if line is None or not line.gone:
                raise
            answer = LEFT
        except Exception as error:  # noqa: BLE001 - the last resort: a bug must not become a bare 500
            answer = _failed(snapshot, error, done, scope)
        finally:
            self.in_flight -= 1
            if line is not None:
                line.leaving = None
        write = partial(_send, send) if line is None else line.answer
        if answer.rest is None:
            await handed_over(write(answer, head=done.method == "HEAD"), line, done)
        else:
            await self._streamed(write(answer, head=False), line, done)
        # The answer leaves at the end of this turn; what nobody waits for comes behind it.
        asyncio.get_running_loop().call_soon(_told, snapshot, done, answer)

    async def _streamed(self, writing: Awaitable[None], line: Line | None, done: Done) -> None:
        """Send an answer whose rest is still coming; one that breaks off has cut the caller's connection (RFC 9112 §8)."""
        self.in_flight += 1
        end_with_caller(line, done.method)
        try:
            await handed_over(writing, line, done)
        except CrossfadeError as error:
            done.code = error.fault.code if isinstance(error, UpstreamFailed) else Fault.BROKEN.code
        except asyncio.CancelledError:
            if line is None or not line.gone:
                raise
        finally:
            self.in_flight -= 1
            if line is not None:
                line.leaving = None

    def health(self, name: bytes) -> Answer:
        """Whether the process lives, or is ready, and which part of it is degraded."""
        return health(name, draining=self.draining, degraded=self.snapshot.degraded)

    def refusal(self, fault: Fault) -> bytes:
        """The whole answer to what never became a request."""
        request_id = new()
        self.refusals.count(fault)
        log_refusal(self.snapshot, fault, request_id)
        return for_connection(self.snapshot.mapping.shape, fault, request_id)

    @property
    def limits(self) -> Server:
        """What a caller's connection has to keep to."""
        return self.snapshot.config.server

    def _check_room(self, snapshot: Snapshot) -> None:
        if self.in_flight > snapshot.config.server.max_in_flight:
            detail = "Come back after Retry-After."
            raise Refused(Fault.OVERLOADED, "Too many requests are being carried.", detail)

    async def _answered(self, snapshot: Snapshot, scope: Scope, receive: Receive, done: Done) -> Answer:
        headers: Headers = scope["headers"]
        line: Line | None = scope.get(LINE)
        target = scope.get(RAW_TARGET) or _target(scope)
        if done.method in LIMITED:
            left = onward(done.method, target, headers)
            if left is None:
                return own_options()
            headers = left
        check_target(target, snapshot.config.server.max_target)
        fields = check_request(headers)
        path, _, query = target.partition(b"?")
        if path.startswith(b"/-/"):
            return self.health(path[3:])
        self._check_room(snapshot)
        _check_host(snapshot, fields.get(b"host", b""))
        caller = Caller(snapshot.callers.of(fields.get(b"authorization")), headers)
        ahead = snapshot.decider.look(done.method, path, query, caller)
        done.caller, done.ahead = caller.id, ahead
        server = snapshot.config.server
        held = ahead.version is Version.V2_1 and ahead.endpoint is not None
        most = server.max_body if held else server.max_passthrough_body
        body, rest = line.at_hand(min(most, server.max_body)) if line else None, None
        if body is None:
            self.in_flight -= 1  # who sends slowly takes nobody's place
            try:
                body, rest = await read_body(headers, receive, server, most, line)
            finally:
                self.in_flight += 1
            self._check_room(snapshot)
        done.request_bytes, done.incoming = len(body), rest
        end_with_caller(line, done.method)
        version = snapshot.decider.settle(ahead, b"" if rest else body, caller)
        done.version = version
        call = Call(done.method, target, headers, body, rest)
        if version is Version.V2 or ahead.endpoint is None:
            return await forwarded(snapshot, version, call, done)
        if ahead.allow:
            return await asked_about(snapshot, ahead, call, done)
        if rest is not None:
            raise too_large(server.max_body)
        check_uncoded(fields.get(b"content-encoding"))
        return await translated(snapshot, ahead, call, done)


def _told(snapshot: Snapshot, done: Done, answer: Answer) -> None:
    """Evidence, account and log of an answered request."""
    offer(snapshot, done)
    count_call(snapshot, done, answer)
    if snapshot.config.log.requests != "off":
        log_request(snapshot, done, answer)


def _check_host(snapshot: Snapshot, host: bytes) -> None:
    allowed = snapshot.allowed_hosts
    if not allowed:
        return
    name, colon, port = host.rpartition(b":")
    if (name if colon and port.isdigit() else host).lower() not in allowed:
        detail = "Host names no address of this service. Use one that server.allowed_hosts lists."
        raise Refused(Fault.HEADERS, "Host: is not known here.", detail)


def _target(scope: Scope) -> bytes:
    query: bytes = scope["query_string"]
    path: bytes = scope["raw_path"]
    return path + b"?" + query if query else path


def _failed(snapshot: Snapshot, error: Exception, done: Done, scope: Scope) -> Answer:
    head = done.method == "HEAD"
    if isinstance(error, CrossfadeError):
        answer = for_error(snapshot.mapping.shape, error, done.request_id, head=head)
    else:
        answer = for_error(snapshot.mapping.shape, CrossfadeError(), done.request_id, head=head)
        log_mistake(snapshot.log, error, done.request_id)
    done.code = next((value.decode() for name, value in answer.headers if name == CODE), "")
    more = [(b"X-Request-ID", told(scope["headers"], done.request_id))]
    if answer.status == Fault.METHOD.status:
        path = (scope.get(RAW_TARGET) or _target(scope)).partition(b"?")[0]
        more.append((b"Allow", ", ".join(snapshot.decider.allowed(path)).encode()))
    return Answer(answer.status, for_caller([*answer.headers, *more]), answer.body)


async def _send(send: Send, answer: Answer, *, head: bool) -> None:
    """Through plain ASGI, where the server is another than ours."""
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    if answer.rest is not None:
        await send({"type": "http.response.body", "body": answer.body, "more_body": True})
        async for piece in answer.rest:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"" if head or answer.rest else answer.body})
