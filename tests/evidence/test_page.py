"""docs/evidence.md names every kind, class, reason and metric that there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from proxy.evidence.breaker import FAILURES, LONGEST, PAUSE, Breaker
from proxy.evidence.classify import CLASSES, Reason
from proxy.evidence.counts import Counts
from proxy.evidence.difference import DifferenceKind
from proxy.evidence.kinds import EvidenceKind
from proxy.types import Version

PAGE = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text("utf-8")


@pytest.mark.parametrize(
    "word", [*get_args(EvidenceKind), *CLASSES, *get_args(Reason), *get_args(DifferenceKind)]
)
def test_every_word_of_a_line_is_explained(word: str) -> None:
    assert f"`{word}`" in PAGE


def test_every_metric_is_explained_and_no_other() -> None:
    families = Counts({version: Breaker() for version in Version}).collect()
    there = {one.name + ("_total" if one.type == "counter" else "") for one in families}
    assert set(re.findall(r"^\| `(crossfade_\w+)", PAGE, re.MULTILINE)) == there


def test_the_breaker_is_as_patient_as_the_page_says() -> None:
    assert (FAILURES, PAUSE, LONGEST) == (5, 5.0, 60.0)
    assert "fails 5 times in a row is left alone for 5 s" in PAGE
