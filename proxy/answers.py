"""Answers of our own: every fault in v2's error shape, so that no caller ever meets a bare 500 or a text that is no JSON."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from proxy.cutover.decide import CARRIED
from proxy.errors import CrossfadeError, Fault, Refused, Untranslatable, UpstreamFailed
from proxy.mapping.faults import ErrorShape
from proxy.types import Answer, Headers, Outcome
from proxy.wire.phrases import status_line

CODE = b"X-Crossfade-Code"
OUTCOME = b"X-Crossfade-Outcome"
RETRY_AFTER = b"1"
"""Seconds after which a caller may come back when we had too much to do."""


def for_error(shape: ErrorShape, error: CrossfadeError, request_id: str, *, head: bool = False) -> Answer:
    """What the caller gets for an error of ours; nothing in it repeats a value of the request."""
    fault, message, detail, outcome = _read(error)
    text = f"{fault.code} {detail} (request {request_id})"
    if isinstance(error, Refused) and error.rule:
        text = f"{fault.code} {detail} (rule {error.rule}, request {request_id})"
    body = shape.own(fault.status, message, text)
    headers: Headers = [
        (b"Content-Type", b"application/json"),
        (b"Content-Length", b"%d" % len(body)),
        (CODE, fault.code.encode()),
        (OUTCOME, outcome.value.encode()),
    ]
    if fault is Fault.OVERLOADED:
        headers.append((b"Retry-After", RETRY_AFTER))
    return Answer(fault.status, headers, b"" if head else body)


def for_connection(shape: ErrorShape, fault: Fault, request_id: str) -> bytes:
    """The whole answer to what never became a request, as bytes; the connection ends behind it."""
    answer = for_error(shape, unreadable(fault), request_id)
    headers = [*answer.headers, (b"X-Request-ID", request_id.encode()), (b"Connection", b"close")]
    lines = [status_line(answer), *(name + b": " + value for name, value in headers)]
    return b"\r\n".join([*lines, b"", answer.body])


def unreadable(fault: Fault) -> Refused:
    """The refusal of bytes that are no request, or no body of one."""
    return Refused(fault, *_UNREADABLE[fault])


def health(name: bytes, *, draining: bool, degraded: Sequence[str] = ()) -> Answer:
    """The answer to a load balancer: whether the process lives, and whether it shall get more requests.

    A part that is degraded is named, and costs nobody the traffic.
    """
    if name not in {b"livez", b"readyz"}:
        raise Refused(Fault.NOT_FOUND, "Not found.", "Under /-/ there are livez and readyz only.")
    ready = name == b"livez" or not draining
    status = "ok" if name == b"livez" else "ready" if ready else "draining"
    told = {"status": status, "degraded": degraded} if degraded and name == b"readyz" else {"status": status}
    body = msgspec.json.encode(told)
    headers = [(b"Content-Type", b"application/json"), (b"Content-Length", b"%d" % len(body))]
    return Answer(200 if ready else 503, headers, body)


def own_options() -> Answer:
    """The answer to `OPTIONS` that asks nobody but this server (RFC 9110 §9.3.7): what may be sent through it."""
    return Answer(204, [(b"Allow", ", ".join(CARRIED).encode())])


def _read(error: CrossfadeError) -> tuple[Fault, str, str, Outcome]:
    match error:
        case Refused():
            return error.fault, error.message, _placed(error), Outcome.NOT_SENT
        case UpstreamFailed():
            return (
                error.fault,
                _MESSAGES.get(error.fault, "The platform did not answer."),
                error.detail,
                error.outcome,
            )
        case Untranslatable():
            place = f" at {error.pointer}" if error.pointer else ""
            rule = f" (rule {error.rule})" if error.rule else ""
            why = f"{str(error).rstrip('.')}{place}{rule}"
            detail = f"The platform's answer cannot be said in v2's words: {why}. Tell the operator."
            return Fault.BAD_ANSWER, _MESSAGES[Fault.BAD_ANSWER], detail, Outcome.ANSWERED
        case _:
            detail = "A mistake in crossfade itself; the operator's log names the place. Do not repeat a write blindly."
            return Fault.INTERNAL, "Internal error.", detail, Outcome.UNKNOWN


def _placed(error: Refused) -> str:
    """The detail of a refusal; it begins with the place where it does not name it itself."""
    if not error.pointer or error.pointer in error.detail:
        return error.detail
    return f"{error.pointer}: {error.detail}"


_UNREADABLE = {
    Fault.HEADERS: (
        "The request is not valid HTTP.",
        "The bytes that came are no HTTP/1.1 request that can be read in one way only. Send one (RFC 9112).",
    ),
    Fault.TARGET_LENGTH: (
        "The request target is too long.",
        "Path and query are longer than server.max_target. Send shorter ones, or have the operator raise it.",
    ),
    Fault.HEAD_TOO_LARGE: (
        "The header section is too large.",
        "The header section is larger than server.max_head or has more lines than server.max_fields. "
        "Send less, or have the operator raise them.",
    ),
    Fault.OVERLOADED: ("Too many callers are connected.", "Come back after Retry-After."),
    Fault.HEAD_TIMEOUT: (
        "The request did not arrive in time.",
        "The header section was not whole within server.head_timeout. Send it faster, or have the operator raise it.",
    ),
}
"""What a caller is told whose bytes never became a request."""
_MESSAGES = {
    Fault.HEADERS: _UNREADABLE[Fault.HEADERS][0],
    Fault.HEAD_TOO_LARGE: _UNREADABLE[Fault.HEAD_TOO_LARGE][0],
    Fault.BODY_TIMEOUT: "The request body did not arrive in time.",
    Fault.TOO_LARGE: "The request body is too large.",
    Fault.UNREACHABLE: "The platform could not be reached.",
    Fault.BROKEN: "The connection to the platform broke.",
    Fault.TIMEOUT: "The platform did not answer in time.",
    Fault.BAD_ANSWER: "The platform's answer could not be used.",
    Fault.OVERLOADED: "Too many requests are being carried.",
    Fault.JOURNAL: "Writes cannot be taken at the moment.",
}
