"""A body is accepted exactly when all readers read it alike, and a refusal tells place and reason."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import Fault, Refused
from proxy.json import MAX_DEPTH, check_document

REFUSED = {
    "empty": (b"", "empty"),
    "only white space": (b" \r\n\t", "empty"),
    "byte order mark": (b"\xef\xbb\xbf{}", "byte order mark"),
    "latin-1": (b'{"a":"caf\xe9"}', "offset 9"),
    "utf-16": ('{"a":1}'.encode("utf-16"), "offset 0"),
    "overlong utf-8": (b'{"a":"\xc0\xae"}', "offset 6"),
    "encoded surrogate": (b'{"a":"\xed\xa0\x80"}', "offset 6"),
    "lone high surrogate": (b'{"a":"\\ud800"}', "Line 1, column 7"),
    "lone high surrogate, upper case": (b'{"a":"\\uD83D rest of it"}', "surrogate pair stands alone"),
    "lone low surrogate": (b'{"a":"\\udc00"}', "surrogate pair stands alone"),
    "two high surrogates": (b'{"a":"\\ud83d\\ud83d\\ude00"}', "column 7"),
    "lone surrogate in a key": (b'{"\\ud800x":1}', "surrogate pair stands alone"),
    "trailing comma": (b'{"a":1,}', "Line 1, column 8: a comma"),
    "trailing comma in an array": (b"[1,]", "a comma"),
    "third line": (b'{\n"a":1,\n "b" 2}', "Line 3, column 6: a colon"),
    "column counts characters": ('{"ä":"€" 1}'.encode(), "column 10"),
    "unquoted name": (b"{a:1}", "name in double quotes"),
    "single quotes": (b"{'a':1}", "name in double quotes"),
    "missing comma in object": (b'{"a":1 "b":2}', "comma or the closing brace"),
    "missing comma in array": (b"[1 2]", "comma or the closing bracket"),
    "leading zero": (b'{"a":01}', "number"),
    "bare point": (b'{"a":1.}', "number"),
    "bare exponent": (b'{"a":1e}', "number"),
    "bare minus": (b'{"a":-}', "character"),
    "plus": (b'{"a":+1}', "character"),
    "hexadecimal": (b'{"a":0x10}', ""),
    "NaN": (b'{"a":NaN}', "character"),
    "Infinity": (b'{"a":Infinity}', "character"),
    "comment": (b'{"a":1 /* x */}', ""),
    "two documents": (b"{} {}", "after the end"),
    "trailing text": (b"{}x", "after the end"),
    "truncated": (b'{"a":"x', "too early"),
    "truncated literal": (b'{"a":tru', "too early"),
    "raw control character": (b'{"a":"x\x01"}', "character"),
    "raw newline in a string": (b'{"a":"x\ny"}', "character"),
    "unknown escape": (b'{"a":"\\q"}', "no escape"),
    "short unicode escape": (b'{"a":"\\u12x4"}', "hexadecimal"),
    "pair without its second half": (b'{"a":"\\ud83dxxxxxxxx"}', "stands alone"),
    "NUL byte": (b"\x00", "character"),
    "form": (b"a=1&b=2", "character"),
    "too deep": (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "levels deep"),
    "far too deep": (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "levels deep"),
    "unclosed and far too deep": (b"[" * 100_000, "levels deep"),
}


@pytest.mark.parametrize(("body", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_body_that_is_no_json_is_refused_with_its_place_and_reason(body: bytes, said: str) -> None:
    with pytest.raises(Refused) as caught:
        check_document(body)
    assert caught.value.fault is Fault.JSON
    assert caught.value.message == "body: is not valid JSON."
    assert said in caught.value.detail


ACCEPTED = {
    "object": b'{"a":1}',
    "white space around": b' \r\n{ "a" : 1 }\t',
    "scalar": b'"x"',
    "null": b"null",
    "duplicate members are looked for elsewhere": b'{"a":1,"a":2}',
    "surrogate pair": b'{"a":"\\ud83d\\ude00"}',
    "escaped backslash before what looks like a surrogate": b'{"a":"\\\\ud800"}',
    "text outside ASCII": '{"a":"Zürich 😀"}'.encode(),
    "escaped NUL": b'{"a":"\\u0000"}',
    "long number": b'{"a":' + b"9" * 5000 + b"}",
    "large exponent": b'{"a":1e999999999999}',
    "minus zero": b"-0",
    "deepest allowed": b"[" * MAX_DEPTH + b"]" * MAX_DEPTH,
    "many siblings": b"[" + b",".join([b"{}"] * 500) + b"]",
    "brackets inside strings": b'["' + b"[{" * 200 + b'\\"[[", "\\\\"]',
    "deep and wide": b"[" + b",".join([b"[" * 60 + b"]" * 60] * 3) + b"]",
}


@pytest.mark.parametrize("body", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_json_document_is_accepted(body: bytes) -> None:
    check_document(body)


@given(st.text(alphabet='\\u"dD8cC3eE0aénbt/x ', max_size=40))
def test_strings_are_accepted_exactly_when_they_say_valid_text(inside: str) -> None:
    body = f'["{inside}"]'.encode()
    try:
        said = json.loads(body)
        said[0].encode()
        valid = len(said) == 1
    except (ValueError, UnicodeEncodeError):
        valid = False
    try:
        check_document(body)
        accepted = True
    except Refused:
        accepted = False
    assert accepted == valid


def test_a_refusal_quotes_nothing_from_the_body() -> None:
    with pytest.raises(Refused) as caught:
        check_document(b'{"anna@example.org":"s3cret" "x":1}')
    shown = f"{caught.value!r} {caught.value.message} {caught.value.detail} {caught.value.pointer}"
    assert "anna" not in shown
    assert "s3cret" not in shown
    assert caught.value.__cause__ is None
