"""The short run of the nemesis, and that its checker can tell."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from tests.faults.nemesis import run, verdict
from tests.faults.recording import FATES


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("writes", "kills", "fsync"), [(1500, 15, False), (200, 2, True)])
def test_no_write_is_doubled_and_none_is_lost_in_silence(writes: int, kills: int, fsync: bool) -> None:
    ended = asyncio.run(run(writes, kills, 3, fsync=fsync))
    assert not any(ended.broken.values()), (ended.text, ended.broken)
    words = ["ok", "unknown"] if writes < 1000 else ["ok", "unknown", "left", "not_sent"]
    assert all(f" {word}" in ended.text for word in words), ended.text
    assert writes < 1000 or set(ended.fates) == set(FATES), "the platform breaks in every phase"


KNOWN = {
    "acknowledged": "ok",
    "acknowledged, never done": "ok",
    "not sent": "not_sent",
    "not sent, but done": "not_sent",
    "unknown, done, listed": "unknown",
    "unknown, done, not listed": "unknown",
    "unknown, never done": "unknown",
    "left, done, listed": "left",
    "left, done, not listed": "left",
}
DONE = Counter({one: 1 for one in KNOWN if "done" in one and "never" not in one} | {"acknowledged": 1})
LISTED = {"unknown, done, listed", "left, done, listed"}


def test_the_checker_sees_each_broken_promise() -> None:
    broken = verdict(KNOWN, DONE + Counter(["acknowledged"]), LISTED)
    assert list(broken.values()) == [
        ["acknowledged"],
        ["acknowledged, never done"],
        ["not sent, but done"],
        ["unknown, done, not listed", "left, done, not listed"],
    ]


def test_the_checker_is_content_where_every_promise_is_held() -> None:
    held = {one: said for one, said in KNOWN.items() if one != "acknowledged, never done"}
    held["not sent, but done"] = "ok"
    everything = set(held)
    assert not any(verdict(held, DONE, everything).values())
