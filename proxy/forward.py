"""Passing a call on as it came, and its answer back: what little is changed in either."""

from __future__ import annotations

from time import perf_counter

from proxy.cutover.decide import Ahead
from proxy.in_doubt import engine_for
from proxy.mapping.paths import fill
from proxy.recorded import Done
from proxy.snapshot import Snapshot
from proxy.types import Answer, Call, Headers, Version
from proxy.wire.coding import Undecodable, decode_body
from proxy.wire.headers import edited, first, for_caller, for_upstream


async def forwarded(snapshot: Snapshot, version: Version, call: Call, done: Done) -> Answer:
    """Pass a call on: the stages in which v2 answers, and everything that no mapping covers. Raises `CrossfadeError`."""
    links = snapshot.mapping.links
    upstream = engine_for(snapshot, version, call, done)
    target, body = call.target, call.body
    if version is Version.V2:
        target = links.returned(target)
        if call.rest is None:
            body = links.returned(body)
    sent = Call(call.method, target, for_upstream(call.headers, done.request_id), body, call.rest)
    begin = perf_counter()
    answer = await upstream.send(sent, room=_room(snapshot, version))
    done.answered = perf_counter() - begin
    done.call, done.heard = call, answer
    return passed(snapshot, version, answer, head=call.method == "HEAD")


async def asked_about(snapshot: Snapshot, ahead: Ahead, call: Call, done: Done) -> Answer:
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


def _room(snapshot: Snapshot, version: Version) -> int:
    """Bytes of an answer that are held: what may have to be read here, or else no more than of a request."""
    config = snapshot.config
    if version is Version.V2 and config.server.v2_hrefs == "proxy":
        return config.upstream.v2.max_answer
    return max(config.server.max_body, config.shadow.max_body)


def passed(snapshot: Snapshot, version: Version, answer: Answer, *, head: bool) -> Answer:
    """What the caller gets of an upstream's own answer: without hop-by-hop fields, its links as configured."""
    headers, body = for_caller(answer.headers), answer.body
    if answer.rest is not None:
        return Answer(answer.status, headers, body, answer.reason, answer.rest)
    if version is Version.V2 and snapshot.config.server.v2_hrefs == "proxy" and body:
        headers, body = _adopted(snapshot, headers, body)
    if (
        not head
        and answer.status >= 200
        and answer.status not in {204, 304}
        and not first(headers, b"content-length")
    ):
        headers.append((b"Content-Length", b"%d" % len(body)))
    return Answer(answer.status, headers, body, answer.reason)


def _adopted(snapshot: Snapshot, headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    """v2's answer with its links pointing at the proxy; as it came where it has none or cannot be read."""
    try:
        plain = decode_body(headers, body, snapshot.config.upstream.v2.max_answer)
    except Undecodable:
        return headers, body
    adopted = snapshot.mapping.links.adopted(plain)
    return (headers, body) if adopted == plain else (edited(headers), adopted)
