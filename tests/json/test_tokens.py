"""Single values: their kind, their text, and how they are written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from proxy.errors import Fault, Refused
from proxy.json import Kind, Node, is_null, kind, render, text_of, token_of


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (b"{}", Kind.OBJECT),
        (b"[1]", Kind.ARRAY),
        (b'"null"', Kind.STRING),
        (b"-0.5e3", Kind.NUMBER),
        (b"7", Kind.NUMBER),
        (b"true", Kind.BOOLEAN),
        (b"false", Kind.BOOLEAN),
        (b"null", Kind.NULL),
        (b"\r\n\t {", Kind.OBJECT),
    ],
)
def test_the_kind_is_told_by_the_first_byte(token: bytes, expected: Kind) -> None:
    assert kind(token) is expected
    assert kind(Raw(token)) is expected


@pytest.mark.parametrize("token", [b"", b"  ", b"x", b" +1"])
def test_what_begins_no_value_has_no_kind(token: bytes) -> None:
    with pytest.raises(Refused) as caught:
        kind(token)
    assert caught.value.fault is Fault.JSON


@pytest.mark.parametrize(
    ("token", "expected"), [(b"null", True), (b"true", False), (b'"null"', False), (b"0", False)]
)
def test_null_is_nothing_but_the_literal(token: bytes, expected: bool) -> None:
    assert is_null(token) is expected
    assert is_null(Raw(token)) is expected


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_survives_being_written_and_read(text: str) -> None:
    token = token_of(text)
    assert text_of(token) == text
    assert json.loads(bytes(token)) == text


def test_escapes_in_a_string_are_resolved() -> None:
    assert text_of(b'"\\u00fc\\/\\n\\ud83d\\ude00"') == "ü/\n😀"


@pytest.mark.parametrize("token", [b"1", b"null", b"{}", b'"\xff"', b'"x'])
def test_what_is_no_string_is_refused_by_place(token: bytes) -> None:
    with pytest.raises(Refused) as caught:
        text_of(token, "/items/name")
    assert caught.value.fault is Fault.FIELD
    assert caught.value.message == "name: must be a string."
    assert caught.value.pointer == "/items/name"


def test_a_tree_is_written_compactly_with_its_raw_values_as_they_are() -> None:
    tree: Node = {
        "a": Raw(b"30.60"),
        "b": [Raw(b'"\\u0041"'), {"c": None}],
        "d": "ü",
        "e": True,
        "f": Raw(b"3"),
    }
    assert render(tree) == '{"a":30.60,"b":["\\u0041",{"c":null}],"d":"ü","e":true,"f":3}'.encode()
