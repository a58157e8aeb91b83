"""The caller never pays: whatever the other version does, its bytes are the same, and memory is bounded."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from proxy.evidence.breaker import PAUSE
from tests.emulator.caller import CREDENTIALS, FIRST_REF, fresh_platform, order
from tests.endtoend.running import Carried, carried
from tests.servers import RawUpstream, Reply, fetch, request

READ = f"/v2/orders/{FIRST_REF}"
_MADE = re.compile(rb"(?i)^(date|x-correlation-id|x-request-id):.*\r\n", re.MULTILINE)

FAULTS: dict[str, Callable[[bytes], bytes | Reply | None]] = {
    "hung": lambda _request: Reply(b"", "stall"),
    "slow": lambda _request: Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", delay=0.3),
    "resetting": lambda _request: Reply(b"HTTP/1.1 200 OK\r\n", "reset"),
    "flooding": lambda _request: Reply(
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + b"x" * 2_000_000
    ),
    "refused": lambda _request: b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}",
    "busy": lambda _request: b"HTTP/1.1 429 Too Many\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\n{}",
    "no HTTP": lambda _request: b"SSH-2.0-x\r\n\r\n",
}


def said(proxy: Carried, turns: int) -> list[bytes]:
    """What a caller gets, byte for byte, but for what names the single answer."""

    def one(_turn: int) -> bytes:
        return _MADE.sub(b"", fetch(proxy.url, request("GET", READ, b"", [CREDENTIALS])))

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, range(turns)))


@pytest.fixture(scope="module")
def alone() -> bytes:
    """The answer where nothing is compared."""
    with carried(["v2"], platform=fresh_platform()) as proxy:
        proxy.json("POST", "/v2/orders", order())
        return said(proxy, 1)[0]


@pytest.mark.parametrize("fault", ["healthy", "nobody there", *FAULTS])
def test_the_callers_bytes_are_the_same_whatever_the_other_version_does(fault: str, alone: bytes) -> None:
    keys: dict[str, Any] = {
        "shadow.sample": 1.0,
        "shadow.max_calls_per_second": 10_000,
        "shadow.timeout": "500ms",
        "shadow.queue_items": 50,
        "shadow.queue_bytes": "64KiB",
    }
    with RawUpstream(FAULTS.get(fault, lambda _request: None)) as other:
        if fault == "nobody there":
            keys["upstream.v2_1.base_url"] = "http://127.0.0.1:1"
        elif fault != "healthy":
            keys["upstream.v2_1.base_url"] = other.url
        with carried(["shadow"], keys=keys, platform=fresh_platform()) as proxy:
            proxy.json("POST", "/v2/orders", order())
            begun = time.monotonic()
            heard = said(proxy, 200)
            assert time.monotonic() - begun < 10
            assert set(heard) == {alone}
            held = proxy.snapshot.evidence.held
            assert held <= 64 << 10
            balanced(proxy)


def balanced(proxy: Carried) -> None:
    """The account adds up, scrape after scrape, until nothing is in flight."""
    until = time.monotonic() + 20
    in_flight = 1.0
    while in_flight and time.monotonic() < until:
        text = proxy.metrics()
        received, in_flight = (
            float(re.findall(rf"^crossfade_comparisons_{name} (\S+)", text, re.MULTILINE)[0])
            for name in ("received_total", "in_flight")
        )
        ended = re.findall(r"^crossfade_comparisons_total\{.*\} (\S+)", text, re.MULTILINE)
        assert received == sum(map(float, ended)) + in_flight
        time.sleep(0.02)
    assert in_flight == 0


def test_a_version_that_fails_again_and_again_is_left_alone_and_comes_back() -> None:
    down = True

    def answer(_request: bytes) -> bytes | None:
        return None if down else b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}"

    keys: dict[str, Any] = {"shadow.sample": 1.0, "shadow.max_calls_per_second": 10_000}
    with RawUpstream(answer) as other:
        keys["upstream.v2_1.base_url"] = other.url
        with carried(["shadow"], keys=keys) as proxy:
            for _ in range(30):
                proxy.ask("GET", READ)
            balanced(proxy)
            assert other.connections <= 2 * (5 + 4), "five failures, and those that were at work already"
            assert 'crossfade_comparison_breaker_open{version="v2.1"} 1.0' in proxy.metrics()
            assert [one["state"] for one in proxy.log_lines("degraded")] == ["degraded"]
            down = False
            time.sleep(PAUSE)
            proxy.ask("GET", READ)
            states = [(one["part"], one["state"]) for one in proxy.log_lines("degraded", least=2)]
            assert states == [("breaker", "degraded"), ("breaker", "recovered")]
            assert 'crossfade_comparison_breaker_open{version="v2.1"} 0.0' in proxy.metrics()


def test_a_mistake_while_evidence_is_offered_reaches_neither_the_connection_nor_the_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with carried(["shadow"], mistakes=True) as proxy:
        monkeypatch.setattr("proxy.offered.kinds", None)
        with socket.create_connection(("127.0.0.1", int(proxy.url.rsplit(":", 1)[1])), 5) as caller:
            for _ in range(2):
                raw = request("GET", "/v2/orders/x", b"", [CREDENTIALS])
                caller.sendall(raw.replace(b"Connection: close\r\n", b""))
                assert caller.recv(1 << 16).startswith(b"HTTP/1.1 404")
        until = time.monotonic() + 5
        while len(proxy.log_lines("request")) < 2 and time.monotonic() < until:
            time.sleep(0.01)  # offering and counting come after the answer
        assert len(proxy.log_lines("request")) == 2
        assert [one["exception"] for one in proxy.log_lines("internal_error")] == ["TypeError"] * 2
        assert proxy.log_lines("runtime") == []
