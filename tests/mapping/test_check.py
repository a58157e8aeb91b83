"""Holding documents against a contract: two readers that must agree, and findings that name place and kind."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.errors import Fault, Refused
from proxy.mapping.check import Checker, Finding
from proxy.mapping.contract import Schema

TEXT, NUMBER, WHOLE, FLAG = (Schema((name,)) for name in ("string", "number", "integer", "boolean"))
COLOUR = Schema(("string",), enum=("RED", "BLUE"))
ROW = Schema(("object",), members={"n": WHOLE, "word": COLOUR}, required=frozenset({"n"}))
PAGE = Schema(
    ("object",),
    members={
        "name": TEXT,
        "price": NUMBER,
        "count": WHOLE,
        "open": FLAG,
        "word": COLOUR,
        "stamp": Schema(("string",), read_only=True),
        "a/b": TEXT,
        "either": Schema(("string", "number")),
        "maybe": Schema(("string", "null")),
        "measure": Schema(("number", "integer")),
        "free": Schema(),
        "bag": Schema(("object",)),
        "list": Schema(("array",)),
        "rows": Schema(("array",), items=ROW),
        "child": ROW,
    },
    required=frozenset({"name", "price"}),
)
ANSWER, REQUEST = Checker(PAGE), Checker(PAGE, request=True)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def valid(schema: Schema) -> st.SearchStrategy[Any]:
    """Documents that keep the contract."""
    if not schema.types:
        return JSON
    return st.one_of([_valid(name, schema) for name in schema.types])


def _valid(name: str, schema: Schema) -> st.SearchStrategy[Any]:
    match name:
        case "object" if schema.members:
            made = {one: valid(member) for one, member in schema.members.items()}
            needed = {one: how for one, how in made.items() if one in schema.required}
            return st.fixed_dictionaries(
                needed, optional={one: how for one, how in made.items() if one not in needed}
            )
        case "object":
            return st.dictionaries(st.text(max_size=3), JSON, max_size=3)
        case "array":
            return st.lists(valid(schema.items) if schema.items else JSON, max_size=3)
        case "string":
            return st.sampled_from(schema.enum) if schema.enum else st.text(max_size=5)
        case "number":
            return st.integers() | st.floats(allow_nan=False, allow_infinity=False)
        case _:
            return {"integer": st.integers(), "boolean": st.booleans(), "null": st.none()}[name]


def written(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def near_misses() -> st.SearchStrategy[Any]:
    """Documents in which any member may have been replaced, lost or added."""
    whole = st.sampled_from(sorted(PAGE.members))
    change = st.tuples(whole | st.just("strange") | st.just("child.n") | st.just("rows.n"), JSON)
    return st.tuples(valid(PAGE), st.lists(change, max_size=3), st.lists(whole, max_size=1)).map(_changed)


def _changed(drawn: tuple[Any, list[tuple[str, Any]], list[str]]) -> Any:
    document, changes, lost = drawn
    out = dict(document)
    for name, value in changes:
        match name:
            case "child.n":
                out["child"] = {"n": value}
            case "rows.n":
                out["rows"] = [{"n": 1}, {"n": value}]
            case _:
                out[name] = value
    return {name: value for name, value in out.items() if name not in lost}


@given(valid(PAGE))
def test_what_keeps_the_contract_passes_both_readers(document: Any) -> None:
    body = written(document)
    assert ANSWER.findings(body) == []
    assert ANSWER.fits(body)
    assert REQUEST.findings(body) == []
    assert REQUEST.fits(body)


@settings(max_examples=1000)
@given(near_misses() | JSON, st.booleans())
def test_the_quick_reader_is_never_more_lenient_than_the_slow_one(document: Any, request: bool) -> None:
    checker = REQUEST if request else ANSWER
    body = written(document)
    if checker.fits(body):
        assert checker.findings(body) == []


GOOD: dict[str, Any] = {"name": "n", "price": 1.5, "rows": [{"n": 1}], "child": {"n": 2}}


@pytest.mark.parametrize(
    ("change", "pointer", "kind"),
    [
        ({"price": "1.5"}, "/price", "type"),
        ({"price": True}, "/price", "type"),
        ({"count": 1.0}, "/count", "type"),
        ({"count": 1.5}, "/count", "type"),
        ({"open": 0}, "/open", "type"),
        ({"word": "GREEN"}, "/word", "enum"),
        ({"word": 3}, "/word", "type"),
        ({"a/b": 1}, "/a~1b", "type"),
        ({"either": []}, "/either", "type"),
        ({"measure": "tall"}, "/measure", "type"),
        ({"bag": []}, "/bag", "type"),
        ({"list": {}}, "/list", "type"),
        ({"rows": [{"n": 1}, {"n": "x"}]}, "/rows/*/n", "type"),
        ({"rows": [{}]}, "/rows/*/n", "missing"),
        ({"rows": [{"n": 1, "word": "PINK"}]}, "/rows/*/word", "enum"),
        ({"child": {"word": "RED"}}, "/child/n", "missing"),
        ({"child": "none"}, "/child", "type"),
    ],
)
@pytest.mark.parametrize("checker", [ANSWER, REQUEST], ids=["answer", "request"])
def test_a_breach_is_found_with_its_place_and_kind(
    checker: Checker, change: dict[str, Any], pointer: str, kind: str
) -> None:
    body = written({**GOOD, **change})
    assert not checker.fits(body)
    assert [(one.pointer, one.kind) for one in checker.findings(body)] == [(pointer, kind)]


@pytest.mark.parametrize("checker", [ANSWER, REQUEST], ids=["answer", "request"])
def test_all_breaches_are_found_at_once(checker: Checker) -> None:
    found = checker.findings(b'{"count":"many","word":"PINK"}')
    assert {(one.pointer, one.kind) for one in found} == {
        ("/name", "missing"),
        ("/price", "missing"),
        ("/count", "type"),
        ("/word", "enum"),
    }


def test_an_answer_may_hold_nothing_that_the_contract_does_not_know() -> None:
    body = written({**GOOD, "child": {"n": 1, "secret name": "secret value"}})
    assert not ANSWER.fits(body)
    (found,) = ANSWER.findings(body)
    assert (found.pointer, found.kind, found.found, found.name) == (
        "/child/{unknown}",
        "extra",
        "string",
        "secret name",
    )


def test_a_finding_never_holds_a_value() -> None:
    for body in (b'{"name":"n","price":"4711"}', b'{"name":"n","price":1,"word":"4711"}'):
        for found in (ANSWER.findings(body), REQUEST.findings(body)):
            assert "4711" not in str(found)


@pytest.mark.parametrize(
    "change",
    [
        {"strange": {"deep": [1]}},
        {"count": None},
        {"child": None},
        {"rows": [None]},
        {"child": {"n": 1, "word": None}},
        {"stamp": 5},
        {"stamp": {"any": "thing"}},
        {"free": 1},
    ],
)
def test_a_request_may_hold_blanks_unknown_members_and_what_only_answers_carry(
    change: dict[str, Any],
) -> None:
    assert REQUEST.findings(written({**GOOD, **change})) == []


@pytest.mark.parametrize("change", [{"count": None}, {"child": None}, {"rows": [None]}])
def test_an_answer_may_hold_no_blanks(change: dict[str, Any]) -> None:
    assert [one.kind for one in ANSWER.findings(written({**GOOD, **change}))] == ["type"]


def test_a_blank_in_the_place_of_a_required_member_is_as_good_as_none() -> None:
    body = b'{"name":null,"price":1}'
    assert not REQUEST.fits(body)
    assert REQUEST.findings(body) == [Finding("/name", "missing", "string", "nothing")]


@pytest.mark.parametrize("body", [b"null", b" null\n"])
@pytest.mark.parametrize("checker", [ANSWER, REQUEST], ids=["answer", "request"])
def test_null_is_no_document(checker: Checker, body: bytes) -> None:
    assert not checker.fits(body)
    assert [(one.pointer, one.kind) for one in checker.findings(body)] == [("", "missing")]


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"1", b"true"])
def test_another_kind_of_document_is_a_finding_at_its_top(body: bytes) -> None:
    assert [(one.pointer, one.kind, one.expected) for one in REQUEST.findings(body)] == [
        ("", "type", "object")
    ]


def test_a_number_too_large_for_the_quick_reader_is_still_a_number() -> None:
    body = b'{"name":"n","price":1e999}'
    assert REQUEST.findings(body) == []
    assert ANSWER.findings(body) == []


def test_a_document_too_deep_for_the_quick_reader_is_left_to_the_slow_one() -> None:
    assert not ANSWER.fits(b'{"free":' + b"[" * 100_000 + b"]" * 100_000 + b"}")


def test_a_member_that_stands_twice_is_refused_by_its_name() -> None:
    with pytest.raises(Refused) as caught:
        REQUEST.findings(b'{"name":"a","name":"b"}')
    assert (caught.value.fault, caught.value.pointer) == (Fault.DUPLICATE, "/name")


def test_a_contract_without_types_takes_anything() -> None:
    anything = Checker(Schema())
    for body in (b"1", b"null", b'{"a":[1,null]}'):
        assert anything.fits(body)
        assert anything.findings(body) == []
