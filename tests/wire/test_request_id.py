"""Our request ids are unique and safe anywhere; a caller's id is handed back only if it is."""

from __future__ import annotations

import re

import pytest

from proxy.wire.request_id import acceptable, new


def test_ids_are_unique_and_safe_in_a_url() -> None:
    ids = {new() for _ in range(10_000)}
    assert len(ids) == 10_000
    assert all(re.fullmatch("[0-9a-f]{24}", name) for name in ids)
    assert acceptable(new().encode()) is not None


@pytest.mark.parametrize("value", [b"a", b"A.b_c-9", b"x" * 128])
def test_a_plain_id_of_the_caller_is_handed_back(value: bytes) -> None:
    assert acceptable(value) == value.decode()


@pytest.mark.parametrize(
    "value", [b"", b"x" * 129, b"a b", b"a\n", b"a\r\nSet-Cookie: x", b"\xc3\xa4", b"<b>", b"a/b"]
)
def test_any_other_id_is_not(value: bytes) -> None:
    assert acceptable(value) is None
