"""What is written down of a request: from an allow-list, and nothing that the caller made up."""

from __future__ import annotations

from time import perf_counter

import msgspec

from proxy.cutover.decide import Ahead
from proxy.errors import Fault, Untranslatable, UpstreamFailed
from proxy.exchange import Asked, Reply
from proxy.log import EventLog
from proxy.snapshot import Snapshot
from proxy.store import CallKey
from proxy.types import Answer, Call, Rest, Version
from proxy.upstream.writes import Writes

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Methods that stand in the log by name."""


class Done(msgspec.Struct, gc=False):
    """What became of a request; filled as it goes, for the log and the evidence."""

    request_id: str
    started: float
    method: str = ""
    caller: str = ""
    ahead: Ahead | None = None
    version: Version | None = None
    request_bytes: int = 0
    incoming: Rest | None = None
    """What of the caller's body was passed on as it came."""
    answered: float = 0.0
    """Seconds that the upstream's side of it took."""
    code: str = ""
    record: str = ""
    """The keyed name of the record that it is about, once something has asked for it."""
    call: Call | None = None
    """The caller's request, where an endpoint covers it; for the evidence, as the next three."""
    asked: Asked | None = None
    """The request as the exchange took it."""
    heard: Answer | Reply | None = None
    """What the version that was asked has answered, before any field was taken away; from v2.1 with its translation."""
    failed: Untranslatable | UpstreamFailed | None = None
    """Why v2.1 gave the caller nothing."""
    writes: Writes | None = None


def count_call(snapshot: Snapshot, done: Done, answer: Answer) -> None:
    """Count a call for its caller, by endpoint and the version that answered; one that no mapping covers by its template."""
    ahead = done.ahead
    if ahead is None:
        return
    call = ""
    if ahead.template:
        call = f"{done.method if done.method in METHODS else 'OTHER'} {ahead.template}"
    version = "" if done.version is None else str(done.version)
    key = CallKey(done.caller, ahead.label, version, call)
    snapshot.recorder.called(key, failed=answer.status >= 500, seconds=done.answered)


def log_mistake(log: EventLog, error: Exception, request_id: str) -> None:
    """Write where a mistake of ours happened: the kind of the exception and the place, never its text."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace is not None else ""
    log.write("internal_error", exception=type(error).__name__, place=place, request_id=request_id)


def log_request(snapshot: Snapshot, done: Done, answer: Answer) -> None:
    """Write the line of one request, if the operator wants it."""
    if not _wanted(snapshot, done.request_id):
        return
    snapshot.log.write(
        "request",
        request_id=done.request_id,
        endpoint=done.ahead.label if done.ahead else "",
        method=done.method if done.method in METHODS else "OTHER",
        status=answer.status,
        duration_ms=round((perf_counter() - done.started) * 1000, 3),
        caller=done.caller,
        stage=done.ahead.stage.value if done.ahead else "",
        version=done.version.value if done.version else "",
        request_bytes=_taken(done.incoming) or done.request_bytes,
        answer_bytes=len(answer.body) + _taken(answer.rest),
        code=done.code,
    )


def log_refusal(snapshot: Snapshot, fault: Fault, request_id: str) -> None:
    """Write the line of what never became a request, if the operator wants those of requests."""
    if snapshot.config.log.requests != "off" and _wanted(snapshot, request_id):
        snapshot.log.write("refused", request_id=request_id, status=fault.status, code=fault.code)


def _wanted(snapshot: Snapshot, request_id: str) -> bool:
    return snapshot.config.log.requests != "sampled" or not int(request_id[:4], 16) % 100


def _taken(rest: Rest | None) -> int:
    return 0 if rest is None else rest.taken
