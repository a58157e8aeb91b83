"""A query is taken apart and put together again without losing a byte."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy.wire.target import decoded, join, parameters, split


def test_no_query_is_not_an_empty_query() -> None:
    assert split(b"/a") == (b"/a", None)
    assert split(b"/a?") == (b"/a", b"")
    assert split(b"/a?b?c") == (b"/a", b"b?c")


def test_parameters_keep_order_twins_and_spelling() -> None:
    query = b"b=2&a=%41&b=1&c&d=&=e&&f=1=2"
    assert parameters(query) == [
        (b"b", b"2"),
        (b"a", b"%41"),
        (b"b", b"1"),
        (b"c", None),
        (b"d", b""),
        (b"", b"e"),
        (b"", None),
        (b"f", b"1=2"),
    ]
    assert parameters(b"") == []


@given(st.binary(max_size=30) | st.text(alphabet="ab=&%2", max_size=20).map(str.encode))
def test_parameters_are_joined_to_the_very_query_they_came_from(query: bytes) -> None:
    assert join(parameters(query)) == query


def test_a_parameter_is_decoded_for_comparison() -> None:
    assert decoded(b"guest%52ef") == "guestRef"
    assert decoded(b"a+b%20c") == "a b c"
    assert decoded(b"Z%C3%BCrich") == "Zürich"
    assert decoded(b"%ff%zz") == "\ufffd%zz"
