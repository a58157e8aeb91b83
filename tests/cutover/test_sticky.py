"""Canary: a sticky key keeps its version, whoever calls and however; raising the share moves no key back."""

from __future__ import annotations

import hashlib
import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import encode

from proxy.cutover.bucket import in_share, salts
from proxy.cutover.decide import Caller, Decider
from proxy.cutover.splitter import Splitter, off
from proxy.cutover.stage import Stage
from proxy.evidence.observation import wants
from proxy.types import Version
from tests.cutover.test_decide import KNOWN, STRANGER, everything, looked


def settled(by: Decider, key: str, caller: Caller = KNOWN) -> Version:
    ahead = looked(by, "GET", f"/v2/orders/{key}".encode(), caller=caller)
    return by.settle(ahead, b"", caller)


KEYS = [f"order-{number}" for number in range(400)]


def test_a_record_stays_on_its_version_however_it_is_called() -> None:
    by = everything("canary", percent=50)
    seen = set()
    for key in KEYS[:60]:
        version = settled(by, key)
        seen.add(version)
        found = looked(by, "GET", b"/v2/orders", b"referenceId=" + key.encode())
        created = looked(by, "POST", b"/v2/orders")
        updated = looked(by, "POST", f"/v2/orders/{key}".encode())
        assert found.version is created.version is updated.version is None
        assert by.settle(found, b"", KNOWN) is version
        assert by.settle(created, b'{"referenceId":"%s"}' % key.encode(), STRANGER) is version
        assert by.settle(updated, b'{"referenceId":"another"}', KNOWN) is version
    assert seen == {Version.V2, Version.V2_1}


def test_a_share_is_about_as_large_as_it_says() -> None:
    by = everything("canary", percent=25)
    share = sum(settled(by, key) is Version.V2_1 for key in KEYS) / len(KEYS)
    assert 0.15 < share < 0.35


@given(st.text(min_size=1, max_size=8), st.floats(1, 100), st.floats(1, 100))
def test_raising_the_share_moves_no_key_back(key: str, one: float, other: float) -> None:
    low, high = (everything("canary", percent=share) for share in sorted((one, other)))
    body = encode({"referenceId": key})
    before, after = (by.settle(looked(by, "POST", b"/v2/orders"), body, KNOWN) for by in (low, high))
    assert before is Version.V2 or after is Version.V2_1


def test_a_call_without_a_record_follows_its_caller() -> None:
    by = everything("canary", percent=50)
    callers = [Caller(f"{number:08x}", []) for number in range(64)]
    ahead = [looked(by, "GET", b"/v2/orders", b"guestRef=g", caller) for caller in callers]
    versions = [by.settle(one, b"", caller) for one, caller in zip(ahead, callers, strict=True)]
    assert set(versions) == {Version.V2, Version.V2_1}
    sticky = everything("canary", percent=50, sticky="caller")
    assert versions == [settled(sticky, "any", caller) for caller in callers]
    assert versions == [settled(sticky, "other", caller) for caller in callers]


def test_a_header_can_decide_and_without_it_the_caller_does() -> None:
    by = everything("canary", percent=50, sticky="header:X-Trip")
    trips = [Caller(KNOWN.id, [(b"x-TRIP", str(number).encode())]) for number in range(64)]
    versions = [settled(by, "one", trip) for trip in trips]
    assert set(versions) == {Version.V2, Version.V2_1}
    assert versions == [settled(by, "two", Caller(STRANGER.id, trip.headers)) for trip in trips]
    plain = everything("canary", percent=50, sticky="caller")
    assert settled(by, "one", KNOWN) is settled(plain, "one", KNOWN)


def test_everything_needs_no_key() -> None:
    ahead = looked(everything("canary", percent=100), "GET", b"/v2/orders/one")
    assert (ahead.version, ahead.stage) == (Version.V2_1, Stage.CANARY)


MANY = [f"order-{number}".encode() for number in range(50_000)]


def within(count: int, of: int, share: float) -> bool:
    """Whether a count lies within three standard deviations of its expectation."""
    return abs(count - of * share) <= 3 * math.sqrt(of * share * (1 - share))


@pytest.mark.parametrize("percent", [1, 10, 25, 50, 90])
def test_over_fifty_thousand_keys_the_share_is_what_it_says_and_no_sample_leans(percent: float) -> None:
    bucket, sample = salts(b"k" * 32)
    there = {key for key in MANY if in_share(bucket, key, percent)}
    sampled = {key for key in MANY if wants(sample, key.decode(), 0.1)}
    assert within(len(there), len(MANY), percent / 100)
    assert within(len(sampled), len(MANY), 0.1)
    assert within(len(there & sampled), len(sampled), percent / 100), "the sample is no part of a bucket"
    more = {key for key in MANY if in_share(bucket, key, percent + 5)}
    assert there <= more, "raising the share moves no key back"


def test_a_restart_and_a_replica_with_the_same_key_agree_on_every_key() -> None:
    program = (
        "import hashlib, sys; from proxy.cutover.bucket import in_share, salts\n"
        "salt = salts(b'k' * 32)[0]\n"
        "found = [in_share(salt, b'order-%d' % n, 30) for n in range(50_000)]\n"
        "print(hashlib.sha256(bytes(found)).hexdigest())"
    )
    said = {
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    salt = salts(b"k" * 32)[0]
    here = hashlib.sha256(bytes(in_share(salt, key, 30) for key in MANY)).hexdigest()
    assert said == {here + "\n"}


def test_the_splitter_sees_each_key_once_and_says_when_the_share_is_off() -> None:
    seen = Splitter()
    for number in range(1_000):
        for _ in range(3):
            seen.saw("r", b"%d" % number, Version.V2_1 if number % 4 == 0 else Version.V2)
    assert seen.share("r") == (1_000, 25.0)
    assert not off(1_000, 25.0, 25)
    assert off(1_000, 25.0, 10)
    assert not off(99, 25.0, 10), "too few to say anything"
    assert not off(1_000, 25.0, 100), "all or nothing is no share"
    seen.keep(frozenset())
    assert seen.share("r") == (0, 0.0)


def test_splitting_is_counted_where_it_happens() -> None:
    by = everything("canary", percent=30)
    for key in KEYS:
        settled(by, key)
    keys, percent = by.splitter.share(by.routes.entries[0].key)
    assert keys == len(KEYS)
    assert not off(keys, percent, 30)
