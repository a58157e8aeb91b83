"""Header sections: what stops at this hop, what is refused, and what an edited body may no longer claim.

Everything not named here crosses: unknown fields, repeated fields, and their order (RFC 9110 §5.1, §5.3).
Names compare without regard to case (§5.1).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from proxy.errors import Fault, Refused
from proxy.types import Headers

PSEUDONYM = b"crossfade"
"""Our name in `Via`: a pseudonym, so that no host name leaves the house (RFC 9110 §7.6.3)."""

REQUEST_ID = b"x-crossfade-request-id"
"""The field that carries our own request id upstream."""

_VIA = (b"via", b"1.1 " + PSEUDONYM)

_HOP_BY_HOP = frozenset(
    {
        b"connection",  # RFC 9110 §7.6.1, as the next five
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"transfer-encoding",
        b"upgrade",
        b"trailer",  # RFC 9110 §6.6.2: trailers are dropped here, so nothing may announce them
        b"proxy-authenticate",  # RFC 9110 §11.7.1: for the next client on the chain only
        b"proxy-authorization",  # RFC 9110 §11.7.2: consumed by the first proxy that asks for it
        b"expect",  # RFC 9110 §10.1.1: the whole body is here before anything is sent on
    }
)
_FOR_ALL_RECIPIENTS = frozenset(
    {
        b"authorization",
        b"cache-control",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"cookie",
        b"date",
        b"etag",
        b"host",
        b"location",
        b"set-cookie",
        b"via",
        b"www-authenticate",
        REQUEST_ID,
    }
)
"""Fields that `Connection` may not name (RFC 9110 §7.6.1: no option for a field meant for all recipients)."""

_SINGLE = frozenset({b"authorization", b"host", b"content-length"})
"""Fields whose second line another server may prefer (RFC 9110 §11.6.2, RFC 9112 §3.2 and §6.3)."""

_USUAL_OPTIONS = frozenset({b"keep-alive", b"close", b"Keep-Alive"})

_TWINS_REFUSED = (
    _FOR_ALL_RECIPIENTS | _HOP_BY_HOP | {b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"}
)
"""Fields whose spelling with `_` is refused: servers that take `_` for `-` would see a second one."""

_BODY_CLAIMS = frozenset(
    {
        b"content-length",  # RFC 9110 §8.6
        b"content-encoding",  # RFC 9110 §8.4
        b"content-md5",
        b"digest",
        b"content-digest",  # RFC 9530 §2
        b"repr-digest",  # RFC 9530 §3
        b"accept-ranges",  # RFC 9110 §14.3: ranges of other bytes
    }
)
_STRONG_CLAIMS = _BODY_CLAIMS | {b"etag"}
_REPLACED = frozenset({b"host", b"content-length", REQUEST_ID})
_NOT_UPSTREAM = _HOP_BY_HOP | _REPLACED
_NOT_TRANSLATED = (
    _NOT_UPSTREAM
    | _BODY_CLAIMS
    | {
        b"accept-encoding",
        b"content-type",
        b"range",  # RFC 9110 §14.2: ranges of bytes that the caller will not get
        b"if-match",  # RFC 9110 §13.1, all five: they speak of another representation
        b"if-none-match",
        b"if-modified-since",
        b"if-unmodified-since",
        b"if-range",
        b"x-http-method",  # a second method beside the translated one
        b"x-http-method-override",
        b"x-method-override",
    }
)
_HOST = re.compile(rb"(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_OWN_VIA = re.compile(rb"(?:^|,)[ \t]*[^ \t,]+[ \t]+" + PSEUDONYM + rb"(?=[ \t,]|$)", re.IGNORECASE)


def first(headers: Headers, name: bytes) -> bytes | None:
    """The value of the first field line with this lower-case name, or `None`."""
    size = len(name)
    for key, value in headers:
        if len(key) == size and key.lower() == name:
            return value
    return None


def check_request(headers: Headers) -> dict[bytes, bytes]:
    """Refuse a request's header section that two servers could understand differently, and a loop.

    Gives the value of each field by its lower-case name, of a repeated one the first.

    Raises `Refused`: `Fault.HEADERS` for a second `Authorization`, `Host` or `Content-Length`, a `Host` that
    is no authority, a name with `_` whose twin with `-` matters, and a `Connection` that names a field for
    all recipients; `Fault.LOOP` when our own `Via` is there (RFC 9110 §7.6.3).
    """
    fields: dict[bytes, bytes] = {}
    for name, value in headers:
        low = name.lower()
        if low not in fields:
            fields[low] = value
        elif low in _SINGLE:
            raise _ambiguous(low, "stands more than once", "Send it once")
        if low in _VALUE_CHECKS:
            _VALUE_CHECKS[low](value)
        elif b"_" in low:
            _check_twin(low, headers)
    return fields


def end_to_end(headers: Headers) -> Headers:
    """The lines that may cross: without hop-by-hop ones and those that `Connection` names (RFC 9110 §7.6.1).

    A field for all recipients crosses even if named: `check_request` refuses such a request, and an answer
    keeps it.
    """
    return _without(headers, _HOP_BY_HOP)


def for_upstream(headers: Headers, request_id: str) -> Headers:
    """What goes upstream with a request that is not translated: end-to-end fields, our `Via`, our request id.

    `Host` and `Content-Length` are left out; whoever sends the request states them for what it sends.
    """
    kept = _without(headers, _NOT_UPSTREAM)
    kept += (_VIA, (REQUEST_ID, request_id.encode()))
    return kept


def for_translated(headers: Headers, request_id: str, *, has_body: bool) -> Headers:
    """What goes upstream with a translated request.

    As `for_upstream`, and besides without ranges, conditions and claims about the caller's bytes; it asks for
    `identity` and calls its body, if it has one, JSON.
    """
    kept = _without(headers, _NOT_TRANSLATED)
    if has_body:
        kept.append((b"content-type", b"application/json"))
    kept += ((b"accept-encoding", b"identity"), _VIA, (REQUEST_ID, request_id.encode()))
    return kept


def for_caller(headers: Headers) -> Headers:
    """The fields of an answer that go back: end-to-end ones and our `Via`; `Content-Length` stays."""
    kept = _without(headers, _HOP_BY_HOP)
    kept.append(_VIA)
    return kept


def edited(headers: Headers) -> Headers:
    """The same fields for a body that was changed: no length, coding, digest, range or strong validator.

    A weak `ETag` stays, since it never promised the same bytes (RFC 9110 §8.8.1).
    """
    return [
        (name, value)
        for name, value in headers
        if (low := name.lower()) not in _STRONG_CLAIMS or (low == b"etag" and value.startswith(b"W/"))
    ]


def _without(headers: Headers, dropped: frozenset[bytes]) -> Headers:
    named: set[bytes] = set()
    kept: Headers = []
    for field in headers:
        name = field[0].lower()
        if name not in dropped:
            kept.append(field)
        elif name == b"connection" and field[1] not in _USUAL_OPTIONS:
            named |= _options(field[1])
    named -= _FOR_ALL_RECIPIENTS
    return [field for field in kept if field[0].lower() not in named] if named else kept


def _options(connection: bytes) -> set[bytes]:
    """The options of one `Connection` line, in lower case."""
    return {option.strip(b" \t") for option in connection.lower().split(b",")}


def _check_host(value: bytes) -> None:
    if not _HOST.fullmatch(value):
        raise _ambiguous(b"host", "is not a host name with an optional port", "Send host:port alone")


def _check_connection(value: bytes) -> None:
    if value not in _USUAL_OPTIONS and (named := _options(value) & _FOR_ALL_RECIPIENTS):
        raise _ambiguous(
            b"connection", f"names {min(named).decode()}, a field for all recipients", "Take it out"
        )


def _check_via(value: bytes) -> None:
    if _OWN_VIA.search(value):
        detail = "The request carries this proxy's own Via: an upstream address leads back here. Correct it."
        raise Refused(Fault.LOOP, "via: the request has passed through here before.", detail)


def _check_twin(name: bytes, headers: Headers) -> None:
    twin = name.replace(b"_", b"-")
    if twin in _TWINS_REFUSED:
        raise _ambiguous(twin, "has a twin that is spelled with an underscore", "Send the hyphen alone")
    if first(headers, twin) is not None:
        raise _ambiguous(b"a field", "comes with an underscore and with a hyphen", "Send one of the two")


_VALUE_CHECKS: dict[bytes, Callable[[bytes], None]] = {
    b"host": _check_host,
    b"connection": _check_connection,
    b"via": _check_via,
}


def _ambiguous(name: bytes, breach: str, way_out: str) -> Refused:
    """`name` comes from the lists above, never from the request: a made-up name can be personal data."""
    shown = name.decode()
    return Refused(
        Fault.HEADERS, f"{shown}: {breach}.", f"In the header section, {shown} {breach}. {way_out}."
    )
