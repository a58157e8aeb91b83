"""What rules make of documents: small plans over a made-up API, seen from the caller's side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from proxy.errors import Fault, Refused, Untranslatable
from proxy.mapping.nodes import Firing
from tests.mapping.toy import API, THING, compiled, contract, leaf, read, rule, table, write

NOW = b"2024-01-02T03:04:05Z"
READ_NOW = b"2024-01-02T03:04:05.000Z"


def test_codecs_reach_every_depth_and_leave_all_else_alone(tmp_path: Path) -> None:
    native = (
        b'{"zz": {"at":"%s"}, "part": {"x":1.0, "at":"%s"}, "rows":[{"n":1e2,"colour":"BLUE"}, 5, {"n":2}],'
        b' "size": 1.50}' % (NOW, NOW)
    )
    assert read(compiled(tmp_path), native) == (
        b'{"zz":{"at":"%s"},"part":{"x":1.0,"at":"%s"},"rows":[{"n":1e2,"colour":"AZURE"},5,{"n":2}],"size":1.50}'
        % (NOW, READ_NOW)
    )


def test_a_mapping_without_rules_and_codecs_passes_every_document(tmp_path: Path) -> None:
    bare = API[: API.index("[[codec]]")] + API[API.index("[error]") :]
    mapping = compiled(tmp_path, api="codec = []\n" + bare, values="table = []\n")
    body, native = b'{"name": "a", "colour": "AZURE"}', b'{"colour": "BLUE", "at": "%s"}' % NOW
    call, reply = write(mapping, body, native)
    assert call.body is body
    assert reply.answer.body is native


@pytest.mark.parametrize(
    "native",
    [
        b"{ }",
        b'{"colour": "RED", "at": null, "rows": [ ], "part": "none", "new": [1.0, {"b": 1}]}',
        b'{"rows": [ {"colour":"RED"} , null, [] ], "part": { "deep": {"y": 5} } }',
        b'{"rows": {"colour":"BLUE"}, "href": "http://elsewhere/v2.1/x"}',
    ],
)
def test_a_document_with_nothing_to_do_is_the_very_same_object(tmp_path: Path, native: bytes) -> None:
    assert read(compiled(tmp_path), native) is native


@pytest.mark.parametrize("native", [b'["BLUE"]', b'"BLUE"', b" 7", b"null"])
def test_an_answer_that_is_no_object_cannot_be_said_in_v2(tmp_path: Path, native: bytes) -> None:
    with pytest.raises(Untranslatable, match="an object was expected"):
        read(compiled(tmp_path), native)


@pytest.mark.parametrize("kids", [b'{"href":"call me back"}', b'{"items":"Bob"}', b'{"href":true}'])
def test_what_only_looks_like_a_link_to_a_child_is_content(tmp_path: Path, kids: bytes) -> None:
    with pytest.raises(Refused) as caught:
        write(compiled(tmp_path, CHILDREN), b'{"name":"a","kids":' + kids + b"}")
    assert (caught.value.fault, caught.value.pointer) == (Fault.UNTRANSLATABLE, "/kids")


def test_every_change_is_noted_with_its_place_and_both_values(tmp_path: Path) -> None:
    _, reply = write(compiled(tmp_path), b'{"name":"a"}', b'{"rows":[{"colour":"BLUE"}],"colour":"RED"}')
    assert reply.trace == [Firing("colour.blue", "/rows/*/colour", b'"BLUE"', b'"AZURE"')]


def test_what_was_given_is_not_changed(tmp_path: Path) -> None:
    mapping = compiled(tmp_path, rule("request", "/size", "drop"))
    body, native = b'{"name":"a","size":1}', b'{"colour":"BLUE"}'
    kept = bytes(bytearray(body)), bytes(bytearray(native))
    call, reply = write(mapping, body, native)
    assert (body, native) == kept
    assert call.body == b'{"name":"a"}'
    assert reply.native.body is native


def test_a_dropped_member_goes_and_the_others_keep_their_order(tmp_path: Path) -> None:
    mapping = compiled(
        tmp_path, rule("request", "/part/deep", "drop"), rule("request", "/size", "drop", id="r.s")
    )
    call, reply = write(mapping, b'{"q": 1.0,"size":2,"name":"a","part":{"x":"1","deep":{"y":"2"},"z":[ ]}}')
    assert call.body == b'{"q":1.0,"name":"a","part":{"x":"1","z":[ ]}}'
    assert {(one.rule, one.pointer) for one in reply.trace} == {("r.drop", "/part/deep"), ("r.s", "/size")}


# ------------------------------------------------------------------------------------ reducing and creating


def test_only_the_named_members_are_kept_and_the_rest_is_noted(tmp_path: Path) -> None:
    mapping = compiled(tmp_path, rule("answer", "/part", "keep-only", members=["x", "at"]))
    _, reply = write(
        mapping, b'{"name":"a"}', b'{"part":{"at":"%s","deep":{},"my name":1,"x":"1"},"o":1}' % NOW
    )
    assert reply.answer.body == b'{"part":{"at":"%s","x":"1"},"o":1}' % READ_NOW
    places = {one.pointer for one in reply.trace}
    assert places == {"/part/at", "/part/deep", "/part/{unknown}"}


def test_a_reduced_object_that_has_nothing_else_stays_the_same(tmp_path: Path) -> None:
    mapping = compiled(tmp_path, rule("answer", "/part", "keep-only", "things.get", members=["x"]))
    for native in (b'{"part": {"x": "1"}}', b'{"part": {}}', b"{}", b'{"part": null}', b'{"part": "none"}'):
        assert read(mapping, native) is native


def test_a_collection_is_always_an_array_of_reduced_elements(tmp_path: Path) -> None:
    mapping = compiled(tmp_path, rule("answer", "/rows", "collection", "things.get", members=["colour"]))
    assert read(mapping, b'{"rows":[{"n":1,"colour":"BLUE"},{"colour":"RED"}]}') == (
        b'{"rows":[{"colour":"AZURE"},{"colour":"RED"}]}'
    )
    assert read(mapping, b'{"a":1}') == b'{"a":1,"rows":[]}'
    assert read(mapping, b'{"rows":null}') == b'{"rows":[]}'
    native = b'{"rows": [{"colour":"RED"}]}'
    assert read(mapping, native) is native
    with pytest.raises(Untranslatable) as caught:
        read(mapping, b'{"rows":{}}')
    assert (caught.value.pointer, caught.value.rule) == ("/rows", "r.collection")


def test_a_collection_without_members_keeps_its_elements_whole(tmp_path: Path) -> None:
    mapping = compiled(tmp_path, rule("answer", "/rows", "collection", "things.get"))
    assert read(mapping, b'{"rows":[{"n":1.0,"colour":"BLUE"}]}') == b'{"rows":[{"n":1.0,"colour":"AZURE"}]}'
    native = b'{"rows":[ ]}'
    assert read(mapping, native) is native


def test_a_home_is_made_for_a_collection_inside_an_object(tmp_path: Path) -> None:
    rows = {"type": "array", "items": table(n=leaf("number"))}
    boxed = {**THING, "properties": {**THING["properties"], "box": table(list=rows)}}
    made = rule("answer", "/box/list", "collection", "things.get", members=["n"])
    mapping = compiled(tmp_path, made, v2=json.dumps(contract("v2", boxed)))
    for native in (b"{}", b'{"box":null}', b'{"box":{}}', b'{"box":{"list":null}}'):
        assert read(mapping, native) == b'{"box":{"list":[]}}'
    assert (
        read(mapping, b'{"box":{"list":[{"n":1.0,"m":2}],"more":1}}')
        == b'{"box":{"list":[{"n":1.0}],"more":1}}'
    )
    for native in (b'{"box": {"list":[]}}', b'{"box": {"list": [{"n":1}]}}', b'{"box": "none"}'):
        assert read(mapping, native) is native


# --------------------------------------------------------------------------------------------------- links


def test_a_link_is_derived_from_the_records_own(tmp_path: Path) -> None:
    mapping = compiled(tmp_path, rule("answer", "/part", "link", "things.get", suffix="/parts"))
    for own in (
        b"http://new/v2.1/things/a",
        b"http://new/v2.1/things/a/",
        b"http://new/v2.1/things/a?view=full",
    ):
        body = read(mapping, b'{"part":{"x":"1"},"href":"%s"}' % own)
        assert body.startswith(
            b'{"part":{"href":"http://us/v2/things/a/parts"},"href":"http://us/v2/things/a'
        )
    assert read(mapping, b'{"href":"http://new/v2.1/things/a"}').endswith(
        b'"part":{"href":"http://us/v2/things/a/parts"}}'
    )


@pytest.mark.parametrize("native", [b'{"part": {"x":"1"}}', b'{"href": null}', b'{"href": 5, "part": 1}'])
def test_without_a_link_of_its_own_a_record_has_none_to_derive(tmp_path: Path, native: bytes) -> None:
    mapping = compiled(tmp_path, rule("answer", "/part", "link", "things.get", suffix="/parts"))
    assert read(mapping, native) is native


def test_a_place_for_a_text_gets_the_bare_link(tmp_path: Path) -> None:
    mapping = compiled(tmp_path, rule("answer", "/name", "link", "things.get", suffix="?view=full"))
    assert read(mapping, b'{"href":"http://new/v2.1/things/a","name":"n"}') == (
        b'{"href":"http://us/v2/things/a","name":"http://us/v2/things/a?view=full"}'
    )


# ------------------------------------------------------------------------------------------ blanks, children

BLANKS = (
    rule("request", "*", "drop-null"),
    rule("request", "*", "drop-unset"),
)


def test_known_members_that_say_nothing_go_and_unknown_ones_stay(tmp_path: Path) -> None:
    mapping = compiled(tmp_path, *BLANKS)
    body = b'{"name":"a","size":null,"at":"0001-01-01T00:00:00","colour":"AZURE","q":null,"u":"0001-01-01T00:00:00"}'
    call, reply = write(mapping, body)
    assert call.body == b'{"name":"a","colour":"BLUE","q":null,"u":"0001-01-01T00:00:00"}'
    assert {(one.rule, one.pointer) for one in reply.trace} >= {
        ("r.drop-null", "/size"),
        ("r.drop-unset", "/at"),
    }


def test_a_text_that_only_looks_like_a_blank_stays(tmp_path: Path) -> None:
    body = b'{"name":"null","part":{"x":"0001-01-01T"},"at":"2001-01-01T00:00:00Z"}'
    call, _ = write(compiled(tmp_path, *BLANKS), body)
    assert call.body is body


def test_without_the_policy_blanks_are_sent(tmp_path: Path) -> None:
    body = b'{"name":"a","size":null,"at":"0001-01-01T00:00:00Z"}'
    assert write(compiled(tmp_path), body)[0].body is body
    nulls = compiled(tmp_path, BLANKS[0])
    assert write(nulls, body)[0].body == b'{"name":"a","at":"0001-01-01T00:00:00Z"}'


def test_a_required_member_may_not_be_a_blank(tmp_path: Path) -> None:
    things = b'{"name":"a","part":{"at":"0001-01-01T00:00:00Z"}}'
    call, _ = write(compiled(tmp_path, *BLANKS), things)
    assert b"0001" not in call.body
    with pytest.raises(Refused) as caught:
        write(compiled(tmp_path, *BLANKS), b'{"name":null}')
    assert (caught.value.fault, caught.value.pointer) == (Fault.FIELD, "/name")


CHILDREN = rule("request", "/kids", "drop-links", members=["href", "items"], message="{member}: not here.")


@pytest.mark.parametrize(
    "kids",
    [
        b"null",
        b"[]",
        b"{}",
        b'{"href":"http://us/v2/x"}',
        b'{"items":[]}',
        b'{"items":[{"href":"http:\\/\\/us\\/v2\\/a"},null]}',
        b'[{"href":1}]',
    ],
)
def test_children_that_are_only_links_are_dropped(tmp_path: Path, kids: bytes) -> None:
    call, reply = write(compiled(tmp_path, CHILDREN), b'{"kids":%s,"name":"a"}' % kids)
    assert call.body == b'{"name":"a"}'
    assert [(one.rule, one.pointer, one.before) for one in reply.trace] == [("r.drop-links", "/kids", kids)]


@pytest.mark.parametrize(
    "kids",
    [
        b'"Ann"',
        b"5",
        b"true",
        b'["Ann"]',
        b'{"name":"Ann"}',
        b'{"items":[{"href":"a","name":"Ann"}]}',
        b'{"items":[["Ann"]]}',
    ],
)
def test_children_with_content_are_refused_by_name_and_without_their_content(
    tmp_path: Path, kids: bytes
) -> None:
    with pytest.raises(Refused) as caught:
        write(compiled(tmp_path, CHILDREN), b'{"kids":%s,"name":"a"}' % kids)
    error = caught.value
    assert (error.fault, error.pointer, error.rule) == (Fault.UNTRANSLATABLE, "/kids", "r.drop-links")
    assert error.message == "kids: not here."
    assert "Ann" not in error.detail
