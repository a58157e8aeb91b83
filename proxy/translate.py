"""Letting v2.1 answer: the exchange is driven one upstream call at a time, and its answer made ready for the caller."""

from __future__ import annotations

from time import perf_counter

from proxy.cutover.decide import Ahead
from proxy.errors import Untranslatable, UpstreamFailed
from proxy.exchange import Asked, exchange
from proxy.in_doubt import engine_for
from proxy.recorded import Done
from proxy.snapshot import Snapshot
from proxy.types import Answer, Call, Version
from proxy.upstream.drive import drive
from proxy.wire.headers import for_caller, for_translated
from proxy.wire.request_id import told


async def translated(snapshot: Snapshot, ahead: Ahead, call: Call, done: Done) -> Answer:
    """The answer in v2's words; raises `CrossfadeError`."""
    asked = asked_of(ahead, call, done.request_id)
    done.call, done.asked = call, asked
    begin = perf_counter()
    try:
        running = exchange(snapshot.mapping, asked, snapshot.config.upstream.v2_1.max_answer)
        reply = await drive(running, engine_for(snapshot, Version.V2_1, call, done))
    except (Untranslatable, UpstreamFailed) as error:
        done.failed = error
        raise
    finally:
        done.answered = perf_counter() - begin
    done.heard = reply
    made = reply.answer
    headers = for_caller(made.headers)
    names = [name.lower() for name, _ in headers]
    if b"content-length" not in names and made.status not in {204, 304}:
        headers.append((b"Content-Length", b"%d" % len(made.body)))
    if b"x-request-id" not in names:
        headers.append((b"X-Request-ID", told(call.headers, done.request_id)))
    if reply.untranslated:
        headers.append((b"X-Crossfade-Untranslated", reply.untranslated.encode("ascii", "replace")))
    if reply.partial:
        headers.append((b"X-Crossfade-Partial", reply.partial.encode("ascii", "replace")))
        if done.writes is not None:
            done.writes.incomplete(reply.partial)
    return Answer(made.status, headers, made.body)


def asked_of(ahead: Ahead, call: Call, request_id: str) -> Asked:
    """A caller's call as the exchange takes it."""
    assert ahead.endpoint is not None  # noqa: S101 - the caller has looked
    headers = for_translated(call.headers, request_id, has_body=ahead.endpoint.check is not None)
    return Asked(ahead.endpoint, ahead.path, ahead.pairs, headers, call.body)
