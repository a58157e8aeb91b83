"""Lines that are changed, and every byte around them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.config.lines import changed, difference

TEXTS = [
    pytest.param("a\nb\nc\n", "a\nB\nx\nc\n", id="plain"),
    pytest.param("a\r\nb\r\nc\r\n", "a\r\nB\r\nx\r\nc\r\n", id="CRLF"),
    pytest.param("a\nb\nc", "a\nB\nx\nc", id="no last line end"),
    pytest.param("a\r\nb\r\nc", "a\r\nB\r\nx\r\nc", id="CRLF, no last line end"),
    pytest.param("a\nb\r\nc\n", "a\nB\nx\nc\n", id="mixed"),
    pytest.param("a\r\nb\r\nc\n", "a\r\nB\r\nx\r\nc\n", id="mixed, mostly CRLF"),
]


@pytest.mark.parametrize(("before", "after"), TEXTS)
def test_only_the_lines_that_change_are_changed(before: str, after: str) -> None:
    assert changed(before, lambda text: text.replace("b\n", "B\nx\n")) == after
    assert changed(before, str) == before


@pytest.mark.parametrize(
    ("before", "after"),
    [("a\nb", "a\nb\nc"), ("a\r\nb", "a\r\nb\r\nc"), ("a\r\nb\r\n", "a\r\nb\r\nc\r\n"), ("", "c\n")],
)
def test_a_line_may_be_put_at_the_end(before: str, after: str) -> None:
    assert changed(before, lambda text: text + "c\n") == after


@given(st.lists(st.sampled_from(["a\n", "b\r\n", "\n", "x"])).map("".join))
def test_without_an_edit_every_byte_stays(text: str) -> None:
    assert changed(text, str) == text


def test_a_change_is_shown_line_by_line() -> None:
    assert difference("a\nb\r\nc", "a\nd\r\nc") == "--- before\n+++ after\n@@ -1,3 +1,3 @@\n a\n-b\n+d\n c\n"
    assert difference("a", "a\n") == "", "a line end is nothing that a person reads"
