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

from proxy.answers import CODE, for_error, health
from proxy.body import check_uncoded, read_body, too_large
from proxy.cutover.decide import Ahead, Caller
from proxy.cutover.stage import Stage
from proxy.errors import CrossfadeError, Fault, Refused, Untranslatable
from proxy.evidence.observation import Observation
from proxy.exchange import Asked, exchange
from proxy.forward import passed
from proxy.in_doubt import LEFT, Line, end_with_caller, engine_for, handed_over
from proxy.mapping.paths import fill
from proxy.recorded import Done, log_mistake, log_request, observed, observed_failure
from proxy.snapshot import Snapshot
from proxy.types import Answer, Call, Headers, Version
from proxy.upstream.drive import drive
from proxy.wire.headers import check_request, first, for_caller, for_translated, for_upstream
from proxy.wire.request_id import acceptable, new
from proxy.wire.target import check_target

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

RAW_TARGET = "crossfade.target"
"""The key of `scope` under which our server protocol leaves the request target as it came."""
ANSWERED = "crossfade.answered"
"""The key of `scope` under which it leaves its own way of writing a whole answer: names and reason as they are."""
LINE = "crossfade.line"
"""The key of `scope` under which it leaves the caller's connection, a `Line`."""


class Gateway:
    """The ASGI application that callers talk to."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.in_flight = 0
        self.draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        snapshot = self.snapshot
        done = Done(new(), perf_counter(), scope["method"])
        line: Line | None = scope.get(LINE)
        self.in_flight += 1
        try:
            answer, seen = await self._answered(snapshot, scope, receive, done)
        except asyncio.CancelledError:
            if line is None or not line.gone:
                raise
            answer, seen = LEFT, None
        except Exception as error:  # noqa: BLE001 - the last resort: a bug must not become a bare 500
            answer, seen = _failed(snapshot, error, done, scope["headers"]), None
        finally:
            self.in_flight -= 1
            if line is not None:
                line.leaving = None
        write = scope.get(ANSWERED) or partial(_send, send)
        await handed_over(write(answer, head=done.method == "HEAD"), line, done)
        seen = seen or done.seen
        if seen is not None:
            snapshot.evidence.offer(seen)
        if snapshot.config.log.requests != "off":
            log_request(snapshot, done, answer)

    def health(self, name: bytes) -> Answer:
        """Whether the process lives, or is ready, and which part of it is degraded."""
        degraded = ("journal",) if self.snapshot.journal.failure else ()
        return health(name, draining=self.draining, degraded=degraded)

    def unreadable(self) -> bytes:
        """The whole answer to bytes that are no HTTP request."""
        refused = Refused(
            Fault.HEADERS,
            "The request is not valid HTTP.",
            "The bytes that came are no HTTP/1.1 request that can be read in one way only. Send one (RFC 9112).",
        )
        request_id = new()
        answer = for_error(self.snapshot.mapping.shape, refused, request_id)
        headers = [*answer.headers, (b"X-Request-ID", request_id.encode())]
        lines = [b"HTTP/1.1 400 Bad Request", *(name + b": " + value for name, value in headers)]
        return b"\r\n".join([*lines, b"Connection: close", b"", answer.body])

    async def _answered(
        self, snapshot: Snapshot, scope: Scope, receive: Receive, done: Done
    ) -> tuple[Answer, Observation | None]:
        headers: Headers = scope["headers"]
        target = scope.get(RAW_TARGET) or _target(scope)
        check_target(target)
        check_request(headers)
        path, _, query = target.partition(b"?")
        if path.startswith(b"/-/"):
            return self.health(path[3:]), None
        if self.in_flight > snapshot.config.server.max_in_flight:
            raise Refused(
                Fault.OVERLOADED, "Too many requests are being carried.", "Come back after Retry-After."
            )
        _check_host(snapshot, headers)
        caller = Caller(snapshot.callers.of(first(headers, b"authorization")), headers)
        ahead = snapshot.decider.look(done.method, path, query, caller)
        done.caller, done.ahead = caller.id, ahead
        body = await read_body(headers, receive, _limit(snapshot, ahead), snapshot.config.server.body_timeout)
        done.request_bytes = len(body)
        end_with_caller(scope.get(LINE), done.method)
        version = snapshot.decider.settle(ahead, body, caller)
        done.version = version
        call = Call(done.method, target, headers, body)
        if version is Version.V2 or ahead.endpoint is None:
            return await _forwarded(snapshot, version, ahead, call, done)
        if ahead.allow:
            return await _asked_about(snapshot, ahead, call, done), None
        if len(body) > snapshot.config.server.max_body:
            raise too_large(snapshot.config.server.max_body)
        check_uncoded(headers)
        return await _translated(snapshot, ahead, call, done)


async def _forwarded(
    snapshot: Snapshot, version: Version, ahead: Ahead, call: Call, done: Done
) -> tuple[Answer, Observation | None]:
    """Pass a call on as it came: the stages in which v2 answers, and everything that no mapping covers."""
    links = snapshot.mapping.links
    upstream = engine_for(snapshot, version, call, done)
    target, body = call.target, call.body
    if version is Version.V2:
        target, body = links.returned(target), links.returned(body)
    begin = perf_counter()
    answer = await upstream.send(Call(call.method, target, for_upstream(call.headers, done.request_id), body))
    done.answered = perf_counter() - begin
    said = passed(snapshot, version, answer, head=call.method == "HEAD")
    return said, _shadow(snapshot, ahead, call, answer, done)


async def _asked_about(snapshot: Snapshot, ahead: Ahead, call: Call, done: Done) -> Answer:
    """`OPTIONS` where v2.1 answers: its own answer, with the methods that v2 callers have here."""
    assert ahead.endpoint is not None  # noqa: S101 - only an endpoint's path has methods
    target = fill(ahead.endpoint.v2_1_path, ahead.path)
    answer = await snapshot.v2_1.send(Call("OPTIONS", target, for_upstream(call.headers, done.request_id)))
    methods = ", ".join(ahead.allow).encode()
    headers = [
        (name, methods) if name.lower() in {b"allow", b"access-control-allow-methods"} else (name, value)
        for name, value in answer.headers
    ]
    return passed(snapshot, Version.V2_1, Answer(answer.status, headers, answer.body), head=False)


async def _translated(
    snapshot: Snapshot, ahead: Ahead, call: Call, done: Done
) -> tuple[Answer, Observation | None]:
    """Let v2.1 answer: drive the exchange, one upstream call at a time."""
    asked = _asked(ahead, call, done.request_id)
    begin = perf_counter()
    try:
        reply = await drive(exchange(snapshot.mapping, asked), engine_for(snapshot, Version.V2_1, call, done))
    except Untranslatable as error:
        done.seen = observed_failure(snapshot, done, asked, error)
        raise
    finally:
        done.answered = perf_counter() - begin
    made = reply.answer
    headers = for_caller(made.headers)
    if first(headers, b"content-length") is None and made.status not in {204, 304}:
        headers.append((b"Content-Length", b"%d" % len(made.body)))
    if first(headers, b"x-request-id") is None:
        headers.append((b"X-Request-ID", _told(call.headers, done.request_id)))
    if reply.untranslated:
        headers.append((b"X-Crossfade-Untranslated", reply.untranslated.encode("ascii", "replace")))
    seen = None if call.method == "HEAD" else observed(snapshot, done, asked, made, reply)
    return Answer(made.status, headers, made.body), seen


def _told(headers: Headers, request_id: str) -> bytes:
    """The id that the caller gets back: its own, if it sent one that can be handed back safely, else ours."""
    own = first(headers, b"x-request-id")
    return ((own and acceptable(own)) or request_id).encode()


def _asked(ahead: Ahead, call: Call, request_id: str) -> Asked:
    assert ahead.endpoint is not None  # noqa: S101 - the caller has looked
    headers = for_translated(call.headers, request_id, has_body=ahead.endpoint.check is not None)
    return Asked(ahead.endpoint, ahead.path, ahead.pairs, headers, call.body)


def _shadow(snapshot: Snapshot, ahead: Ahead, call: Call, answer: Answer, done: Done) -> Observation | None:
    """A read that v2 has answered, for asking v2.1 the same; decided before anything is copied."""
    endpoint = ahead.endpoint
    if ahead.stage is not Stage.SHADOW or endpoint is None or endpoint.is_write or call.method != "GET":
        return None
    if not snapshot.evidence.wants(done.request_id):
        return None
    return observed(snapshot, done, _asked(ahead, call, done.request_id), answer)


def _limit(snapshot: Snapshot, ahead: Ahead) -> int:
    server = snapshot.config.server
    return (
        server.max_body if ahead.version is Version.V2_1 and ahead.endpoint else server.max_passthrough_body
    )


def _check_host(snapshot: Snapshot, headers: Headers) -> None:
    allowed = snapshot.allowed_hosts
    if not allowed:
        return
    host = first(headers, b"host") or b""
    name, colon, port = host.rpartition(b":")
    if (name if colon and port.isdigit() else host).lower() not in allowed:
        detail = "Host names no address of this service. Use one that server.allowed_hosts lists."
        raise Refused(Fault.HEADERS, "Host: is not known here.", detail)


def _target(scope: Scope) -> bytes:
    query: bytes = scope["query_string"]
    path: bytes = scope["raw_path"]
    return path + b"?" + query if query else path


def _failed(snapshot: Snapshot, error: Exception, done: Done, headers: Headers) -> Answer:
    head = done.method == "HEAD"
    if isinstance(error, CrossfadeError):
        answer = for_error(snapshot.mapping.shape, error, done.request_id, head=head)
    else:
        answer = for_error(snapshot.mapping.shape, CrossfadeError(), done.request_id, head=head)
        log_mistake(snapshot.log, error, done.request_id)
    done.code = next((value.decode() for name, value in answer.headers if name == CODE), "")
    told = (b"X-Request-ID", _told(headers, done.request_id))
    return Answer(answer.status, for_caller([*answer.headers, told]), answer.body)


async def _send(send: Send, answer: Answer, *, head: bool) -> None:
    """Through plain ASGI, where the server is another than ours."""
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": b"" if head else answer.body})
