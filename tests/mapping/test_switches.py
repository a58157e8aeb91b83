"""The switches of an operator: their defaults, their values, what depends on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.errors import ConfigError
from proxy.mapping.api import load
from tests.mapping.toy import BASES, compiled, folder, read


def test_a_switch_has_its_default_until_it_is_set(tmp_path: Path) -> None:
    source = load(folder(tmp_path))
    assert source.switches({}) == {"mode": "strict", "done": 200}
    assert source.switches({"done": 202}) == {"mode": "strict", "done": 202}


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"moed": "loose"}, ["compat.moed", "did you mean 'mode'"]),
        ({"zzz": "loose"}, ["compat.zzz", "mode, done"]),
        ({"mode": "lose"}, ["compat.mode", "'lose'", "'strict', 'loose'"]),
        ({"done": "200"}, ["compat.done", "200, 202"]),
        ({"done": True}, ["compat.done"]),
    ],
)
def test_a_switch_that_does_not_exist_is_an_error_with_the_nearest(
    tmp_path: Path, chosen: dict[str, str | int], said: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(folder(tmp_path)).compiled(chosen, BASES)
    for part in said:
        assert part in str(caught.value)


def test_what_depends_on_a_switch_is_there_only_with_its_value(tmp_path: Path) -> None:
    body = b'{"colour":"PUCE"}'
    assert read(compiled(tmp_path), body) == body
    assert read(compiled(tmp_path, compat={"mode": "loose"}), body) == b'{"colour":"OTHER"}'


def test_reads_and_writes_are_told_apart(tmp_path: Path) -> None:
    assert load(folder(tmp_path)).writes == {"things.create": True, "things.get": False}


def test_each_status_of_the_contract_has_its_reader(tmp_path: Path) -> None:
    endpoint = compiled(tmp_path).endpoints["things.create"]
    assert endpoint.answers.keys() == {201}
    assert endpoint.answers[201].findings(b'{"name":5}')[0].pointer == "/name"
