"""What stops at this hop, what is refused, and that everything else crosses as it came."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.types import Headers
from proxy.wire.headers import (
    edited,
    end_to_end,
    first,
    for_caller,
    for_translated,
    for_upstream,
)

HOP_BY_HOP = [
    b"connection",
    b"keep-alive",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"expect",
]


def names(headers: Headers) -> list[bytes]:
    return [name.lower() for name, _ in headers]


@pytest.mark.parametrize("name", HOP_BY_HOP)
@pytest.mark.parametrize("spelled", [bytes.lower, bytes.title, bytes.upper])
def test_rfc_9110_7_6_1_hop_by_hop_fields_never_cross(name: bytes, spelled: object) -> None:
    assert callable(spelled)
    headers = [(b"accept", b"*/*"), (spelled(name), b"x"), (b"x-kept", b"1")]
    kept = [(b"accept", b"*/*"), (b"x-kept", b"1")]
    assert end_to_end(headers) == kept
    assert names(for_upstream(headers, "id")) == [b"accept", b"x-kept", b"via", b"x-crossfade-request-id"]
    assert for_caller(headers)[:-1] == kept


NAMED = {
    "one": [b"X-Private"],
    "in a list": [b"close, X-Private"],
    "without spaces": [b"x-private,keep-alive"],
    "empty elements": [b", ,x-private,,"],
    "second line": [b"keep-alive", b"X-PRIVATE"],
    "tab": [b"close,\tx-private"],
}


@pytest.mark.parametrize("lines", NAMED.values(), ids=NAMED.keys())
def test_rfc_9110_7_6_1_fields_named_by_any_connection_line_never_cross(lines: list[bytes]) -> None:
    headers = [
        (b"X-Private", b"1"),
        *[(b"Connection", line) for line in lines],
        (b"x-kept", b"1"),
        (b"x-private", b"2"),
    ]
    assert end_to_end(headers) == [(b"x-kept", b"1")]


@pytest.mark.parametrize("line", [b"keep-alive", b"close", b"Keep-Alive", b"CLOSE", b"upgrade, te"])
def test_usual_connection_options_take_nothing_else_away(line: bytes) -> None:
    assert end_to_end([(b"connection", line), (b"te", b"trailers"), (b"a", b"1")]) == [(b"a", b"1")]


def test_an_untranslated_request_keeps_everything_but_host_and_length() -> None:
    headers = [
        (b"Host", b"proxy.example"),
        (b"Authorization", b"Basic eDp5"),
        (b"Range", b"bytes=0-1"),
        (b"Content-Length", b"3"),
        (b"Content-Encoding", b"gzip"),
        (b"via", b"1.1 other"),
        (b"X-Request-ID", b"theirs"),
        (b"X-Crossfade-Request-ID", b"forged"),
    ]
    assert for_upstream(headers, "ours") == [
        (b"Authorization", b"Basic eDp5"),
        (b"Range", b"bytes=0-1"),
        (b"Content-Encoding", b"gzip"),
        (b"via", b"1.1 other"),
        (b"X-Request-ID", b"theirs"),
        (b"via", b"1.1 crossfade"),
        (b"x-crossfade-request-id", b"ours"),
    ]


DROPPED_WHEN_TRANSLATED = [
    b"host",
    b"content-length",
    b"content-encoding",
    b"range",
    b"if-range",
    b"if-match",
    b"if-none-match",
    b"if-modified-since",
    b"if-unmodified-since",
    b"digest",
    b"content-digest",
    b"repr-digest",
    b"content-md5",
    b"x-http-method-override",
    b"x-http-method",
    b"x-method-override",
    b"transfer-encoding",
]


def test_a_translated_request_claims_nothing_about_the_callers_bytes() -> None:
    headers = [(name, b"x") for name in DROPPED_WHEN_TRANSLATED]
    headers += [(b"Authorization", b"Basic eDp5"), (b"Content-Type", b"application/x-www-form-urlencoded")]
    headers += [(b"content-type", b"text/plain"), (b"Accept-Encoding", b"br"), (b"accept", b"*/*")]
    kept = [(b"Authorization", b"Basic eDp5"), (b"accept", b"*/*")]
    added = [
        (b"accept-encoding", b"identity"),
        (b"via", b"1.1 crossfade"),
        (b"x-crossfade-request-id", b"ours"),
    ]
    assert for_translated(headers, "ours", has_body=False) == kept + added
    json = (b"content-type", b"application/json")
    assert for_translated(headers, "ours", has_body=True) == [*kept, json, *added]


def test_an_answer_keeps_its_fields_and_gets_our_via() -> None:
    headers = [
        (b"Date", b"now"),
        (b"Set-Cookie", b"a=1"),
        (b"Set-Cookie", b"b=2"),
        (b"WWW-Authenticate", b"Basic"),
        (b"Content-Length", b"3"),
        (b"Connection", b"close, content-length, set-cookie"),
    ]
    assert for_caller(headers) == [*headers[:5], (b"via", b"1.1 crossfade")]


def test_an_edited_body_loses_what_was_said_about_the_old_one() -> None:
    headers = [
        (b"Content-Length", b"3"),
        (b"content-encoding", b"gzip"),
        (b"Content-MD5", b"x"),
        (b"Digest", b"x"),
        (b"Content-Digest", b"x"),
        (b"Repr-Digest", b"x"),
        (b"Accept-Ranges", b"bytes"),
        (b"ETag", b'"strong"'),
        (b"etag", b'W/"weak"'),
        (b"Content-Type", b"application/json"),
        (b"Cache-Control", b"no-store"),
    ]
    assert edited(headers) == headers[8:]


def test_the_first_field_of_a_name_is_found_in_any_case() -> None:
    headers = [(b"A", b"1"), (b"X-Two", b"2"), (b"x-two", b"3")]
    assert first(headers, b"x-two") == b"2"
    assert first(headers, b"a") == b"1"
    assert first(headers, b"b") is None


private = st.sampled_from([b"x-a", b"X-A", b"x-b", b"Set-Cookie", b"accept", b"x-\xc3\xa4"])
fields = st.lists(st.tuples(private | st.sampled_from(HOP_BY_HOP[1:]), st.binary(max_size=4)), max_size=12)


@given(fields)
def test_order_duplicates_and_unknown_fields_are_kept(headers: Headers) -> None:
    kept = [field for field in headers if field[0].lower() not in HOP_BY_HOP]
    assert end_to_end(headers) == kept
    assert for_upstream(headers, "id")[:-2] == kept
    assert for_caller(headers)[:-1] == kept
    assert end_to_end(end_to_end(headers)) == kept


@given(fields)
def test_the_callers_own_list_is_never_changed(headers: Headers) -> None:
    before = list(headers)
    for_upstream(headers, "id")
    for_translated(headers, "id", has_body=True)
    for_caller(headers)
    edited(headers)
    assert headers == before
