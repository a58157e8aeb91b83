"""The pages about error codes and the codes that callers meet are the same, down to the examples."""

from __future__ import annotations

import re
from pathlib import Path

from proxy.errors import Fault
from proxy.types import Outcome
from tests.error_pages import MARK, examples

PAGE = Path(__file__).parents[1] / "docs" / "errors.md"
PAGES = PAGE.with_suffix("")
ROW = re.compile(r"^\| \[`(CF-[A-Z-]+)`\]\(errors/\1\.md\) \| (\d+) \|", re.MULTILINE)


def test_every_code_is_documented_with_its_status_and_no_other() -> None:
    rows = dict(ROW.findall(PAGE.read_text("utf-8")))
    assert {code: int(status) for code, status in rows.items()} == {one.code: one.status for one in Fault}


def test_every_row_says_what_happened_and_what_to_do() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| [`CF-")]
    assert all(len(row.split(" | ")[-1]) > 10 and len(row.split(" | ")[-2]) > 20 for row in rows)


def test_every_code_has_a_page_and_no_page_is_left_over() -> None:
    assert {one.stem for one in PAGES.iterdir()} == {one.code for one in Fault}
    for fault in Fault:
        text = (PAGES / f"{fault.code}.md").read_text("utf-8")
        title, *parts = re.split(r"^#+ (?=[`A-Z])", text, flags=re.MULTILINE)[1:]
        assert title.startswith(f"`{fault.code}` · {fault.status}\n\n")
        assert [part.split("\n")[0] for part in parts] == ["Outcome", "The caller", "The operator", "Example"]
        assert all(len(part.partition("\n\n")[2].strip()) >= 15 for part in (title, *parts)), fault


def test_the_example_of_every_page_is_what_a_caller_gets_and_its_outcome_is_named() -> None:
    for fault, example in examples().items():
        text = (PAGES / f"{fault.code}.md").read_text("utf-8")
        words, mark, rest = text.partition(MARK)
        assert mark + rest == example, f"make faults writes {fault.code} anew"
        assert f"X-Crossfade-Code: {fault.code}\n" in example
        (outcome,) = re.findall(r"^X-Crossfade-Outcome: (\w+)$", example, re.MULTILINE)
        assert f"`{Outcome(outcome).value}`" in words.partition("## Outcome")[2].partition("##")[0]
