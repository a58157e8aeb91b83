"""A target passes only if no two parsers can read it differently; what passes is never changed."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from proxy.errors import Fault, Refused
from proxy.wire.target import MAX_TARGET, check_target, split

REFUSED = {
    "dot-dot": b"/v2/orders/../guests",
    "dot-dot at the end": b"/v2/orders/..",
    "dot-dot at the start": b"/../v2/orders",
    "dot-dot alone": b"/..",
    "dot": b"/v2/./orders",
    "dot at the end": b"/v2/orders/.",
    "dot alone": b"/.",
    "dot before the query": b"/v2/orders/.?limit=1",
    "dot-dot before the query": b"/v2/orders/..?limit=1",
    "dot-dot before a slash": b"/v2/orders/../",
    "encoded dots": b"/v2/orders/%2e%2e/guests",
    "encoded dots, upper case": b"/v2/orders/%2E%2E/guests",
    "encoded dots, mixed case": b"/v2/orders/%2e%2E/guests",
    "half encoded dots": b"/v2/orders/.%2e/guests",
    "half encoded dots, other half": b"/v2/orders/%2E./guests",
    "one encoded dot": b"/v2/%2e/orders",
    "encoded dot at the end": b"/v2/orders/%2e",
    "encoded dots before the query": b"/v2/orders/%2e%2e?x=1",
    "dots and an encoded slash": b"/v2/orders/..%2fguests",
    "dots and an encoded slash, upper case": b"/v2/orders/..%2Fguests",
    "everything encoded": b"/v2/orders/%2e%2e%2fguests",
    "dots and an encoded backslash": b"/v2/orders/..%5cguests",
    "encoded slash inside an id": b"/v2/orders/a%2Fb",
    "encoded slash at the end": b"/v2/orders%2f",
    "encoded slash at the start": b"/%2fv2/orders",
    "encoded backslash": b"/v2/orders/a%5cb",
    "encoded backslash, upper case": b"/v2/orders/a%5Cb",
    "backslash": b"/v2/orders\\x",
    "backslash as the first slash": b"\\v2\\orders",
    "backslash host": b"/\\evil.example/v2/orders",
    "double encoded dots": b"/v2/orders/%252e%252e/guests",
    "double encoded slash": b"/v2/orders/a%252fb",
    "triple encoded dots": b"/v2/orders/%25252e%25252e",
    "encoded percent": b"/v2/orders/100%25",
    "double slash host": b"//evil.example/v2/orders",
    "double slash at the start": b"//v2/orders",
    "three slashes": b"///v2/orders",
    "double slash inside": b"/v2//orders",
    "double slash at the end": b"/v2/orders//",
    "double slash before the query": b"/v2/orders//?x=1",
    "only slashes": b"//",
    "path parameter": b"/v2/orders;x=1",
    "session parameter": b"/v2/orders;jsessionid=1/items",
    "dot-dot with a parameter": b"/v2/orders/..;/guests",
    "encoded semicolon": b"/v2/orders%3bx=1",
    "encoded semicolon, upper case": b"/v2/orders%3Bx=1",
    "encoded NUL": b"/v2/orders/%00",
    "encoded NUL before an ending": b"/v2/orders/a%00.json",
    "encoded CR LF": b"/v2/orders/%0d%0aX-Evil:%201",
    "encoded CR LF, upper case": b"/v2/orders/%0D%0A",
    "encoded tab": b"/v2/orders/%09",
    "encoded escape byte": b"/v2/orders/%1b[31m",
    "encoded DEL": b"/v2/orders/%7f",
    "encoded DEL, upper case": b"/v2/orders/%7F",
    "encoded hash": b"/v2/orders%23x",
    "encoded question mark": b"/v2/orders%3fx=1",
    "encoded question mark, upper case": b"/v2/orders%3Fx=1",
    "overlong dot": b"/v2/orders/%c0%ae%c0%ae/guests",
    "overlong slash": b"/v2/orders/%c0%afguests",
    "overlong slash, three bytes": b"/v2/orders/%e0%80%afguests",
    "overlong NUL": b"/v2/orders/%c0%80",
    "encoded latin-1": b"/v2/orders/caf%e9",
    "encoded surrogate": b"/v2/orders/%ed%a0%80",
    "encoded FF": b"/v2/orders/%ff",
    "unfinished UTF-8": b"/v2/orders/%e2%82",
    "fullwidth dots": b"/v2/orders/%ef%bc%8e%ef%bc%8e/guests",
    "fullwidth slash": b"/v2/orders%ef%bc%8fguests",
    "fullwidth backslash": b"/v2/orders%ef%bc%bcguests",
    "fullwidth semicolon": b"/v2/orders%ef%bc%9bx",
    "fullwidth percent": b"/v2/orders/%ef%bc%852e",
    "fullwidth question mark": b"/v2/orders%ef%bc%9fx",
    "fullwidth hash": b"/v2/orders%ef%bc%83x",
    "small full stop": b"/v2/orders/%ef%b9%92%ef%b9%92/guests",
    "one dot leader": b"/v2/orders/%e2%80%a4%e2%80%a4/guests",
    "two dot leader": b"/v2/orders/%e2%80%a5/guests",
    "ellipsis": b"/v2/orders/%e2%80%a6/guests",
    "fraction slash": b"/v2/orders%e2%81%84guests",
    "division slash": b"/v2/orders%e2%88%95guests",
    "big solidus": b"/v2/orders%e2%a7%b8guests",
    "fullwidth dots, not encoded": "/v2/orders/\uff0e\uff0e/guests".encode(),
    "raw UTF-8 in the path": "/v2/orders/caf\u00e9".encode(),
    "raw byte in the path": b"/v2/orders/\xff",
    "raw NUL": b"/v2/orders/\x00",
    "raw CR LF": b"/v2/orders\r\nX-Evil: 1",
    "raw LF": b"/v2/orders\n",
    "raw tab": b"/v2/orders\t",
    "raw space": b"/v2/orders /x",
    "space at the end": b"/v2/orders ",
    "raw DEL": b"/v2/orders\x7f",
    "fragment": b"/v2/orders#top",
    "fragment after the query": b"/v2/orders?limit=1#top",
    "fragment at the start": b"#/v2/orders",
    "percent at the end": b"/v2/orders/%",
    "one digit": b"/v2/orders/%2",
    "no digits": b"/v2/orders/%zz",
    "second digit wrong": b"/v2/orders/%2g",
    "percent u": b"/v2/orders/%u002e%u002e",
    "percent before the query": b"/v2/orders/%?2e",
    "absolute form": b"http://evil.example/v2/orders",
    "absolute form, https": b"https://evil.example/v2/orders",
    "absolute form, mixed case": b"hTTp://evil.example/v2/orders",
    "absolute form with a user": b"http://user@evil.example/v2/orders",
    "other scheme": b"file:///etc/passwd",
    "authority form": b"evil.example:443",
    "asterisk": b"*",
    "asterisk with a path": b"*/v2/orders",
    "at sign": b"@evil.example/v2/orders",
    "user and host": b"user:pw@evil.example/",
    "colon and at": b":@evil.example/",
    "port suffix": b":80/v2/orders",
    "dot suffix": b".evil.example/v2/orders",
    "empty": b"",
    "query alone": b"?x=1",
    "no leading slash": b"v2/orders",
    "raw UTF-8 in the query": "/v2/orders?name=caf\u00e9".encode(),
    "space in the query": b"/v2/orders?a=b c",
    "NUL in the query": b"/v2/orders?a=\x00",
    "CR LF in the query": b"/v2/orders?a=1\r\nX-Evil: 1",
    "LF at the end of the query": b"/v2/orders?a=1\n",
    "raw byte in the query": b"/v2/orders?a=\xff",
    "quotation mark in the path": b'/v2/orders/"x"',
    "angle brackets in the path": b"/v2/orders/<x>",
    "braces in the path": b"/v2/orders/{ref}",
    "square brackets in the path": b"/v2/orders/[1]",
    "pipe in the path": b"/v2/orders/a|b",
    "caret in the path": b"/v2/orders/a^b",
    "backtick in the path": b"/v2/orders/`id`",
    "a clean start hides nothing": b"/v2/orders/" + b"a/" * 2000 + b"../x",
}


@pytest.mark.parametrize("target", REFUSED.values(), ids=REFUSED.keys())
def test_a_target_that_two_parsers_could_read_differently_is_refused(target: bytes) -> None:
    with pytest.raises(Refused) as caught:
        check_target(target)
    assert caught.value.fault is Fault.TARGET
    assert caught.value.detail.endswith(".")


TOO_LONG = {
    "one byte too long": b"/" + b"a" * MAX_TARGET,
    "64 KiB": b"/v2/orders/" + b"a" * 65_536,
    "long query": b"/v2/orders?a=" + b"a" * MAX_TARGET,
}


@pytest.mark.parametrize("target", TOO_LONG.values(), ids=TOO_LONG.keys())
def test_a_target_that_is_too_long_is_refused(target: bytes) -> None:
    with pytest.raises(Refused) as caught:
        check_target(target)
    assert caught.value.fault is Fault.TARGET_LENGTH
    assert str(MAX_TARGET) in caught.value.detail
    check_target(target, len(target))


PASSED = {
    "root": b"/",
    "collection": b"/v2/orders",
    "trailing slash": b"/v2/orders/",
    "trailing slash and a query": b"/v2/orders/?limit=1",
    "item": b"/v2/orders/8f3b1c2e-0000-4a4a-9f9f-000000000000",
    "unencoded e-mail": b"/v2/guests?email=a@b.c",
    "unencoded address": b"/v2/guests?next=http://a.example/../x;y\\z",
    "sloppy query": b'/v2/orders?filter={"a":[1|2]}^`<>',
    "broken escape in the query": b"/v2/orders?a=100%",
    "encoded anything in the query": b"/v2/orders?a=%2e%2e%2f%00%ff",
    "question marks in the query": b"/v2/orders??a=?",
    "empty query": b"/v2/orders?",
    "double slash in the query": b"/v2/orders?//",
    "many parameters": b"/v2/orders?" + b"&".join([b"a=1"] * 1000),
    "three dots": b"/v2/orders/...",
    "dots in a name": b"/v2.1/orders/a..b/.well-known/x.",
    "encoded space": b"/v2/orders/a%20b",
    "encoded letter": b"/v2/orders/%41",
    "encoded UTF-8": b"/v2/orders/Z%C3%BCrich",
    "encoded euro and dots inside": b"/v2/orders/%e2%82%ac.%2e",
    "encoded emoji": b"/v2/orders/%F0%9F%98%80",
    "three encoded dots": b"/v2/orders/%2e%2e%2e",
    "reserved signs": b"/v2/orders/a!$&'()*+,=:@~b",
    "longest": b"/" + b"a" * (MAX_TARGET - 1),
}


@pytest.mark.parametrize("target", PASSED.values(), ids=PASSED.keys())
def test_a_plain_target_passes(target: bytes) -> None:
    check_target(target)


def test_a_refusal_says_which_part_and_what_to_do_but_not_what_was_sent() -> None:
    with pytest.raises(Refused) as caught:
        check_target(b"/v2/orders/anna-secret/../x")
    assert caught.value.message == "path: holds a dot segment."
    assert "Send the path that is meant" in caught.value.detail
    assert "anna" not in caught.value.detail


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (b"*", "is not in origin form"),
        (b"/a\\b", "backslash"),
        (b"/a;b", "semicolon"),
        (b"//a", "empty segment"),
        (b"/%zz", "begins no escape"),
        (b"/%0a", "escaped control byte"),
        (b"/%2f", "an escaped / "),
        (b"/{a}", "character that no path has"),
        (b"/%ff", "not UTF-8"),
        (b"/%e2%88%95", "look-alike"),
        (b"/a#b", "fragment"),
        (b"/a b", "a space"),
    ],
)
def test_a_refusal_names_the_breach(target: bytes, said: str) -> None:
    with pytest.raises(Refused) as caught:
        check_target(target)
    assert said in caught.value.message


pieces = st.sampled_from(
    rb"/ . .. % 2 5 e E f c0 ae %2e %2F %25 a ; \ ? %c3%bc %ef%bc%8e %e2%80%a5 // /../ %5c # v2".split()
)


@given(st.lists(pieces, max_size=12).map(lambda parts: b"/" + b"".join(parts)))
@example(b"/%2525252e/")
def test_what_passes_holds_no_dot_segment_however_often_it_is_decoded(target: bytes) -> None:
    try:
        check_target(target)
    except Refused:
        return
    path = split(target)[0].decode("ascii")
    segments = path.count("/")
    for _ in range(5):
        assert not {".", ".."} & set(re.split(r"[/\\;]", path))
        assert path.count("/") == segments
        assert "//" not in path
        path = unquote(path)


@given(st.binary(max_size=30).map(lambda tail: b"/v2/" + tail))
def test_a_target_of_any_bytes_passes_or_is_refused_and_never_crashes(target: bytes) -> None:
    try:
        check_target(target)
        passed = True
    except Refused:
        passed = False
    assert target.isascii() or not passed
