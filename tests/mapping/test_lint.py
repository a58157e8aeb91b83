"""The lint as a whole: nothing of the shipped mapping is there for nothing, and nothing it needs can go unseen."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from proxy.mapping.api import Source, load, read
from proxy.mapping.lint import faults, findings
from proxy.mapping.lint.finding import Finding, FindingKind, nearest
from proxy.mapping.lint.scope import Places
from tests.mapping.seeding import FOLDER, copied, rule

SHIPPED = load(FOLDER)
ORDERS, *OTHERS = SHIPPED.resources

NARROWS: Mapping[str, str] = {
    "orders.nulls": "without it a null that v2 takes reaches v2.1, which may take it too",
    "orders.unset-times": "without it a year 0001 reaches v2.1 as the time that it is",
    "orders.list.limit": "without it a limit above the maximum reaches v2.1, which knows the parameter",
    "orders.update.frozen": "it changes nothing, it only counts",
    "orders.list.filters": "both filters at once reach v2.1, which knows each of them",
    "orders.list.filters-reference": "the same, where the operator has chosen",
    "orders.list.filters-guest": "the same, where the operator has chosen",
    "orders.list.items-expanded": "without it an array that v2.1 left out is not made up",
    "orders.get.expanded-names": "a name that was made up would be shown",
    "orders.get.expanded-link": "the link would be the record's own, in the same place",
    "orders.get.expanded-items-link": "the link would be the page's own, in the same place",
}
"""Rules that only narrow what passes: without them both contracts are still claimed."""


def without(id_: str) -> Source:
    """The shipped mapping without one rule."""
    kept = [one for one in ORDERS.rule if one.id != id_]
    return dataclasses.replace(SHIPPED, resources=[msgspec.structs.replace(ORDERS, rule=kept), *OTHERS])


@pytest.mark.parametrize("id_", [one.id for one in ORDERS.rule])
def test_a_rule_that_goes_is_missed_unless_it_only_narrows(id_: str) -> None:
    found = findings(without(id_))
    assert bool(found) != (id_ in NARROWS), [*map(str, found)]
    assert all(one.way_out for one in found)


@pytest.mark.parametrize("id_", [one.id for one in ORDERS.step])
def test_a_step_that_goes_is_missed(id_: str) -> None:
    kept = [one for one in ORDERS.step if one.id != id_]
    assert findings(
        dataclasses.replace(SHIPPED, resources=[msgspec.structs.replace(ORDERS, step=kept), *OTHERS])
    )


@pytest.mark.parametrize("id_", [one.id for one in ORDERS.endpoint])
def test_an_endpoint_that_goes_is_missed(id_: str) -> None:
    kept = [one for one in ORDERS.endpoint if one.id != id_]
    assert findings(
        dataclasses.replace(SHIPPED, resources=[msgspec.structs.replace(ORDERS, endpoint=kept), *OTHERS])
    )


@pytest.mark.parametrize("place", [place for one in SHIPPED.accepted for place in one.place])
def test_an_accepted_place_that_goes_is_uncovered(place: str) -> None:
    kept = [
        msgspec.structs.replace(one, place=[other for other in one.place if other != place])
        for one in SHIPPED.accepted
    ]
    found = findings(dataclasses.replace(SHIPPED, accepted=kept))
    assert [(one.kind, one.place) for one in found] == [(FindingKind.UNCOVERED, place)]


@pytest.mark.parametrize("number", [0, 1])
def test_an_entry_of_a_value_table_that_goes_is_missed(number: int) -> None:
    table, *rest = SHIPPED.values.table
    entries = [one for index, one in enumerate(table.entry) if index != number]
    values = msgspec.structs.replace(
        SHIPPED.values, table=[msgspec.structs.replace(table, entry=entries), *rest]
    )
    found = findings(dataclasses.replace(SHIPPED, values=values))
    assert [one.place for one in found] == [f"v2.1 value status {table.entry[number].v2_1}"]
    assert "compat.new_statuses = 'sentinel'" in found[0].message


def test_links_need_the_codec_of_links(tmp_path: Path) -> None:
    codecs = [one for one in SHIPPED.api.codec if one.type != "href"]
    found = findings(dataclasses.replace(SHIPPED, api=msgspec.structs.replace(SHIPPED.api, codec=codecs)))
    links = {one.id for file in SHIPPED.resources for one in file.rule if one.do == "link"}
    assert {one.rule for one in found} == {"", *links}
    assert "the leaf type 'href' has no codec" in found[0].message


def test_all_mistakes_are_told_at_once_in_the_order_of_the_files(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    for name, old, new in (
        ("orders.toml", "maximum = 100\n", ""),
        ("values.toml", 'v2-1 = "SEARCHED"', 'v2-1 = "SEARCH"'),
        ("accepted.toml", '?sort"]', '?sort", "v2 nothing"]'),
        ("api.toml", 'source = ["message"]', 'source = ["massage"]'),
    ):
        file = folder / name
        file.write_text(file.read_text().replace(old, new, 1))
    source = read(folder)
    assert isinstance(source, Source)
    found = findings(source)
    assert [one.file for one in found] == ["api.toml", "values.toml", "orders.toml", "accepted.toml"]
    assert findings(source) == found


def test_mistakes_of_form_are_told_for_all_files_at_once(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / "values.toml").write_text("[[table]]\n")
    (folder / "accepted.toml").unlink()
    (folder / "contracts" / "v2.json").write_text("{}")
    (folder / "orders.toml").write_bytes(b"\xff")
    found = read(folder)
    assert isinstance(found, list)
    assert [one.file for one in found] == ["values.toml"] * 3 + ["orders.toml", "v2.json"]
    assert [one.message for one in found[:3]] == [
        f"'{name}' is missing" for name in ("type", "says", "entry")
    ]


def test_a_folder_without_accepted_entries_is_read(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / "accepted.toml").unlink()
    assert load(folder).accepted == []


def test_a_rename_a_constant_and_a_default_are_claims(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    file = folder / "orders.toml"
    more = rule("a", "orders.create", "request", "/cardType", "constant", 'value = "x"')
    more += rule("b", "orders.create", "request", "/paymentType", "default", 'value = "y"')
    file.write_text(file.read_text() + more)
    source = read(folder)
    assert isinstance(source, Source)
    assert findings(source) == []


def test_both_ends_of_a_rename_are_each_others(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    for name, old, new in (
        ("contracts/v2_1.json", '"cardType"', '"cardKind"'),
        (
            "orders.toml",
            "",
            rule("r", "orders.create", "both", "/cardType", "rename", 'native = "/cardKind"'),
        ),
    ):
        file = folder / name
        file.write_text(file.read_text().replace(old, new) if old else file.read_text() + new)
    source = read(folder)
    assert isinstance(source, Source)
    named = {one.rule for one in findings(source)}
    assert named == {"orders.update", "orders.get", "orders.list"}


def test_a_document_that_is_not_there_has_no_places() -> None:
    assert Places.of([None]) == Places({})


def test_a_finding_is_one_line() -> None:
    one = Finding(FindingKind.PLACE, "a.toml", "/b", "c.d", "is not there", "correct it")
    assert str(one) == "a.toml: c.d: /b: is not there; correct it"
    assert str(dataclasses.replace(one, rule="", place="")) == "a.toml: is not there; correct it"


def test_the_nearest_name_or_those_that_there_are() -> None:
    assert nearest("pric", ["price", "name"]) == "did you mean 'price'?"
    assert nearest("zz", ["price", "name"]) == "there are: price, name"
    assert nearest("zz", [f"name{n}" for n in range(9)]).endswith("name7, …")
    assert nearest("zz", []) == "there are none"


def test_what_a_start_adds_is_small() -> None:
    spent = []
    for _ in range(5):
        started = time.process_time()
        faults(SHIPPED)
        spent.append(time.process_time() - started)
    assert min(spent) < (0.05 if sys.gettrace() is None else 0.2)


def test_a_mapping_whose_file_is_missing_is_told(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / "values.toml").unlink()
    found = read(folder)
    assert isinstance(found, list)
    assert [one.line for one in found] == [
        "cannot be read (No such file or directory); give a folder with all files"
    ]


def test_steps_in_different_cases_do_not_meet() -> None:
    join = next(one for one in ORDERS.step if one.kind == "join")
    other = msgspec.structs.replace(join, id="made.up", case="!expanded")
    resource = msgspec.structs.replace(ORDERS, step=[*ORDERS.step, other])
    found = findings(dataclasses.replace(SHIPPED, resources=[resource, *OTHERS]))
    assert [one for one in found if one.kind is FindingKind.OVERLAP] == []


def test_entries_that_never_hold_together_do_not_meet() -> None:
    table = SHIPPED.values.table[0]
    other = msgspec.structs.replace(table.entry[0], id="made.up", when={"new_statuses": "pass"})
    tables = [msgspec.structs.replace(table, entry=[*table.entry, other])]
    values = msgspec.structs.replace(SHIPPED.values, table=tables)
    found = findings(dataclasses.replace(SHIPPED, values=values))
    assert [one for one in found if one.kind is FindingKind.VALUE] == []
