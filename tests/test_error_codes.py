from __future__ import annotations

import re
from pathlib import Path

from proxy.errors import Fault

PAGE = Path(__file__).parents[1] / "docs" / "errors.md"


def test_every_code_is_documented_with_its_status_and_no_other() -> None:
    rows = dict(re.findall(r"^\| `(CF-[A-Z-]+)` \| (\d+) \|", PAGE.read_text("utf-8"), re.MULTILINE))
    assert {code: int(status) for code, status in rows.items()} == {one.code: one.status for one in Fault}


def test_every_row_says_what_happened_and_what_to_do() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `CF-")]
    assert all(len(row.split(" | ")[-1]) > 10 and len(row.split(" | ")[-2]) > 20 for row in rows)
