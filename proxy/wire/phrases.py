"""The first line of an answer (RFC 9112 §4)."""

from __future__ import annotations

from http import HTTPStatus

from proxy.types import Answer

_PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus}


def status_line(answer: Answer) -> bytes:
    """Version, status and reason phrase: the answer's own, else the usual one."""
    return b"HTTP/1.1 %d %b" % (answer.status, answer.reason or _PHRASES.get(answer.status, b""))
