"""Queries: what the contract and the rules make of them, pair by raw pair."""

from __future__ import annotations

import pytest

from proxy.errors import Fault, Refused
from proxy.mapping.contract import Parameter, Schema
from proxy.mapping.nodes import Firing, Trace
from proxy.mapping.query import Clamp, DropParameter, OneOf, Pairs, QueryOperation, QueryPlan, Refuse
from proxy.wire.target import join, parameters

LIMIT = Parameter("limit", required=False, schema=Schema(("integer",)), grade="A")
NAME = Parameter("name", required=False, schema=Schema(("string",)), grade="A")
FILTERS = (b"name", b"guest")
ONE_OF = OneOf(FILTERS, "r.one", "name, guest: exactly one.", b"", "One of them only.")


def plan(*operations: QueryOperation) -> QueryPlan:
    return QueryPlan({b"limit": LIMIT, b"name": NAME}, operations)


def sent(query: bytes, *operations: QueryOperation, trace: Trace | None = None) -> bytes:
    return join(plan(*operations).apply(parameters(query), [] if trace is None else trace))


@pytest.mark.parametrize(
    "query", [b"", b"name=a%20b+c&limit=007", b"x&x&=&y=%zz", b"name", b"name=", b"limit=%31"]
)
def test_without_rules_a_query_leaves_byte_for_byte(query: bytes) -> None:
    assert sent(query) == query


@pytest.mark.parametrize("value", [b"", b"ten", b"-1", b"1.0", b"+5", b"%C2%B2", b"1%20", b"0x1"])
def test_a_whole_number_is_digits_only(value: bytes) -> None:
    with pytest.raises(Refused) as caught:
        sent(b"limit=" + value)
    assert (caught.value.fault, caught.value.pointer) == (Fault.QUERY, "?limit")
    assert "digits" in caught.value.detail
    with pytest.raises(Refused):
        sent(b"limit")


def test_a_known_parameter_may_not_stand_twice_and_an_unknown_one_may() -> None:
    with pytest.raises(Refused) as caught:
        sent(b"name=a&name=a")
    assert (caught.value.fault, caught.value.message) == (Fault.QUERY, "name: may not stand twice.")
    assert sent(b"other=a&other=b") == b"other=a&other=b"


@pytest.mark.parametrize(
    ("query", "after"),
    [
        (b"limit=100", b"limit=100"),
        (b"limit=101", b"limit=100"),
        (b"limit=0", b"limit=0"),
        (b"limit=0000", b"limit=0000"),
        (b"limit=00099", b"limit=00099"),
        (b"limit=%31%30%31", b"limit=100"),
        (b"name=500&limit=" + b"9" * 5000, b"name=500&limit=100"),
        (b"name=500", b"name=500"),
    ],
)
def test_a_number_is_cut_to_its_maximum_and_nothing_else_changes(query: bytes, after: bytes) -> None:
    trace: Trace = []
    assert sent(query, Clamp(b"limit", "r.limit", 100), trace=trace) == after
    assert [one.rule for one in trace] == (["r.limit"] if query != after else [])


def test_a_clamped_number_is_noted_with_both_values() -> None:
    trace: Trace = []
    sent(b"limit=200", Clamp(b"limit", "r.limit", 100), trace=trace)
    assert trace == [Firing("r.limit", "?limit", b"200", b"100")]


def test_a_number_that_no_contract_knows_is_clamped_only_where_it_is_one() -> None:
    assert sent(b"free=abc", Clamp(b"free", "r", 5)) == b"free=abc"
    assert sent(b"free", Clamp(b"free", "r", 5)) == b"free"


def test_a_dropped_parameter_leaves_the_others_in_their_order() -> None:
    trace: Trace = []
    assert sent(b"a=1&expand=x&b=%20&expand", DropParameter(b"expand", "r.drop"), trace=trace) == b"a=1&b=%20"
    assert trace == [Firing("r.drop", "?expand", b"x", None)]
    trace = []
    assert sent(b"a=1", DropParameter(b"expand", "r.drop"), trace=trace) == b"a=1"
    assert trace == []


def test_a_refused_parameter_says_why_and_not_what() -> None:
    refuse = Refuse(b"guest", "r.guest", "guest: is not supported.", "No home for it.")
    with pytest.raises(Refused) as caught:
        sent(b"guest=4711", refuse)
    error = caught.value
    assert (error.fault, error.pointer, error.rule) == (Fault.QUERY, "?guest", "r.guest")
    assert "4711" not in error.detail + error.message
    assert sent(b"other=4711", refuse) == b"other=4711"


@pytest.mark.parametrize("query", [b"", b"limit=5", b"name=a&guest=b", b"guest&name"])
def test_none_or_both_of_two_filters_is_refused(query: bytes) -> None:
    with pytest.raises(Refused) as caught:
        sent(query, ONE_OF)
    assert (caught.value.fault, caught.value.pointer, caught.value.rule) == (
        Fault.QUERY,
        "?name,guest",
        "r.one",
    )


@pytest.mark.parametrize("query", [b"name=a", b"limit=5&guest=b"])
def test_one_of_two_filters_passes(query: bytes) -> None:
    assert sent(query, ONE_OF) == query


@pytest.mark.parametrize(("prefer", "after"), [(b"name", b"name=a&limit=1"), (b"guest", b"guest=b&limit=1")])
def test_a_preferred_filter_wins_wherever_it_stands(prefer: bytes, after: bytes) -> None:
    trace: Trace = []
    wins = OneOf(FILTERS, "r.one", "", prefer, "")
    for query in (b"name=a&guest=b&limit=1", b"guest=b&name=a&limit=1"):
        assert sent(query, wins, trace=trace) == after
    assert {one.rule for one in trace} == {"r.one"}
    with pytest.raises(Refused):
        sent(b"limit=1", wins)


def test_the_callers_pairs_are_not_changed() -> None:
    pairs: Pairs = [(b"limit", b"500"), (b"expand", b"x")]
    before = list(pairs)
    plan(Clamp(b"limit", "r", 100), DropParameter(b"expand", "r")).apply(pairs, [])
    assert pairs == before
