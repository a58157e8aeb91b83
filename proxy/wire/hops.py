"""How far a request may go: `OPTIONS` counts its hops, `TRACE` ends here (RFC 9110 §7.6.2, §9.3.7, §9.3.8)."""

from __future__ import annotations

from proxy.errors import Fault, Refused
from proxy.types import Headers
from proxy.wire.headers import first

LIMITED = frozenset({"OPTIONS", "TRACE"})
"""The methods that `onward` has to look at."""
_MAX_FORWARDS = b"max-forwards"


def onward(method: str, target: bytes, headers: Headers) -> Headers | None:
    """The header section for the next hop, with one hop less to go; `None` where the request is answered here.

    That is `OPTIONS *`, which asks this server alone, and `Max-Forwards: 0`. A value that is no number counts as none.
    Raises `Refused` for `TRACE`: its answer would repeat the caller's credentials.
    """
    if method == "TRACE":
        detail = "TRACE would have the request's own header section, credentials too, sent back. Use another method."
        raise Refused(Fault.METHOD, "Method not allowed.", detail)
    left = (first(headers, _MAX_FORWARDS) or b"").strip()
    if target == b"*" or (left.isdigit() and int(left[:9]) == 0):
        return None
    if not left.isdigit():
        return headers
    return [
        (name, b"%d" % (int(left[:9]) - 1) if name.lower() == _MAX_FORWARDS else value)
        for name, value in headers
    ]
