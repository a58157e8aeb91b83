"""Members as flat pairs and back: what comes back is what went in, and what pairs cannot say is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.json import decode, encode

from proxy.errors import Refused
from proxy.json import render
from proxy.mapping.flat import Flat

FLAT = Flat("r.flat", ("code", "legs"), frozenset({"legs"}))
WORDS = st.from_regex(r"[a-z][A-Za-z0-9]{0,4}", fullmatch=True)
VALUES = st.text(max_size=3) | st.integers() | st.booleans()
LEGS = st.lists(st.dictionaries(WORDS, VALUES, max_size=3), max_size=12)


def raws(**members: object) -> dict[str, Raw]:
    return {name: Raw(encode(one)) for name, one in members.items()}


def plain(pairs: dict[str, Raw]) -> dict[str, object]:
    found: dict[str, object] = decode(render(pairs))
    return found


def test_a_list_is_counted_and_its_elements_are_numbered() -> None:
    pairs = FLAT.pairs(raws(legs=[{"from": "DUB", "seats": 2}, {}, {"from": "LHR"}], code="A1", other=1), 9)
    assert plain(pairs) == {"code": "A1", "legs": 3, "legs0From": "DUB", "legs0Seats": 2, "legs2From": "LHR"}


@given(legs=LEGS, code=VALUES, others=st.dictionaries(WORDS.map("x".__add__), VALUES))
def test_what_goes_in_comes_out_and_pairs_of_others_stay(
    legs: list[dict[str, object]], code: object, others: dict[str, object]
) -> None:
    pairs = FLAT.pairs(raws(code=code, legs=legs), 1000) | raws(**others)
    assert plain(FLAT.members_of(pairs)) == {"code": code, "legs": legs}
    assert plain(FLAT.without(pairs, ())) == others


def test_tokens_stay_as_they_are() -> None:
    pairs = FLAT.pairs({"legs": Raw(b'[{"price":30.60,"note":"\\u0041"}]'), "code": Raw(b"1e2")}, 9)
    assert bytes(pairs["legs0Price"]) == b"30.60"
    back = FLAT.members_of(pairs)
    assert (bytes(back["legs"]), bytes(back["code"])) == (b'[{"price":30.60,"note":"\\u0041"}]', b"1e2")


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"code": None}, "/code"),
        ({"code": ["A"]}, "/code"),
        ({"legs": [{"from": None}]}, "/legs/*"),
        ({"legs": [{"from": {"city": "DUB"}}]}, "/legs/*"),
        ({"legs": [{"From": "DUB"}]}, "/legs/*"),
        ({"legs": [{"a-b": "DUB"}]}, "/legs/*"),
        ({"legs": [{"": "DUB"}]}, "/legs/*"),
        ({"code": "A1", "legs": [{}, {"from": "DUB"}]}, "/code"),
        ({"legs": [{"from": "DUB", "to": "LHR"}]}, "/legs"),
    ],
)
def test_what_pairs_cannot_say_is_refused_with_the_place_and_never_with_the_value(
    members: dict[str, object], pointer: str
) -> None:
    with pytest.raises(Refused) as no:
        FLAT.pairs(raws(**members), 2)
    assert (no.value.pointer, no.value.rule) == (pointer, "r.flat")
    assert "DUB" not in str(no.value) + no.value.message + no.value.detail


@pytest.mark.parametrize("length", [None, -1, 1.5, "2", True, 10_000, [1]])
def test_a_length_that_is_none_makes_no_list(length: object) -> None:
    assert FLAT.members_of(raws(legs=length, legs0From="DUB")) == {}


def test_elements_beyond_the_length_and_odd_names_belong_to_nobody() -> None:
    odd = {"legs0from": 1, "legs01From": 1, "legsFrom": 1, "legs0": 1, "legs10000From": 1, "xlegs0From": 1}
    pairs = raws(legs=1, legs0From="DUB", legs1From="LHR", **odd)
    assert plain(FLAT.members_of(pairs)) == {"legs": [{"from": "DUB"}]}
    assert plain(FLAT.without(pairs, ())) == odd


def test_what_belongs_to_the_platform_is_left_out_of_what_stays() -> None:
    pairs = raws(code="A1", ref="r", note=1)
    assert plain(FLAT.without(pairs, {"ref"})) == {"note": 1}
