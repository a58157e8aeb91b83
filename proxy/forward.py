"""An answer that is passed on as it came, and what little is changed in it."""

from __future__ import annotations

from proxy.snapshot import Snapshot
from proxy.types import Answer, Headers, Version
from proxy.wire.coding import Undecodable, decode_body
from proxy.wire.headers import edited, first, for_caller


def passed(snapshot: Snapshot, version: Version, answer: Answer, *, head: bool) -> Answer:
    """What the caller gets of an upstream's own answer: without hop-by-hop fields, its links as configured."""
    headers, body = for_caller(answer.headers), answer.body
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
