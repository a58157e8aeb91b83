"""The page about the emulator says what the emulator does."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.emulator.drifts import DRIFTS
from tests.emulator.caller import Caller

PAGE = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line[:1] == "|"
]
PATHS = [row for row in ROWS if row[0].startswith("/")]


@pytest.mark.parametrize("row", PATHS, ids=lambda row: row[0])
def test_every_path_takes_the_methods_that_the_page_lists(call: Caller, row: list[str]) -> None:
    for version, listed in (("v2", row[1]), ("v2.1", row[2])):
        answer = call.anonymous("OPTIONS", f"/{version}{row[0]}")
        methods = (answer.header("allow") or "").split(", ")
        wanted = listed.split(", ") if listed else []
        assert [method for method in methods if method not in {"HEAD", "OPTIONS", ""}] == wanted
        assert answer.status == (200 if listed else 404)


def test_the_page_lists_every_path(call: Caller) -> None:
    words = ("orders", "orderItems", "orderContacts", "orderConsumers")
    below = ("contacts", "consumers", "orderItems", "extext", "extext/{ref}")
    newer = ("extensions", "extensions/ext", "extensions/ext/fields")
    tried = {*words, *(f"{word}/{{ref}}" for word in words)}
    tried |= {f"{word}/{{ref}}/{one}" for word in words for one in (*below, *newer)}
    served = {
        path
        for path in tried
        for version in ("v2", "v2.1")
        if call.anonymous("OPTIONS", f"/{version}/{path}").status == 200
    }
    assert served == {row[0].removeprefix("/") for row in PATHS}


def test_the_page_lists_every_drift() -> None:
    start = next(index for index, row in enumerate(ROWS) if row == ["drift", "where"])
    assert [row[0] for row in ROWS[start + 2 :]] == list(DRIFTS)
