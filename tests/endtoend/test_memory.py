"""What one request may cost in memory: at most ten times its limit, and far less where bodies are streamed.

Measured as the highest resident size of a `crossfade serve` process while it works, over the size that it has when warm.
"""

from __future__ import annotations

import gzip
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.emulator.caller import CREDENTIALS
from tests.endtoend.flowing import MIB, Platform
from tests.endtoend.process import Served, served
from tests.raw import fetch, request
from tests.servers import RawUpstream

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
KEYS = {"server.max_head": "1MiB"}


def peak(running: Served) -> int:
    """The highest resident size so far, in bytes."""
    status = Path(f"/proc/{running.process.pid}/status").read_text("ascii")
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024


@contextmanager
def warm(folder: Path, answer: Callable[[bytes], bytes], stage: str) -> Iterator[Served]:
    """A proxy that has carried something already; its peak counts from here."""
    with (
        RawUpstream(answer) as upstream,
        served(folder, upstream.url, {"route": [{"stage": stage}]}, KEYS) as running,
    ):
        for method, body in (("GET", b""), ("POST", b'{"a":1}')):
            running.ask(method, "/v2/orders/r", body)
        Path(f"/proc/{running.process.pid}/clear_refs").write_text("5", "ascii")
        yield running


def filled(size: int, start: bytes, unit: bytes, end: bytes) -> bytes:
    return start + unit * ((size - len(start) - len(end)) // len(unit)) + end


BODIES = {
    "tiny numbers": filled(MIB, b'{"a":[', b"1,", b"1]}"),
    "empty arrays": filled(MIB, b'{"a":[', b"[],", b"[]]}"),
    "members": b'{"a":{' + b",".join(b'"%x":1' % n for n in range(100_000)) + b"}}",
    "depth": b"[" * (MIB // 2) + b"]" * (MIB // 2),
    "escapes": filled(MIB, b'{"a":"', b"\\u0041", b'"}'),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_body_that_is_parsed_costs_at_most_ten_times_its_limit(body: bytes, tmp_path: Path) -> None:
    with warm(tmp_path, lambda _raw: OK, "v2.1") as running:
        before = peak(running)
        for _ in range(3):
            assert running.ask("POST", "/v2/orders/r", body).status in {200, 400, 413}
        assert peak(running) - before < 10 * MIB


ANSWERS = {
    "gzip bomb": gzip.compress(b" " * (256 * MIB), 9, mtime=0),
    "gzip bomb of numbers": gzip.compress(filled(64 * MIB, b'{"items":[', b"1,", b"1]}"), 9, mtime=0),
    "gzip at the limit": gzip.compress(filled(8 * MIB, b'{"items":[', b"1,", b"1]}"), 9, mtime=0),
}


@pytest.mark.parametrize("body", ANSWERS.values(), ids=ANSWERS.keys())
def test_a_bomb_of_an_answer_costs_at_most_five_times_the_limit_of_answers(
    body: bytes, tmp_path: Path
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    with warm(tmp_path, lambda raw: OK if b"/r" in raw[:40] else head + body, "v2.1") as running:
        before = peak(running)
        for _ in range(2):
            assert running.ask("GET", "/v2/orders/x").status in {200, 502}
        assert peak(running) - before < 5 * 8 * MIB


def test_a_flood_of_fields_costs_at_most_ten_times_its_limit(tmp_path: Path) -> None:
    lines = b"".join(b"X-%d: %s\r\n" % (n, b"a" * 5200) for n in range(195))
    raw = request("GET", "/v2/orders/r", b"", [CREDENTIALS]).replace(b"\r\n\r\n", b"\r\n" + lines + b"\r\n")
    with warm(tmp_path, lambda _raw: OK, "v2") as running:
        before = peak(running)
        for _ in range(3):
            fetch(running.port, raw, timeout=20)
        assert peak(running) - before < 10 * MIB


def test_large_bodies_that_are_passed_on_cost_next_to_nothing(tmp_path: Path) -> None:
    body = b"x" * (48 * MIB)

    def script(platform: Platform, line: socket.socket) -> None:
        while line.recv(1 << 18)[-1:] != b"y":
            platform.taken += 1
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
        platform.send(line, body)

    with (
        Platform(script) as platform,
        served(tmp_path, platform.url, {"route": [{"stage": "v2"}]}) as running,
    ):
        before = peak(running)
        with socket.create_connection(("127.0.0.1", running.port), 30) as caller:
            head = (
                b"POST /v2/orders HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
            )
            caller.sendall(head % len(body) + body[:-1] + b"y")
            taken = 0
            while piece := caller.recv(1 << 18):
                taken += len(piece)
        assert taken > len(body)
        assert platform.taken > 0
        assert peak(running) - before < 6 * MIB
