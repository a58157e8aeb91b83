"""Shares of traffic: steady, monotone, of the right size."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.cutover.bucket import in_share, salts

KEY = b"k" * 32
SHARES = st.floats(0, 100)
PINNED = [2, 10, 14, 16, 18, 20, 22, 40, 43, 44, 45, 47]


@given(st.binary(max_size=40), SHARES, SHARES)
def test_raising_a_share_moves_nobody_back(key: bytes, one: float, other: float) -> None:
    salt, _ = salts(KEY)
    low, high = sorted((one, other))
    assert in_share(salt, key, high) or not in_share(salt, key, low)


@given(st.binary(max_size=40))
def test_nothing_is_nobody_and_everything_is_everybody(key: bytes) -> None:
    salt, _ = salts(KEY)
    assert not in_share(salt, key, 0)
    assert in_share(salt, key, 100)


@pytest.mark.parametrize("percent", [0.01, 1, 10, 33.3, 50, 99])
def test_a_share_has_its_size_within_three_sigma(percent: float) -> None:
    salt, _ = salts(KEY)
    n = 40_000
    found = sum(in_share(salt, b"order-%d" % number, percent) for number in range(n))
    p = percent / 100
    assert abs(found - n * p) <= 3 * math.sqrt(n * p * (1 - p))


def test_buckets_and_samples_are_independent() -> None:
    buckets, samples = salts(KEY)
    n = 40_000
    both = sum(
        in_share(buckets, key, 50) and in_share(samples, key, 50) for key in map(b"%d".__mod__, range(n))
    )
    assert abs(both - n / 4) <= 3 * math.sqrt(n * 3 / 16)


def test_the_place_of_a_key_never_changes_between_releases() -> None:
    salt, _ = salts(KEY)
    assert [number for number in range(60) if in_share(salt, b"order-%d" % number, 10)] == PINNED
    assert salts(b"long" * 40)[0] != salts(b"long" * 41)[0]
