"""What evidence gets of an answered call: each kind on its own, after the caller has its answer, within the sample."""

from __future__ import annotations

from msgspec.structs import replace

from proxy.cutover.decide import Ahead
from proxy.errors import Fault, Untranslatable, UpstreamFailed
from proxy.evidence.kinds import FREE, kinds
from proxy.evidence.observation import Observation
from proxy.exchange import Reply
from proxy.in_doubt import record_of
from proxy.recorded import Done, log_mistake
from proxy.snapshot import Snapshot
from proxy.translate import asked_of
from proxy.types import Answer, Call, Version

_COMPARED = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
"""Methods with an answer to compare: `HEAD` has no body, `OPTIONS` is about the path."""
_UNSAMPLED = ((), FREE)
_OWN = frozenset({Fault.OVERLOADED, Fault.JOURNAL})
"""Failures that are ours: they say nothing about v2.1."""


def offer(snapshot: Snapshot, done: Done) -> None:
    """Hand an answered call over. A mistake of ours in here costs this call's evidence, and the caller nothing."""
    try:
        _offer(snapshot, done)
    except Exception as error:  # noqa: BLE001 - see above; the log names the place
        log_mistake(snapshot.log, error, done.request_id)


def _offer(snapshot: Snapshot, done: Done) -> None:
    """Neither what the sample leaves out nor a request that was not held is copied."""
    ahead, call, version, heard = done.ahead, done.call, done.version, _heard(done)
    if heard is None or ahead is None or call is None or version is None:
        return
    endpoint, evidence = ahead.endpoint, snapshot.evidence
    if endpoint is None or call.method not in _COMPARED or call.rest is not None:
        return
    answer = heard if isinstance(heard, Answer) else heard.answer
    wanted = kinds(str(ahead.stage), version, writes=endpoint.is_write, status=answer.status)
    if wanted not in _UNSAMPLED and not evidence.wants(done.request_id):
        wanted = FREE if wanted[:1] == FREE else ()
    conflicted = version is Version.V2 and evidence.meets(endpoint, answer, done.answered)
    if not wanted and not conflicted:
        return
    seen = _observed(snapshot, done, ahead, call, heard)
    for kind in wanted:
        evidence.offer(seen if kind == seen.evidence else replace(seen, evidence=kind))
    if conflicted:
        evidence.conflicted(seen)


def _heard(done: Done) -> Answer | Reply | None:
    """What was heard; of a call that v2.1 gave nothing for, a bare answer with the status that the caller got."""
    match done.failed:
        case Untranslatable() as error:
            bare = Answer(Fault.BAD_ANSWER.status, [])
            return Reply(bare, bare, [], error.rule or error.pointer or "body")
        case UpstreamFailed() as error:
            bare = Answer(error.fault.status, [])
            return None if error.fault in _OWN else Reply(bare, bare, [])
        case _:
            return done.heard


def _observed(snapshot: Snapshot, done: Done, ahead: Ahead, call: Call, heard: Answer | Reply) -> Observation:
    asked = done.asked or asked_of(ahead, call, done.request_id)
    reply = heard if isinstance(heard, Reply) else None
    return Observation(
        evidence="contract",
        endpoint=asked.endpoint,
        stage=str(ahead.stage),
        caller=done.caller,
        record=record_of(snapshot, call, done),
        request_id=done.request_id,
        answer=heard if isinstance(heard, Answer) else heard.answer,
        native=reply.native if reply else None,
        trace=reply.trace if reply else (),
        untranslated=(reply.untranslated or reply.partial) if reply else "",
        asked=asked,
        route=ahead.route.key if ahead.route else "",
        seconds=done.answered,
    )
