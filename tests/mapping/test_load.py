"""Reading and compiling a mapping: what does not hold together is named with file, place and way out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from proxy.errors import Fault, MappingError, Refused
from proxy.mapping.api import load
from tests.mapping.toy import (
    API,
    BASES,
    THING,
    THINGS,
    VALUES,
    compiled,
    contract,
    folder,
    leaf,
    read,
    rule,
    write,
)


def test_the_made_up_mapping_holds_together(tmp_path: Path) -> None:
    mapping = compiled(tmp_path)
    call, reply = write(mapping, b'{"name":"a","colour":"AZURE"}', b'{"colour":"BLUE"}')
    assert (call.method, call.target, call.body) == ("POST", b"/v2.1/things", b'{"name":"a","colour":"BLUE"}')
    assert reply.answer.body == b'{"colour":"AZURE"}'


def refused(path: Path, *rules: str, **changed: str) -> str:
    with pytest.raises(MappingError) as caught:
        load(folder(path, **{"things": THINGS + "".join(rules), **changed})).compiled({}, BASES)
    return str(caught.value)


@pytest.mark.parametrize("name", ["api.toml", "values.toml", "things.toml", "v2.json", "v2_1.json"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    folder(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(MappingError) as caught:
        load(tmp_path)
    assert str(caught.value).startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"api": "resources = ["}, ["api.toml: is not TOML", "end of document"]),
        ({"api": b'resources = ["\xff"]'}, ["api.toml: is not TOML"]),
        ({"api": API + "\n[surprise]\n"}, ["api.toml", "surprise"]),
        ({"api": API.replace('family = ["/v2/things"]', "family = 7")}, ["api.toml", "`array`", "$.family"]),
        ({"api": API.replace('values = "values.toml"', "")}, ["api.toml", "values"]),
        ({"values": VALUES.replace('"back"', '"sideways"')}, ["values.toml", "sideways", "$.table"]),
        ({"things": THINGS + rule("answer", "/name", "vanish")}, ["things.toml", "vanish", "$.rule"]),
        ({"things": THINGS + rule("answer", "/name", "link", colour="red")}, ["things.toml", "colour"]),
        ({"things": THINGS.replace('grade = "A"', 'grade = "E"', 1)}, ["things.toml", "'E'", "grade"]),
    ],
)
def test_a_file_in_another_form_is_named_with_the_place(
    tmp_path: Path, changed: dict[str, str | bytes], said: list[str]
) -> None:
    with pytest.raises(MappingError) as caught:
        load(folder(tmp_path, **changed))
    for part in said:
        assert part in str(caught.value)


def strange(change: str) -> str:
    """The first contract with one thing about it that is not right."""
    document: dict[str, Any] = contract("v2")
    post = document["paths"]["/v2/things"]["post"]
    match change:
        case "word":
            document["components"]["schemas"]["Thing"] = {**THING, "oneOf": [leaf()]}
        case "type":
            document["components"]["schemas"]["Thing"]["properties"] = {"a": leaf("text")}
        case "reference":
            document["components"]["schemas"] = {}
        case "loop":
            document["components"]["schemas"]["Thing"] = {"$ref": "#/components/schemas/Thing"}
        case "status":
            post["responses"] = {"default": {}}
        case "media":
            post["requestBody"]["content"] = {"text/plain": {}}
        case "paths":
            document["paths"] = ["/v2/things"]
        case _:
            return change
    return json.dumps(document)


@pytest.mark.parametrize(
    "change", ["word", "reference", "loop", "status", "media", "paths", "{", "[]", "\xff", '{"paths":{}}']
)
def test_a_contract_that_is_not_understood_is_not_guessed(tmp_path: Path, change: str) -> None:
    text = strange(change)
    with pytest.raises(MappingError) as caught:
        load(folder(tmp_path, v2=text.encode("latin-1")))
    assert str(caught.value).startswith("v2.json: ")


def test_an_unknown_word_of_a_contract_is_named(tmp_path: Path) -> None:
    assert "oneOf" in refused(tmp_path, v2=strange("word"))
    assert "'text'" in refused(
        tmp_path, v2=json.dumps(contract("v2", {**THING, "properties": {"a": leaf("text")}}))
    )


# ------------------------------------------------------------------------------------------------- compiling


def test_two_rules_for_one_place_are_refused_by_both_names(tmp_path: Path) -> None:
    said = refused(
        tmp_path, rule("request", "/size", "drop"), rule("request", "/size", "drop", id="r.second")
    )
    assert "r.drop" in said
    assert "r.second" in said
    assert "/size" in said


def test_two_rules_for_one_place_in_different_cases_are_welcome(tmp_path: Path) -> None:
    mapping = compiled(
        tmp_path,
        rule("answer", "/part", "keep-only", "things.get", members=["x"], case="full"),
        rule("answer", "/part", "keep-only", "things.get", members=["at"], case="!full", id="r.plain"),
    )
    body = b'{"part":{"x":"1","at":"2"}}'
    assert read(mapping, body, b"full") == b'{"part":{"x":"1"}}'
    assert read(mapping, body) == b'{"part":{"at":"2"}}'
    assert read(mapping, body, b"other") == b'{"part":{"at":"2"}}'


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("POST /v2/things", "PUT /v2/things", ["PUT /v2/things", "POST /v2/things"]),
        ("POST /v2.1/things", "POST /v2.1/thing", ["POST /v2.1/thing", "POST /v2.1/things"]),
        (
            'v2-1 = "POST /v2.1/things"',
            'v2-1 = "POST /v2.1/things"\nstatus = { 201 = "dome" }',
            ["things.create", "'dome'", "done"],
        ),
    ],
)
def test_an_endpoint_that_leads_nowhere_is_named(tmp_path: Path, old: str, new: str, said: list[str]) -> None:
    text = refused(tmp_path, things=THINGS.replace(old, new))
    for part in said:
        assert part in text


REFUSE = """
[endpoint.refuse]
when = { mode = "strict" }
fault = "CF-METHOD"
message = "Not allowed."
detail = "Set compat.mode."
"""


def test_an_endpoint_can_be_refused_until_a_switch_allows_it(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        read(compiled(tmp_path, things=THINGS + REFUSE), b"{}")
    assert (caught.value.fault, caught.value.rule) == (Fault.METHOD, "things.get")
    assert read(compiled(tmp_path, things=THINGS + REFUSE, compat={"mode": "loose"}), b"{}") == b"{}"


def test_an_unknown_fault_is_named(tmp_path: Path) -> None:
    said = refused(tmp_path, things=THINGS + REFUSE.replace("CF-METHOD", "CF-NOTHING"))
    assert "things.get" in said
    assert "CF-NOTHING" in said


@pytest.mark.parametrize(
    ("rules", "changed", "where"),
    [
        (rule("request", "/size", "drop", when={"mod": "strict"}), {}, "r.drop"),
        ("", {"values": VALUES.replace("mode =", "mod =")}, "colour.loose"),
        ("", {"things": THINGS + REFUSE.replace("mode =", "mod =")}, "things.get"),
        (
            "",
            {"api": API.replace("[compat.mode]", 'when = { mod = ["strict"] }\n[compat.mode]')},
            "error.message",
        ),
    ],
)
def test_an_unknown_switch_is_named_with_who_asks_for_it(
    tmp_path: Path, rules: str, changed: dict[str, str], where: str
) -> None:
    said = refused(tmp_path, rules, **changed)
    assert where in said
    assert "'mod'" in said
    assert "mode" in said


def test_an_unknown_codec_is_named(tmp_path: Path) -> None:
    said = refused(tmp_path, api=API.replace('type = "timestamp"', 'type = "colours"'))
    assert "codec.timestamp" in said
    assert "'colours'" in said


def test_an_operation_that_is_not_for_queries_is_named(tmp_path: Path) -> None:
    assert "r.link" in refused(tmp_path, rule("query", "view", "link", "things.get"))


def test_a_link_needs_the_codec_of_links(tmp_path: Path) -> None:
    api = API.replace('[[codec]]\ntype = "href"\nid = "codec.href"\nsays = "Links."\ngrade = "A"\n', "")
    assert "'href'" in refused(tmp_path, rule("answer", "/part", "link"), api=api)


def test_the_losses_are_known_by_what_declares_them(tmp_path: Path) -> None:
    mapping = compiled(tmp_path, rule("request", "/size", "drop", loss="L-SIZE", reason="No home."))
    assert {name: one.loss for name, one in mapping.losses.items()} == {"r.drop": "L-SIZE"}
