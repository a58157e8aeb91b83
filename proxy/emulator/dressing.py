"""From an answer's content to its bytes: JSON, gzip, and the headers that every answer carries."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

import msgspec

from proxy.emulator.asked import Said
from proxy.emulator.misbehave import Failure
from proxy.emulator.recorded import Recorded
from proxy.emulator.switches import Switches

_GZIP_FROM = 512
_PAGES: dict[Failure, tuple[int, str, tuple[tuple[str, str], ...]]] = {
    "error_500": (500, "500 Internal Server Error", ()),
    "error_503": (503, "503 Service Temporarily Unavailable", ()),
    "too_many": (429, "429 Too Many Requests", (("retry-after", "1"),)),
}
_CORS = (("access-control-allow-origin", "*"),)
_PREFLIGHT = (
    ("access-control-allow-methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
    ("access-control-allow-headers", "Accept, Authorization, Content-Type"),
    ("access-control-max-age", "600"),
)


@dataclass(frozen=True)
class Wire:
    """An answer ready to be sent, after `delay` seconds; `cut` names how it is spoilt."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    delay: float = 0.0
    cut: str | None = None


def html_page(failure: Failure | None) -> Said | None:
    """The page of a front server that never asked the platform; None for other failures."""
    if failure not in _PAGES:
        return None
    status, text, headers = _PAGES[failure]
    html = f"<html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>"
    return Said(status, html, headers)


def dressed(request: Recorded, said: Said, now: datetime, count: int, switches: Switches) -> Wire:
    """The whole answer; two runs with the same clock and the same requests give the same bytes."""
    headers = [("date", format_datetime(now, usegmt=True)), ("server", "platform")]
    headers += [("x-correlation-id", f"{count:016x}"), *said.headers]
    if switches.cors and request.header("origin"):
        headers += _CORS
        headers += _PREFLIGHT if request.method == "OPTIONS" else ()
    body = b""
    if isinstance(said.body, str):
        body = said.body.encode()
        headers.append(("content-type", "text/html; charset=utf-8"))
    elif said.body is not None:
        body = msgspec.json.encode(said.body)
        body = msgspec.json.format(body, indent=2) if switches.pretty else body
        headers.append(("content-type", "application/json"))
    if switches.gzip and len(body) > _GZIP_FROM:
        headers.append(("vary", "Accept-Encoding"))
        if _takes_gzip(request.header("accept-encoding")):
            body = gzip.compress(body, mtime=0)
            headers.append(("content-encoding", "gzip"))
    if said.status != 204:
        headers.append(("content-length", str(len(body))))
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return Wire(said.status, pairs, body)


def _takes_gzip(accepted: str) -> bool:
    """Whether the field lists gzip with a weight above zero (RFC 9110 §12.5.3)."""
    for coding in accepted.lower().split(","):
        name, _, weight = coding.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
