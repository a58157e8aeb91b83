"""Paths: matched on raw bytes, written from raw bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.mapping.paths import Paths, fill

TABLE = Paths(
    {
        "/a": "list",
        "/a/{one}": "one",
        "/a/fixed": "fixed",
        "/a/{one}/b": "inner",
        "/a/{one}/{two}": "two",
        "/": "top",
    }
)


@pytest.mark.parametrize(
    ("path", "kept", "held"),
    [
        (b"/a", "list", {}),
        (b"/a/", "list", {}),
        (b"/", "top", {}),
        (b"/a/x", "one", {"one": b"x"}),
        (b"/a/x/", "one", {"one": b"x"}),
        (b"/a/%20%C3%A9+;", "one", {"one": b"%20%C3%A9+;"}),
        (b"/a/fixed", "fixed", {}),
        (b"/a/x/b", "inner", {"one": b"x"}),
        (b"/a/x/c", "two", {"one": b"x", "two": b"c"}),
    ],
)
def test_a_path_is_matched_with_its_raw_parameters(path: bytes, kept: str, held: dict[str, bytes]) -> None:
    assert TABLE.match(path) == (kept, held)


@pytest.mark.parametrize(
    "path", [b"", b"/b", b"/A", b"/a//", b"/a//b", b"//a", b"/a/x/b/c", b"/%61", b"a", b"/a/x//"]
)
def test_any_other_path_matches_nothing(path: bytes) -> None:
    assert TABLE.match(path) is None


segments = st.binary(min_size=1, max_size=6).filter(lambda one: b"/" not in one)


@given(segments, segments)
def test_what_was_matched_is_what_is_written(one: bytes, two: bytes) -> None:
    found = TABLE.match(b"/a/" + one + b"/" + two)
    assert found is not None
    kept, held = found
    template = {"inner": "/v/{one}/b?x=1", "two": "/v/{one}/{two}?x=1"}[kept]
    assert fill(template, held) == b"/v/" + one + b"/" + two + b"?x=1"


def test_a_template_without_parameters_is_itself() -> None:
    assert fill("/v/a?limit=100", {"one": b"x"}) == b"/v/a?limit=100"
