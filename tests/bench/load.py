"""Load: a closed loop by wrk, or a fixed rate by this process. Bounded in time; what is not answered well is counted."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.contestants import LOAD_CORE

_SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Basic Y2xpZW50OnNlY3JldA=="
wrk.body = [[{body}]]
function done(summary, latency)
  io.write(string.format('MEASURED {{"answered":%d,"seconds":%f,"p50":%f,"p99":%f,"bad":%d}}\\n', summary.requests,
    summary.duration / 1e6, latency:percentile(50), latency:percentile(99), summary.errors.status + summary.errors.connect
    + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
"""


@dataclass(frozen=True)
class Measured:
    """What one spell of load came to; latencies in microseconds."""

    answered: int
    seconds: float
    p50: float
    p99: float
    bad: int

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answered / self.seconds


def script(folder: Path, body: bytes) -> Path:
    """The file that tells wrk what to send."""
    file = folder / "load.lua"
    file.write_text(_SCRIPT.format(body=body.decode()))
    return file


def closed_loop(port: int, what: Path, connections: int, seconds: int) -> Measured:
    """As fast as answers come, over keep-alive connections."""
    words = [
        "taskset",
        "-c",
        str(LOAD_CORE),
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--timeout",
        "5s",
        "-s",
        str(what),
    ]
    done = subprocess.run(
        [*words, f"http://127.0.0.1:{port}/v2/orders"],
        capture_output=True,
        text=True,
        timeout=seconds + 30,
        check=True,
    )
    found = re.search(r"MEASURED (\{.*\})", done.stdout)
    assert found is not None, done.stdout
    return Measured(**json.loads(found.group(1)))


def fixed_rate(port: int, request: bytes, *, rate: float, seconds: float) -> Measured:
    """One request at a time at a steady pace; the time that a late one waited counts (no coordinated omission)."""
    times: list[float] = []
    bad = 0
    with socket.create_connection(("127.0.0.1", port), 10) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        start = time.perf_counter()
        for number in range(int(rate * seconds)):
            due = start + number / rate
            while (now := time.perf_counter()) < due:
                time.sleep(max(due - now - 0.0002, 0))
            line.sendall(request)
            bad += not _answer(line).startswith((b"HTTP/1.1 200", b"HTTP/1.1 201"))
            times.append(time.perf_counter() - due)
    times.sort()
    spent = time.perf_counter() - start
    return Measured(len(times), spent, times[len(times) // 2] * 1e6, times[int(len(times) * 0.99)] * 1e6, bad)


def _answer(line: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(line)
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    assert length is not None, head
    while len(body) < int(length.group(1)):
        body += _more(line)
    return head


def _more(line: socket.socket) -> bytes:
    data = line.recv(65536)
    assert data, "the connection was closed"
    return data
