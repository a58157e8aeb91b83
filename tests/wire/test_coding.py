"""A coded body is read within its limit or not at all."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import CrossfadeError
from proxy.types import Headers
from proxy.wire.coding import Undecodable, decode_body

GZIP: Headers = [(b"Content-Encoding", b"gzip")]


@given(st.binary(max_size=200))
def test_gzip_and_identity_give_the_body_back(body: bytes) -> None:
    assert decode_body(GZIP, gzip.compress(body), 200) == body
    assert decode_body([], body, 200) == body


@pytest.mark.parametrize("value", [b"gzip", b"GZIP", b"x-gzip", b" gzip ", b"identity, gzip", b"gzip,"])
def test_gzip_is_known_by_its_names(value: bytes) -> None:
    assert decode_body([(b"content-encoding", value)], gzip.compress(b"{}"), 10) == b"{}"


@pytest.mark.parametrize("value", [b"identity", b"", b"Identity, identity"])
def test_identity_changes_nothing(value: bytes) -> None:
    assert decode_body([(b"content-encoding", value)], b"{}", 2) == b"{}"


@pytest.mark.parametrize("value", [b"br", b"deflate", b"zstd", b"gzip, gzip", b"gzip, br", b"aes128gcm"])
def test_any_other_coding_cannot_be_read(value: bytes) -> None:
    with pytest.raises(Undecodable, match="other than identity or gzip"):
        decode_body([(b"content-encoding", value)], gzip.compress(b"{}"), 100)


def test_codings_of_two_lines_count_together() -> None:
    with pytest.raises(Undecodable, match="other than"):
        decode_body([*GZIP, *GZIP], gzip.compress(gzip.compress(b"{}")), 100)


def test_an_empty_body_is_empty_under_any_coding() -> None:
    assert decode_body([(b"content-encoding", b"br")], b"", 0) == b""


def test_several_gzip_members_are_one_body() -> None:
    assert decode_body(GZIP, gzip.compress(b"ab") + gzip.compress(b"") + gzip.compress(b"cd"), 4) == b"abcd"


@pytest.mark.parametrize(
    "body",
    [b"{}", b"\x1f\x8b", zlib.compress(b"{}"), gzip.compress(b"{}") + b"junk", gzip.compress(b"{}")[:-1]],
    ids=["not coded", "only the magic", "zlib", "junk behind", "last byte missing"],
)
def test_broken_gzip_cannot_be_read(body: bytes) -> None:
    with pytest.raises(Undecodable, match="gzip"):
        decode_body(GZIP, body, 100)


def test_a_wrong_checksum_is_noticed() -> None:
    whole = bytearray(gzip.compress(b"{}"))
    whole[-6] ^= 1
    with pytest.raises(Undecodable, match="is not"):
        decode_body(GZIP, bytes(whole), 100)


@pytest.mark.parametrize("headers", [GZIP, []], ids=["gzip", "identity"])
def test_the_limit_holds_to_the_byte(headers: Headers) -> None:
    body = b"x" * 11
    sent = gzip.compress(body) if headers else body
    assert decode_body(headers, sent, 11) == body
    with pytest.raises(Undecodable, match="larger than 10 bytes"):
        decode_body(headers, sent, 10)


def test_the_limit_holds_over_all_members_together() -> None:
    with pytest.raises(Undecodable, match="larger than 7 bytes"):
        decode_body(GZIP, gzip.compress(b"abcd") * 2, 7)


def test_a_body_of_countless_gzip_members_is_given_up() -> None:
    with pytest.raises(Undecodable, match="more than 64 members"):
        decode_body(GZIP, gzip.compress(b"") * 20_000, 100)


def test_a_gzip_bomb_costs_no_more_memory_than_the_limit() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(Undecodable):
            decode_body(GZIP, bomb, 100_000)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_the_error_is_one_of_ours_and_quotes_nothing() -> None:
    with pytest.raises(CrossfadeError) as caught:
        decode_body([(b"content-encoding", b"s3cret")], b"body", 100)
    assert "s3cret" not in str(caught.value)
