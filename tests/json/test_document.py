"""Objects and arrays come apart into their own bytes; a member that stands twice never slips through."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import Fault, Refused
from proxy.json import child, one_member, open_array, open_object, render, walk

blanks = st.text(alphabet=" \t\r\n", max_size=3)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


def spelled(text: str, escape: bool) -> str:
    """The text as a JSON string, every UTF-16 unit escaped or only what has to be."""
    if not escape:
        return json.dumps(text, ensure_ascii=False)
    units = text.encode("utf-16-be").hex()
    return '"' + "".join("\\u" + units[i : i + 4] for i in range(0, len(units), 4)) + '"'


strings = st.builds(spelled, texts, st.booleans())
scalars = st.one_of(
    strings,
    st.sampled_from(["null", "true", "false", "-0", "30.60", "1e400", "12345678901234567890", "0.10"]),
)


@st.composite
def objects(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    name = strings | st.sampled_from(['"a"', '"b"', '"\\u0061"', '""', '" "', '"\\t"'])
    names = draw(st.lists(name, max_size=5))
    space = draw(blanks)
    members = [f"{draw(blanks)}{name}{draw(blanks)}:{draw(blanks)}{draw(values)}{space}" for name in names]
    return f"{{{','.join(members) or space}}}"


@st.composite
def arrays(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    return f"[{','.join(draw(blanks) + item for item in draw(st.lists(values, max_size=4)))}]"


documents = st.recursive(scalars, lambda inner: objects(inner) | arrays(inner), max_leaves=8)


@given(objects(documents), blanks, blanks)
def test_an_object_is_refused_exactly_when_a_name_stands_twice_at_its_own_level(
    text: str, before: str, after: str
) -> None:
    pairs = json.loads(text, object_pairs_hook=list)
    names = [name for name, _ in pairs]
    body = (before + text + after).encode()
    if len(set(names)) < len(names):
        with pytest.raises(Refused) as caught:
            open_object(body)
        assert caught.value.fault is Fault.DUPLICATE
    else:
        opened = open_object(body)
        assert list(opened) == names
        for token, (_, value) in zip(opened.values(), pairs, strict=True):
            assert bytes(token) in body
            assert json.loads(bytes(token), object_pairs_hook=list) == value


@given(arrays(documents))
def test_an_array_comes_apart_into_its_elements_as_they_were(text: str) -> None:
    elements = open_array(text.encode())
    assert [json.loads(bytes(element)) for element in elements] == json.loads(text)
    assert render(elements) == b"[" + b",".join(map(bytes, elements)) + b"]"


TWINS = {
    "plain": b'{"a":1,"a":1}',
    "lighter than any other": b'{"":1,"a":1,"b":1,"c":1,"d":1,"":2}',
    "far apart": b'{"a":1,"b":2,"c":3,"a":4}',
    "one escaped": b'{"a":1,"\\u0061":2}',
    "both escaped": b'{"\\u0061":1,"\\u0061":2}',
    "the escape in another key": b'{"x\\n":0,"a":1,"a":2}',
    "empty names": b'{"":1,"":2}',
    "white space": b'{ "a" : 1 ,\n "a" : 2 }',
    "as long as white space": b'{"a":1,"a":1}      ',
    "huge number": b'{"a":' + b"9" * 5000 + b',"a":1}',
    "non-ASCII": '{"ä":1,"ä":2}'.encode(),
}


@pytest.mark.parametrize("body", TWINS.values(), ids=TWINS.keys())
def test_a_member_that_stands_twice_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as caught:
        open_object(body)
    assert caught.value.fault is Fault.DUPLICATE


def test_a_twin_is_named_only_when_its_name_is_known() -> None:
    body = b'{"anna@example.org":1,"anna@example.org":2}'
    with pytest.raises(Refused) as caught:
        open_object(body, "/items/0", known={"price"})
    assert caught.value.pointer == "/items/0/{unknown}"
    assert "anna" not in f"{caught.value} {caught.value.detail}"
    with pytest.raises(Refused) as caught:
        open_object(b'{"price":1,"price":2}', "/items/0", known={"price"})
    assert caught.value.pointer == "/items/0/price"
    assert caught.value.message == "price: may not stand twice."
    assert "/items/0" in caught.value.detail


def test_twins_deeper_down_are_found_when_that_level_is_opened() -> None:
    outer = open_object(b'{"a":{"b":1,"b":2}}')
    assert bytes(outer["a"]) == b'{"b":1,"b":2}'
    with pytest.raises(Refused):
        open_object(outer["a"], "/a")


@pytest.mark.parametrize("body", [b"[1]", b"null", b'"x"', b"7", b"true"])
def test_what_is_no_object_is_refused_by_place(body: bytes) -> None:
    with pytest.raises(Refused) as caught:
        open_object(body, "/price")
    assert caught.value.fault is Fault.FIELD
    assert caught.value.message == "price: must be an object."
    assert caught.value.pointer == "/price"


def test_what_is_no_array_is_refused_by_place() -> None:
    with pytest.raises(Refused) as caught:
        open_array(b'{"a":1}')
    assert caught.value.fault is Fault.FIELD
    assert caught.value.message == "body: must be an array."


@pytest.mark.parametrize("body", [b'{"a":1', b'{"\xff":1}', b'{"a":' + b"[" * 90_000, b"", b"[1,"])
@pytest.mark.parametrize("opened", [open_object, open_array], ids=["object", "array"])
def test_a_broken_text_is_refused_and_never_crashes(body: bytes, opened: object) -> None:
    assert callable(opened)
    with pytest.raises(Refused) as caught:
        opened(body)
    assert caught.value.fault in {Fault.JSON, Fault.FIELD}


def test_bytes_that_are_no_text_are_refused_in_the_closer_look_too() -> None:
    with pytest.raises(Refused) as caught:
        open_object(b'{"\\u0061":"\xff"}')
    assert caught.value.fault is Fault.JSON
    assert "offset 11" in caught.value.detail


def test_walk_meets_every_value_in_document_order() -> None:
    body = b' {"a":[1,{"b/c":null}],"d~":{},"e":"x"} '
    met = [(place, bytes(token)) for place, token in walk(body)]
    assert met == [
        ("", body.strip()),
        ("/a", b'[1,{"b/c":null}]'),
        ("/a/0", b"1"),
        ("/a/1", b'{"b/c":null}'),
        ("/a/1/b~1c", b"null"),
        ("/d~0", b"{}"),
        ("/e", b'"x"'),
    ]


@given(documents)
def test_walk_meets_as_many_values_as_the_document_has(text: str) -> None:
    def count(value: object) -> int:
        if isinstance(value, dict):
            return 1 + sum(map(count, value.values()))
        return 1 + sum(map(count, value)) if isinstance(value, list) else 1

    twins: list[bool] = []

    def pairs_to_dict(pairs: list[tuple[str, object]]) -> dict[str, object]:
        twins.append(len(dict(pairs)) < len(pairs))
        return dict(pairs)

    expected = count(json.loads(text, object_pairs_hook=pairs_to_dict))
    if any(twins):
        with pytest.raises(Refused):
            list(walk(text.encode()))
    else:
        assert len(list(walk(text.encode()))) == expected


def test_a_member_name_is_escaped_in_a_pointer() -> None:
    assert child("/a", "b~/c") == "/a/b~0~1c"


def test_an_opened_object_is_written_as_it_came() -> None:
    body = b'{"a":30.60,"b":[1, 2],"c":"\\u0041","d":1e400}'
    assert render(open_object(body)) == body
    assert render(open_object(msgspec.Raw(body))) == body


@given(objects(documents))
def test_one_member_is_what_opening_the_whole_gives(text: str) -> None:
    body = text.encode()
    names = [name for name, _ in json.loads(text, object_pairs_hook=list)]
    if len(set(names)) == len(names):
        whole = open_object(body).get("a")
        one = one_member(body, "a")
        assert (one and bytes(one)) == (whole and bytes(whole))
    elif names.count("a") > 1:
        with pytest.raises(Refused):
            one_member(body, "a")


@pytest.mark.parametrize(
    "body", [b"[]", b"no JSON", b"", b'{"a":}', b'["a"]', b'{"a":1,"a":2}', b'{"\\u0061":1,"a":2}']
)
def test_one_member_of_what_has_none_is_refused_as_the_whole_is(body: bytes) -> None:
    with pytest.raises(Refused) as whole:
        open_object(body)
    with pytest.raises(Refused) as one:
        one_member(body, "a")
    assert one.value.fault is whole.value.fault
