from __future__ import annotations

import pytest

from proxy.types import Answer, Headers
from proxy.wire.framing import check_framing, chunk
from proxy.wire.phrases import status_line

HOST = (b"Host", b"test")


@pytest.mark.parametrize(
    ("version", "headers"),
    [
        ("1.1", [HOST]),
        ("1.1", [HOST, (b"Transfer-Encoding", b"Chunked")]),
        ("1.0", []),
    ],
)
def test_framing_that_is_clear_passes(version: str, headers: Headers) -> None:
    check_framing(version, headers)


@pytest.mark.parametrize(
    ("version", "headers"),
    [
        ("1.1", []),
        ("1.1", [HOST, (b"Transfer-Encoding", b"gzip, chunked")]),
        ("1.0", [(b"Transfer-Encoding", b"chunked")]),
        ("2.0", [HOST]),
    ],
)
def test_framing_that_is_not_is_refused(version: str, headers: Headers) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        check_framing(version, headers)


def test_chunks() -> None:
    assert chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"
    assert chunk(b"") == b"0\r\n\r\n"


def test_status_lines() -> None:
    assert status_line(Answer(431, [])) == b"HTTP/1.1 431 Request Header Fields Too Large"
    assert status_line(Answer(200, [], b"", b"Fine")) == b"HTTP/1.1 200 Fine"
    assert status_line(Answer(599, [])) == b"HTTP/1.1 599 "
