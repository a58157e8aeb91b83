"""Renames, constants and defaults: what a caller writes arrives elsewhere, and is read where it was written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import Fault, MappingError, Refused
from tests.mapping.toy import compiled, rule, write

FLAT = rule("both", "/size", "rename", native="/weight")


@pytest.mark.parametrize(
    ("native", "sent"),
    [
        ("/weight", b'{"a":1,"weight":2.50,"name":"n"}'),
        ("/box/weight", b'{"a":1,"name":"n","box":{"weight":2.50}}'),
        ("/part/weight", b'{"a":1,"name":"n","part":{"weight":2.50}}'),
    ],
)
def test_a_member_is_sent_under_its_other_name_and_read_under_its_own(
    tmp_path: Path, native: str, sent: bytes
) -> None:
    mapping = compiled(tmp_path, rule("both", "/size", "rename", native=native))
    call, reply = write(mapping, b'{"a":1,"size":2.50,"name":"n"}', sent)
    assert call.body == sent
    assert sorted(reply.answer.body) == sorted(b'{"a":1,"size":2.50,"name":"n"}')
    assert b'"size":2.50' in reply.answer.body
    assert {one.rule for one in reply.trace} == {"r.rename"}


def test_a_member_can_come_out_of_an_object_that_then_goes(tmp_path: Path) -> None:
    mapping = compiled(tmp_path, rule("both", "/part/deep/y", "rename", native="/y"))
    call, reply = write(mapping, b'{"name":"n","part":{"deep":{"y":"1"}}}', b'{"name":"n","y":"1"}')
    assert call.body == b'{"name":"n","y":"1"}'
    assert reply.answer.body == b'{"name":"n","part":{"deep":{"y":"1"}}}'
    call, _ = write(mapping, b'{"name":"n","part":{"x":"2","deep":{"y":"1"}}}')
    assert call.body == b'{"name":"n","part":{"x":"2"},"y":"1"}'


def test_a_value_is_translated_on_its_way(tmp_path: Path) -> None:
    mapping = compiled(tmp_path, rule("both", "/colour", "rename", native="/tint"))
    call, _ = write(mapping, b'{"name":"n","colour":"AZURE"}')
    assert call.body == b'{"name":"n","tint":"BLUE"}'


def test_a_member_inside_each_element_is_renamed(tmp_path: Path) -> None:
    mapping = compiled(tmp_path, rule("both", "/rows/*/n", "rename", native="/rows/*/count"))
    call, reply = write(mapping, b'{"name":"a","rows":[{"n":1.0},{"m":2}]}', b'{"rows":[{"count":3}]}')
    assert call.body == b'{"name":"a","rows":[{"count":1.0},{"m":2}]}'
    assert reply.answer.body == b'{"rows":[{"n":3}]}'


@pytest.mark.parametrize("body", [b'{"name":"n"}', b'{"name": "n", "other": {"size": 1}}'])
def test_with_nothing_to_rename_the_very_same_object_is_sent(tmp_path: Path, body: bytes) -> None:
    assert write(compiled(tmp_path, FLAT), body)[0].body is body


def test_a_member_that_says_nothing_does_not_arrive_under_the_other_name(tmp_path: Path) -> None:
    mapping = compiled(tmp_path, FLAT, rule("request", "*", "drop-null"))
    assert write(mapping, b'{"name":"n","size":null}')[0].body == b'{"name":"n"}'


def test_a_way_through_something_else_than_an_object_leads_nowhere(tmp_path: Path) -> None:
    mapping = compiled(tmp_path, rule("both", "/size", "rename", native="/box/weight"))
    native = b'{"box": [1], "name": "n"}'
    assert write(mapping, b'{"name":"n"}', native)[1].answer.body is native


def test_a_name_that_is_taken_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        write(compiled(tmp_path, FLAT), b'{"name":"n","size":1,"weight":2}')
    assert (caught.value.fault, caught.value.pointer, caught.value.rule) == (
        Fault.UNTRANSLATABLE,
        "/size",
        "r.rename",
    )


def test_a_taken_name_in_the_answer_to_a_write_is_passed_and_marked(tmp_path: Path) -> None:
    native = b'{"size":1,"weight":2}'
    _, reply = write(compiled(tmp_path, FLAT), b'{"name":"n"}', native)
    assert reply.answer.body is native
    assert reply.untranslated == "r.rename"


def test_a_rename_across_an_array_is_a_mistake_of_the_mapping(tmp_path: Path) -> None:
    with pytest.raises(MappingError) as caught:
        compiled(tmp_path, rule("both", "/rows/*/n", "rename", native="/count"))
    assert "r.rename" in str(caught.value)


# --------------------------------------------------------------------------------------- constants, defaults

CONSTANT = rule("both", "/colour", "constant", value="AZURE")


def test_a_constant_stays_behind_and_is_always_read(tmp_path: Path) -> None:
    mapping = compiled(tmp_path, CONSTANT)
    call, reply = write(mapping, b'{"colour":"AZURE","name":"n"}', b'{"name":"n"}')
    assert call.body == b'{"name":"n"}'
    assert reply.answer.body == b'{"name":"n","colour":"AZURE"}'
    body = b'{"name":"n"}'
    assert write(mapping, body)[0].body is body
    native = b'{"colour": "RED"}'
    assert write(mapping, body, native)[1].answer.body is native


def test_another_value_than_the_constant_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        write(compiled(tmp_path, CONSTANT), b'{"colour":"SECRET","name":"n"}')
    error = caught.value
    assert (error.fault, error.pointer, error.rule) == (Fault.UNTRANSLATABLE, "/colour", "r.constant")
    assert "SECRET" not in error.detail + error.message


DEFAULT = rule("both", "/part/x", "default", value="none", sources=["y", "z"])


@pytest.mark.parametrize(
    ("part", "sent"),
    [
        (b'{"x":"own","y":"1"}', b'{"x":"own","y":"1"}'),
        (b'{"y":"1","z":"2"}', b'{"y":"1","z":"2","x":"1"}'),
        (b'{"y":null,"z":"2"}', b'{"y":null,"z":"2","x":"2"}'),
        (b'{"w":1.0}', b'{"w":1.0,"x":"none"}'),
    ],
)
def test_what_v2_leaves_out_is_made_up_and_hidden_again(tmp_path: Path, part: bytes, sent: bytes) -> None:
    mapping = compiled(tmp_path, DEFAULT)
    call, reply = write(mapping, b'{"name":"n","part":%s}' % part, b'{"part":%s}' % sent)
    assert call.body == b'{"name":"n","part":%s}' % sent
    assert reply.answer.body == b'{"part":%s}' % part


@pytest.mark.parametrize(
    ("text", "made"),
    [(rb"\u0061bc", rb"\u0061bc"), (b"abcd", b"abc"), (b"abc", b"abc"), (rb"\u0061bcd", b"abc")],
)
def test_a_text_that_is_made_up_is_cut_by_what_it_says_not_by_how_it_is_written(
    tmp_path: Path, text: bytes, made: bytes
) -> None:
    mapping = compiled(tmp_path, rule("both", "/part/x", "default", value="none", sources=["y"], maximum=3))
    call, _ = write(mapping, b'{"name":"n","part":{"y":"%s"}}' % text, b'{"name":"n"}')
    assert call.body == b'{"name":"n","part":{"y":"%s","x":"%s"}}' % (text, made)


@given(st.from_regex(r"[a-z]{1,4}", fullmatch=True), st.integers(), st.booleans())
def test_there_and_back_again_is_where_it_began(
    tmp_path_factory: pytest.TempPathFactory, name: str, size: int, with_size: bool
) -> None:
    mapping = compiled(tmp_path_factory.mktemp("toy"), FLAT, CONSTANT)
    size_text = b',"size":%d' % size if with_size else b""
    body = b'{"name":"%s"%s,"colour":"AZURE"}' % (name.encode(), size_text)
    call, _ = write(mapping, body)
    _, reply = write(mapping, body, call.body)
    assert reply.answer.body == body
