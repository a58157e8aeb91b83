"""Numbers cross as they are spelled: ten thousand of them, in known and unknown members, there and back."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.emulator.caller import order
from tests.endtoend.running import Carried, carried

PER_ORDER = 52
REFERENCES = itertools.count()
NOTABLE = [
    "30.60",
    "12.0",
    "1e2",
    "1E+2",
    "-0",
    "-0.0",
    "0.10",
    "12345678901234567890",
    "-99999999999999999999.50",
    "1e-7",
]
digits = st.text("0123456789", min_size=1, max_size=22)
numerals = st.one_of(
    st.sampled_from(NOTABLE),
    st.builds(
        "".join,
        st.tuples(
            st.sampled_from(["", "-"]),
            digits.map(lambda text: text.lstrip("0") or "0"),
            st.one_of(st.just(""), digits.map(".".__add__)),
            st.one_of(
                st.just(""), st.builds("{}{}{}".format, *map(st.sampled_from, ("eE", ["", "+", "-"], "0379")))
            ),
        ),
    ),
)


@pytest.fixture(scope="module", params=["v2.1", "v2"])
def proxy(request: pytest.FixtureRequest) -> Iterator[Carried]:
    with carried([request.param]) as running:
        yield running


def spelled(document: bytes | str) -> Any:
    """A document with its numbers as they are written."""
    return json.loads(document, parse_int=str, parse_float=str)


def deep(tokens: list[str]) -> str:
    """Tokens in a list, and one level further down for each of the last two."""
    return f'[{", ".join(tokens[:-2])}, {{"a": {{"price": {tokens[-2]}}}}}, [[{tokens[-1]}]]]'


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(tokens=st.lists(numerals, min_size=PER_ORDER, max_size=PER_ORDER))
def test_numbers_arrive_as_they_are_spelled_and_come_back_so(proxy: Carried, tokens: list[str]) -> None:
    known = json.dumps(order(price=..., referenceId=f"N-{next(REFERENCES)}"))
    body = f'{known[:-1]}, "price": {tokens[0]}, "loyalty": {tokens[1]}, "rows": {deep(tokens[2:])}}}'
    made = proxy.ask("POST", "/v2/orders", body)
    sent = spelled(body)
    assert (made.status, spelled(proxy.emulator.recorded[-1].body)) == (201, sent)
    read = proxy.ask("GET", f"/v2/orders/{json.loads(made.body)['ref']}")
    for answer in (spelled(made.body), spelled(read.body)):
        assert {name: answer[name] for name in ("price", "loyalty", "rows")} == {
            name: sent[name] for name in ("price", "loyalty", "rows")
        }
