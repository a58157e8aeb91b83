"""A header section that two servers could understand differently is refused, and so is a loop."""

from __future__ import annotations

import pytest

from proxy.errors import Fault, Refused
from proxy.types import Headers
from proxy.wire.headers import check_request, end_to_end, for_upstream

RECIPIENTS = [
    b"cache-control",
    b"content-encoding",
    b"content-type",
    b"date",
    b"etag",
    b"location",
    b"www-authenticate",
    b"authorization",
    b"Host",
    b"content-length",
    b"Cookie",
    b"x, AUTHORIZATION",
    b"via,close",
]


@pytest.mark.parametrize("option", RECIPIENTS)
def test_connection_may_not_take_away_a_field_that_is_meant_for_all(option: bytes) -> None:
    headers = [(b"host", b"a.example"), (b"connection", option), (b"authorization", b"Basic eDp5")]
    with pytest.raises(Refused) as caught:
        check_request(headers)
    assert caught.value.fault is Fault.HEADERS
    assert caught.value.message.startswith("connection: names ")
    assert (b"authorization", b"Basic eDp5") in end_to_end(headers)


REFUSED: dict[str, Headers] = {
    "two credentials": [(b"authorization", b"Basic eDp5"), (b"authorization", b"Basic ejp6")],
    "two equal credentials": [(b"Authorization", b"Basic eDp5"), (b"authorization", b"Basic eDp5")],
    "two hosts": [(b"host", b"a.example"), (b"Host", b"b.example")],
    "two equal lengths": [(b"content-length", b"3"), (b"content-length", b"3")],
    "user in host": [(b"host", b"user@a.example")],
    "user and password in host": [(b"host", b"user:pw@a.example")],
    "path in host": [(b"host", b"a.example/v2")],
    "backslash in host": [(b"host", b"a.example\\b")],
    "comma in host": [(b"host", b"a.example, b.example")],
    "space in host": [(b"host", b"a.example b")],
    "query in host": [(b"host", b"a.example?x")],
    "fragment in host": [(b"host", b"a.example#x")],
    "encoded host": [(b"host", b"a%2eexample")],
    "empty host": [(b"host", b"")],
    "host outside ASCII": [(b"host", b"\xc3\xa4.example")],
    "host with a line end": [(b"host", b"a.example\n")],
    "port of letters": [(b"host", b"a.example:http")],
    "port too long": [(b"host", b"a.example:808080")],
    "two ports": [(b"host", b"a.example:80:81")],
    "empty port": [(b"host", b"a.example:")],
    "open bracket": [(b"host", b"[::1")],
    "junk after the bracket": [(b"host", b"[::1]x")],
    "bare IPv6": [(b"host", b"::1")],
    "underscored length": [(b"Content_Length", b"3")],
    "underscored transfer coding": [(b"transfer_encoding", b"chunked")],
    "underscored type": [(b"CONTENT_TYPE", b"text/plain")],
    "underscored forwarding": [(b"X_Forwarded_For", b"127.0.0.1")],
    "half underscored forwarding": [(b"x-forwarded_host", b"evil.example")],
    "underscored proxy credential": [(b"proxy_authorization", b"Basic eDp5")],
    "both spellings of a private field": [(b"x-tenant", b"1"), (b"x_tenant", b"2")],
}


@pytest.mark.parametrize("headers", REFUSED.values(), ids=REFUSED.keys())
def test_an_ambiguous_header_section_is_refused(headers: Headers) -> None:
    with pytest.raises(Refused) as caught:
        check_request([(b"accept", b"*/*"), *headers])
    assert caught.value.fault is Fault.HEADERS
    shown = caught.value.detail.encode()
    assert not any(value in shown for _, value in headers if len(value) > 3)


PASSED: dict[str, Headers] = {
    "nothing": [],
    "usual": [(b"host", b"a.example"), (b"authorization", b"Basic eDp5"), (b"content-length", b"0")],
    "port": [(b"host", b"a.example:8080")],
    "IPv4": [(b"host", b"127.0.0.1:1")],
    "IPv6": [(b"host", b"[::1]:8080")],
    "trailing dot": [(b"host", b"a.example.")],
    "underscore in a private name": [(b"x_tenant", b"1")],
    "two private underscored fields": [(b"x_tenant", b"1"), (b"x_tenant", b"2")],
    "others' Via": [(b"via", b"1.1 proxy.example, 1.0 fred (crossfade)")],
    "a name that begins like ours": [(b"via", b"1.1 crossfader, 1.1 my-crossfade")],
    "unusual option": [(b"connection", b"close, x-private")],
    "duplicates of others": [(b"accept", b"a"), (b"accept", b"b"), (b"cookie", b"a=1"), (b"cookie", b"b=2")],
}


@pytest.mark.parametrize("headers", PASSED.values(), ids=PASSED.keys())
def test_an_unambiguous_header_section_passes(headers: Headers) -> None:
    check_request(headers)


LOOPS = {
    "alone": b"1.1 crossfade",
    "upper case": b"1.1 Crossfade",
    "in a list": b"1.1 a, 1.1 crossfade, 1.1 b",
    "without spaces": b"1.1 a,1.1 crossfade",
    "other protocol": b"HTTP/2 crossfade",
    "with a comment": b"1.1 crossfade (x)",
    "tab": b"1.1\tcrossfade",
}


@pytest.mark.parametrize("via", LOOPS.values(), ids=LOOPS.keys())
def test_rfc_9110_7_6_3_a_request_that_was_here_before_is_refused(via: bytes) -> None:
    with pytest.raises(Refused) as caught:
        check_request([(b"via", b"1.1 other"), (b"Via", via)])
    assert caught.value.fault is Fault.LOOP


def test_a_request_that_went_out_is_recognised_when_it_comes_back() -> None:
    with pytest.raises(Refused) as caught:
        check_request(for_upstream([(b"accept", b"*/*")], "id"))
    assert caught.value.fault is Fault.LOOP
