"""Numbers are compared by value, exactly, whatever their spelling and size."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from proxy.errors import Fault, Refused
from proxy.json import equal_numbers

EQUAL = [
    (b"30.6", b"30.60"),
    (b"30.6", b"3.06e1"),
    (b"306E-1", b"30.6"),
    (b"0", b"-0"),
    (b"0.000", b"0e999999999999999999999"),
    (b"1e400", b"10E+399"),
    (b"1e999999999999999999999", b"10e999999999999999999998"),
    (b"1e" + b"9" * 6000, b"0.1e1" + b"0" * 6000),
    (b"12345678901234567890", b"12345678901234567890.0"),
    (b"1" + b"0" * 5000, b"1e5000"),
]
DIFFERENT = [
    (b"1", b"-1"),
    (b"0.1", b"0.1000000000000000055"),
    (b"9007199254740993", b"9007199254740992"),
    (b"1e400", b"1e401"),
    (b"1e-400", b"0"),
    (b"10", b"1"),
    (b"1e" + b"9" * 6000, b"1e" + b"9" * 5999 + b"8"),
]


@pytest.mark.parametrize(("left", "right"), EQUAL)
def test_two_spellings_of_one_number_are_equal(left: bytes, right: bytes) -> None:
    assert equal_numbers(left, right)
    assert equal_numbers(Raw(right), Raw(left))


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_different_numbers_are_not_equal(left: bytes, right: bytes) -> None:
    assert not equal_numbers(left, right)


numbers = st.from_regex(r"-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,3})?([eE][+-]?[0-9])?", fullmatch=True).map(
    str.encode
)


@given(numbers, numbers)
def test_equality_is_that_of_exact_fractions(left: bytes, right: bytes) -> None:
    assert equal_numbers(left, right) == (Fraction(left.decode()) == Fraction(right.decode()))


@pytest.mark.parametrize("token", [b"01", b"1.", b".5", b"NaN", b"", b"1e", b"0x1", b" 1", b"\xd9\xa1"])
def test_what_is_no_number_is_refused(token: bytes) -> None:
    with pytest.raises(Refused) as caught:
        equal_numbers(token, token)
    assert caught.value.fault is Fault.JSON
