"""Every value of every switch, seen from a caller's side; and the words that set them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from proxy.emulator import SwitchError, Switches, parse_switches
from proxy.emulator.switches import choices
from tests.emulator import expected, expected_related
from tests.emulator.caller import CREDENTIALS, JSON, Caller, fresh_platform

SEEN = expected.SEEN | expected_related.SEEN
CASES = [(name, value) for name, values in choices().items() for value in values]


@pytest.mark.parametrize(("name", "value"), CASES, ids=str)
def test_every_value_of_every_switch_is_felt(call: Caller, name: str, value: Any) -> None:
    probe, expected = SEEN[name]
    call.app.platform = fresh_platform(**{name: value})
    assert probe(call) == expected[value]


def test_dropped_unknown_members_are_gone(call: Caller) -> None:
    call.app.platform = fresh_platform(unknown_fields="drop")
    assert "x" not in call.json("GET", f"/v2/orders/{call.created(x=1)}")


def test_no_switch_has_two_values_that_look_alike() -> None:
    for name, values in choices().items():
        seen = [SEEN[name][1][value] for value in values]
        assert all(one != other for index, one in enumerate(seen) for other in seen[index + 1 :]), name


def test_switches_are_set_by_words() -> None:
    assert parse_switches([]) == Switches()
    assert parse_switches(["v2_update_status=201", " cors = off", "pretty=true"]) == Switches(
        v2_update_status=201, cors=False, pretty=True
    )


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("v2_macth=refuse", "the nearest is 'v2_match'"),
        ("v2_match", "name=value"),
        ("v2_match=maybe", "it can be update, create, refuse"),
        ("gzip=7", "it can be true, false"),
    ],
)
def test_a_wrong_word_is_told_the_way_out(word: str, says: str) -> None:
    with pytest.raises(SwitchError, match=says):
        parse_switches([word])


def test_the_page_lists_every_switch_with_its_values() -> None:
    page = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text()
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| `")]
    listed = {row[0].strip("|` "): [value.strip("` ") for value in row[1].split(",")] for row in rows}
    defaults = Switches()
    for name, values in choices().items():
        default = getattr(defaults, name)
        ordered = [default, *(value for value in values if value != default)]
        words = [str(value).lower() if isinstance(value, bool) else str(value) for value in ordered]
        assert listed.pop(name) == words, name
    assert listed == {}


def test_switches_can_be_changed_while_it_runs(call: Caller) -> None:
    answer = call.anonymous("POST", "/_emulator/switches", '{"v2_update_status": 201, "pretty": true}', JSON)
    assert (answer.status, json.loads(answer.body)["v2_update_status"]) == (200, 201)
    assert call.app.platform.switches == Switches(v2_update_status=201, pretty=True)
    wrong = call.anonymous("POST", "/_emulator/switches", '{"v2_update_statu": 201}', CREDENTIALS)
    assert (wrong.status, b"'v2_update_status'" in wrong.body) == (400, True)
