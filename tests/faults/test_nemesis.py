"""The short run of the nemesis, and that its checker can tell."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from tests.faults.nemesis import run, verdict


@pytest.mark.parametrize("fsync", [False, True])
def test_no_write_is_doubled_and_none_is_lost_in_silence(fsync: bool) -> None:
    broken, text = asyncio.run(run(200, 2, 3, fsync=fsync))
    assert not any(broken.values()), (text, broken)
    assert " ok" in text
    assert " unknown" in text


def test_the_checker_sees_each_broken_promise() -> None:
    known = {
        "1": "ok",
        "2": "ok",
        "3": "not_sent",
        "4": "unknown",
        "5": "unknown",
        "6": "left",
        "7": "unknown",
    }
    broken = verdict(known, Counter({"1": 2, "3": 1, "4": 1, "5": 1, "6": 1}), {"5"})
    assert list(broken.values()) == [["1"], ["2"], ["3"], ["4"]]
