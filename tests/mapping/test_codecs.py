"""Codecs: what a caller reads for a token of v2.1, what v2.1 gets, and when two tokens mean the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import Refused
from proxy.mapping.codecs import Href, Plain, Timestamp, ValueTable, Whole, instant, number_format_differs
from proxy.mapping.links import Bases, Links
from proxy.mapping.model import Entry

TIME = Timestamp("codec.time")
LINK = Href("codec.link", links=Links(Bases("http://us", "http://old", "http://new"), "/v2/", "/v2.1/"))


def entry(v2: str, native: str, direction: Literal["both", "back"] = "both") -> Entry:
    return Entry(id=f"word.{native}", says="A word.", grade="D", v2=v2, v2_1=native, direction=direction)


WORDS = ValueTable("words", [entry("BLÅ", "BLUE"), entry("UNKNOWN", "GREEN", "back")])


@pytest.mark.parametrize(
    ("native", "read"),
    [
        ("2023-04-05T06:07:08Z", "2023-04-05T06:07:08.000Z"),
        ("2023-04-05T06:07:08.1Z", "2023-04-05T06:07:08.100Z"),
        ("2023-04-05T06:07:08.12Z", "2023-04-05T06:07:08.120Z"),
        ("2023-04-05T06:07:08.1239Z", "2023-04-05T06:07:08.123Z"),
        ("2023-04-05T06:07:08.999999999Z", "2023-04-05T06:07:08.999Z"),
        ("2023-04-05T06:07Z", "2023-04-05T06:07:00.000Z"),
        ("2023-04-05T06:07:08+00:00", "2023-04-05T06:07:08.000Z"),
        ("2023-04-05T06:07:08+02:30", "2023-04-05T03:37:08.000Z"),
        ("2023-04-05T06:07:08.5-0800", "2023-04-05T14:07:08.500Z"),
        ("2023-12-31T23:30:00-01:00", "2024-01-01T00:30:00.000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ("0001-01-02T00:00:00+01:00", "0001-01-01T23:00:00.000Z"),
    ],
)
def test_a_time_is_read_in_utc_with_milliseconds(native: str, read: str) -> None:
    assert TIME.back(f'"{native}"'.encode()) == f'"{read}"'.encode()


@pytest.mark.parametrize(
    "token",
    [
        b'"2023-04-05T06:07:08.123Z"',
        b'"2023-04-05T06:07:08.12"',
        b'"2023-04-05"',
        b'"2023-02-30T06:07:08.12Z"',
        b'"2023-13-01T06:07:08+01:00"',
        b'"2023-04-05T25:07Z"',
        b'"2023-04-05T06:07:60.5Z"',
        b'"2023-04-05T06:07:08+99:99"',
        b'"0000-01-01T00:00:00+00:00"',
        b'"0001-01-01T00:00:00+01:00"',
        b'"9999-12-31T23:59:59-01:00"',
        b'" 2023-04-05T06:07:08Z"',
        b'"yesterday"',
        b'""',
        b"null",
        b"1680674828",
    ],
)
def test_what_is_right_already_or_no_time_at_all_passes_as_it_is(token: bytes) -> None:
    assert TIME.back(token) is token


def test_a_time_is_sent_as_it_came() -> None:
    token = b'"2023-04-05T06:07:08+02:00"'
    assert TIME.forward(token) is token


@given(
    st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)),  # noqa: DTZ001 - the zone is drawn beside it
    st.integers(-14 * 60, 14 * 60),
)
def test_any_time_keeps_its_instant_to_the_millisecond(naive: datetime, minutes: int) -> None:
    sign, size = "+-"[minutes < 0], abs(minutes)
    text = f'"{naive.isoformat(timespec="microseconds")}{sign}{size // 60:02}:{size % 60:02}"'.encode()
    expected = naive.replace(tzinfo=UTC) - timedelta(minutes=minutes)
    assert instant(text) == expected
    read = instant(TIME.back(text))
    assert read is not None
    assert timedelta() <= expected - read < timedelta(milliseconds=1)
    assert TIME.back(TIME.back(text)) == TIME.back(text)


def test_two_times_are_the_same_when_their_instants_are() -> None:
    theirs = b'"2023-04-05T06:07:08.120Z"'
    assert TIME.same(theirs, b'"2023-04-05T08:07:08.12+02:00"')
    assert TIME.same(b'"whenever"', b'"whenever"')
    assert not TIME.same(theirs, b'"2023-04-05T06:07:08.121Z"')
    assert not TIME.same(b'"whenever"', b'"2023-04-05T06:07:08.120Z"')


def test_only_a_part_of_a_second_that_the_new_version_lost_is_the_declared_loss() -> None:
    theirs, ours = b'"2023-04-05T06:07:08.123Z"', b'"2023-04-05T06:07:08.000Z"'
    assert TIME.explains(theirs, b'"2023-04-05T06:07:08Z"', ours)
    assert not TIME.explains(theirs, b'"2023-04-05T06:07:08.000Z"', ours)
    assert not TIME.explains(theirs, b'"2023-04-05T06:07:09Z"', b'"2023-04-05T06:07:09.000Z"')
    assert not TIME.explains(theirs, b"null", b"null")
    assert not TIME.explains(b"null", b'"2023-04-05T06:07:08Z"', ours)
    assert TIME.rule_for(b'"2023-04-05T06:07:08Z"') == "codec.time"


def test_a_word_has_its_counterpart_in_both_directions_however_it_is_spelled() -> None:
    blue, blaa = b'"BLUE"', '"BLÅ"'.encode()
    assert WORDS.back(blue) == blaa
    assert WORDS.back(b'"BLU\\u0045"') == blaa
    assert WORDS.forward(blaa) == blue
    assert WORDS.forward(b'"BL\\u00c5"') == blue


def test_a_word_that_only_the_new_version_has_is_never_written() -> None:
    assert WORDS.back(b'"GREEN"') == b'"UNKNOWN"'
    token = b'"UNKNOWN"'
    assert WORDS.forward(token) is token


@pytest.mark.parametrize("token", [b'"RED"', b'"R\\u0045D"', b'"blue"', b"null", b"7", b'{"a":"\\u0041"}'])
def test_every_other_value_passes_as_it_is(token: bytes) -> None:
    assert WORDS.back(token) is token
    assert WORDS.forward(token) is token


def test_a_table_says_in_which_direction_it_has_something_to_do() -> None:
    assert WORDS.speaks(forward=True)
    assert WORDS.speaks(forward=False)
    reads_only = ValueTable("words", [entry("UNKNOWN", "GREEN", "back")])
    assert reads_only.speaks(forward=False)
    assert not reads_only.speaks(forward=True)
    assert not ValueTable("words", []).speaks(forward=False)


def test_words_are_the_same_by_what_they_say() -> None:
    assert WORDS.same(b'"RED"', b'"R\\u0045D"')
    assert not WORDS.same(b'"RED"', b'"BLUE"')


def test_a_hidden_word_that_v2_prints_itself_is_the_declared_loss() -> None:
    assert WORDS.explains(b'"GREE\\u004e"', b'"GREEN"', b'"UNKNOWN"')
    assert not WORDS.explains(b'"RED"', b'"GREEN"', b'"UNKNOWN"')
    assert not WORDS.explains(b'"RED"', b'"RED"', b'"UNKNOWN"')
    assert not WORDS.explains(b'"GREEN"', b'"GREEN"', b'"RED"')


def test_each_word_names_the_entry_that_speaks_for_it() -> None:
    assert WORDS.rule_for(b'"GREE\\u004e"') == "word.GREEN"
    assert WORDS.rule_for(b'"RED"') == "words"


def test_links_are_the_same_resource_at_either_address() -> None:
    assert LINK.back(b'"http://new/v2.1/orders/1"') == b'"http://us/v2/orders/1"'
    assert LINK.forward(b'"http://us/v2/orders/1"') == b'"http://new/v2.1/orders/1"'
    assert LINK.same(b'"https:\\/\\/old\\/v2\\/orders\\/1"', b'"http://us/v2/orders/1"')
    assert LINK.same(b'"http://elsewhere/1"', b'"http://elsewhere/1"')
    assert not LINK.same(b'"http://old/v2/orders/1"', b'"http://us/v2/orders/2"')
    assert not LINK.same(b'"http://elsewhere/1"', b'"http://elsewhere/2"')
    assert not LINK.same(b"null", b'"http://us/v2/orders/1"')
    assert not LINK.explains(b'"http://old/v2/a"', b'"http://new/v2.1/b"', b'"http://us/v2/b"')
    assert LINK.rule_for(b'"http://new/v2.1/a"') == "codec.link"


@pytest.mark.parametrize(
    ("theirs", "ours", "same"),
    [
        (b"30.6", b"30.6", True),
        (b"30.6", b"30.60", False),
        (b'"a"', b'"\\u0061"', True),
        (b'"a"', b'"b"', False),
        (b'"1"', b"1", False),
        (b"1", b'"1"', False),
        (b"null", b"null", True),
    ],
)
def test_a_plain_value_is_the_same_token_for_token(theirs: bytes, ours: bytes, same: bool) -> None:
    plain = Plain()
    assert plain.same(theirs, ours) is same
    assert plain.back(ours) is ours
    assert plain.forward(theirs) is theirs
    assert not plain.explains(theirs, ours, ours)


def test_a_number_in_another_writing_is_told_from_another_number() -> None:
    assert number_format_differs(b"30.6", b"30.60")
    assert not number_format_differs(b"30.6", b"30.6")
    assert not number_format_differs(b"30.6", b"30.7")


WHOLE = Whole("codec.number")


@pytest.mark.parametrize("token", [b"2", b"-3", b"0", b"-0", b"1" * 40, b'"2.0"', b"null", b"true", b"[2.0]"])
def test_a_whole_number_and_what_is_no_number_passes_as_it_is(token: bytes) -> None:
    assert WHOLE.forward(token) is token


@pytest.mark.parametrize(
    ("token", "sent"),
    [
        (b"2.0", b"2"),
        (b"-7.00", b"-7"),
        (b"1e2", b"100"),
        (b"1.5E+1", b"15"),
        (b"30e-1", b"3"),
        (b"-0.0", b"0"),
    ],
)
def test_a_number_without_a_fraction_is_sent_as_a_whole_one(token: bytes, sent: bytes) -> None:
    assert WHOLE.forward(token) == sent
    assert WHOLE.same(token, sent)


@pytest.mark.parametrize(
    "exponent", ["", "e-1", "e31", "e-400", "e999999999", "e99999999999999999999", "E-" + "9" * 40]
)
def test_a_number_with_a_fraction_or_without_an_end_is_refused(exponent: str) -> None:
    with pytest.raises(Refused) as no:
        WHOLE.forward(f"2.5{exponent}".encode())
    assert (no.value.rule, no.value.message) == ("codec.number", "{member}: must be a whole number.")


def test_whole_numbers_are_compared_by_what_they_are() -> None:
    assert WHOLE.same(b"2.0", b"2")
    assert not WHOLE.same(b"2.5", b"2")
    assert not WHOLE.same(b'"2"', b"2")
    assert WHOLE.back(b"2.0") == b"2.0"
