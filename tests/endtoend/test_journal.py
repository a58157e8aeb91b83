"""Writes whose end nobody knows, from outside: killed proxies, platforms that break, callers that leave."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proxy.emulator import Misbehaviour
from proxy.snapshot import Snapshot
from proxy.types import Answer, Call
from proxy.upstream.engine import Engine
from proxy.upstream.journals import survey
from tests.emulator.caller import CREDENTIALS, FIRST_REF, JSON, order
from tests.endtoend.process import Served, served
from tests.endtoend.running import Carried, carried
from tests.raw import parse, read_message, request
from tests.servers import RawUpstream, Reply

WRITE = request("POST", "/v2/orders", json.dumps(order()), [CREDENTIALS, JSON])
LARGE = 8 << 20
DONE = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


def eventually(true: Callable[[], object], within: float = 5.0) -> None:
    until = time.monotonic() + within
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


@contextmanager
def calling(port: int, raw: bytes, *, window: int = 0) -> Iterator[socket.socket]:
    """A caller that has sent its request and does nothing more."""
    with socket.socket() as connection:
        if window:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        connection.settimeout(5)
        connection.connect(("127.0.0.1", port))
        connection.sendall(raw)
        yield connection


def listed(folder: Path) -> list[tuple[str, str, str]]:
    """What `indoubt list` shows; it has tests of its own."""
    return [(one.endpoint, one.version, one.state) for one in survey(folder / "crossfade.journal").in_doubt]


def answered(raw: bytes) -> bytes | Reply:
    """A platform that answers what no mapping covers, and is silent or immense where it is written to."""
    first = raw.split(b"\r\n", 1)[0]
    if b"/v2/guests" in first:
        return DONE
    if b"/v2.1/" in first:
        return Reply(then="stall")
    head = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % LARGE
    return Reply(head + b"x" * LARGE)


@contextmanager
def silent() -> Iterator[int]:
    """Something that takes connections and says nothing: no TLS handshake ever ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


PHASES = {
    "before the connection stands": ("v2.1", True, 0),
    "after the request has left": ("v2.1", False, 1),
    "while the caller does not read its answer": ("v2", False, 1),
}


@pytest.mark.parametrize("phase", PHASES)
def test_a_proxy_that_is_killed_leaves_exactly_the_write_that_was_not_acknowledged(
    tmp_path: Path, phase: str
) -> None:
    stage, deaf, reached = PHASES[phase]
    routes = {"route": [{"stage": stage}]}
    with RawUpstream(answered) as platform, silent() as port:
        keys: dict[str, Any] = {"upstream.v2_1.base_url": f"https://127.0.0.1:{port}"} if deaf else {}
        with served(tmp_path, platform.url, routes, {**keys, "unmapped": "v2"}) as running:
            assert running.ask("POST", "/v2/guests", "{}").status == 201
            with calling(running.port, WRITE, window=4096):
                eventually(lambda: survey(tmp_path / "crossfade.journal").in_flight == 1)
                time.sleep(0.3)
                assert (len(platform.requests), listed(tmp_path)) == (1 + reached, [])
                running.end(signal.SIGKILL)
        expected = [("orders.create", stage, "unknown")]
        assert listed(tmp_path) == expected
        with served(tmp_path, platform.url, routes, {"unmapped": "v2"}) as again:
            assert gauge(again) == 1
            assert [one["outcome"] for one in again.events() if one["event"] == "in_doubt"] == ["unknown"]
            assert again.end(signal.SIGTERM) == 0
        assert listed(tmp_path) == expected
        assert len(platform.requests) == 1 + reached


def gauge(running: Served) -> float:
    text = running.operator("/metrics").body.decode()
    return float(text.split("\ncrossfade_indoubt_writes ")[1].split("\n")[0])


def test_a_write_that_is_in_flight_ends_before_the_proxy_does(tmp_path: Path) -> None:
    with RawUpstream(lambda _raw: Reply(DONE, delay=0.8)) as platform:
        with served(tmp_path, platform.url, {"route": [{"stage": "v2.1"}]}) as running:
            with calling(running.port, WRITE) as caller:
                eventually(lambda: platform.requests)
                running.process.send_signal(signal.SIGTERM)
                assert parse(read_message(caller)[0]).status == 201
            assert running.end() == 0
        assert listed(tmp_path) == []
        assert list(tmp_path.glob("crossfade.journal.[0-9a-f]*")) == []


def test_a_caller_that_does_not_read_does_not_hold_up_the_end(tmp_path: Path) -> None:
    times = {
        f"upstream.{one}.{key}": "1s" for one in ("v2", "v2_1") for key in ("read_timeout", "connect_timeout")
    }
    times |= {f"upstream.{one}.total_timeout": "1s" for one in ("v2", "v2_1")}
    with RawUpstream(answered) as platform, served(tmp_path, platform.url, {}, times) as running:
        with calling(running.port, WRITE, window=4096):
            eventually(lambda: survey(tmp_path / "crossfade.journal").in_flight == 1)
            time.sleep(0.3)
            begun = time.monotonic()
            assert running.end(signal.SIGTERM) == 0
            assert time.monotonic() - begun < 6
        assert listed(tmp_path) == [("orders.create", "v2", "answered")]


def marks(proxy: Carried) -> tuple[list[tuple[str, str, str]], float]:
    text = proxy.metrics()
    return listed(proxy.log_file.parent), float(text.split("\ncrossfade_indoubt_writes ")[1].split("\n")[0])


@pytest.mark.parametrize("stage", ["v2", "v2.1"])
@pytest.mark.parametrize("fsync", [False, True])
def test_a_write_that_was_answered_and_handed_over_leaves_nothing(stage: str, fsync: bool) -> None:
    with carried([stage], keys={"journal.fsync": fsync}) as proxy:
        made = proxy.json("POST", "/v2/orders", order())
        proxy.json("POST", f"/v2/orders/{made['ref']}", order(price=3))
        assert proxy.ask("POST", "/v2/orders", "{").status == 400
        assert proxy.ask("GET", "/v2/orders/" + made["ref"]).status == 200
        assert proxy.ask("DELETE", "/v2/nothing").status == 404
        eventually(lambda: survey(proxy.log_file.parent / "crossfade.journal") == ([], 0))
        assert marks(proxy) == ([], 0)


@pytest.mark.parametrize("stage", ["v2", "shadow", "v2.1"])
def test_an_unknown_end_stays_in_doubt_whatever_the_caller_was_told(stage: str) -> None:
    with (
        RawUpstream(lambda _raw: Reply(then="close")) as platform,
        carried([stage], upstream=platform.url) as proxy,
    ):
        assert proxy.ask("POST", "/v2/orders", json.dumps(order())).header("x-crossfade-outcome") == "unknown"
        assert proxy.ask("PATCH", "/v2/guests/1", "{}").header("x-crossfade-outcome") == "unknown"
        assert proxy.ask("GET", f"/v2/orders/{FIRST_REF}").header("x-crossfade-outcome") == "unknown"
        version = "v2.1" if stage == "v2.1" else "v2"
        assert marks(proxy) == ([("orders.create", version, "unknown"), ("unmapped", "v2", "unknown")], 2)
        told = proxy.log_lines("in_doubt", least=2)
        assert [(one["endpoint"], one["step"], one["code"]) for one in told] == [
            ("orders.create", 1, "CF-BROKEN"),
            ("unmapped", 1, "CF-BROKEN"),
        ]
        assert [bool(one["record"]) for one in told] == [True, False]


def test_what_was_never_sent_is_not_in_doubt() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with carried(["v2.1"], upstream=f"http://127.0.0.1:{port}") as proxy:
        assert (
            proxy.ask("POST", "/v2/orders", json.dumps(order())).header("x-crossfade-outcome") == "not_sent"
        )
        assert marks(proxy) == ([], 0)


@pytest.mark.parametrize("stage", ["v2", "v2.1"])
def test_a_write_runs_on_when_its_caller_leaves_and_is_then_in_doubt(stage: str) -> None:
    with carried([stage]) as proxy:
        for version in proxy.emulator.mischief.table:
            proxy.emulator.mischief.set(version, Misbehaviour(slow=1.0, slow_seconds=0.3))
        with calling(int(proxy.url.rpartition(":")[2]), WRITE):
            time.sleep(0.1)
        assert proxy.log_lines("in_doubt", least=1)[0]["outcome"] == "answered"
        assert marks(proxy) == ([("orders.create", stage, "answered")], 1)
        assert len(proxy.emulator.recorded) == 1


@pytest.mark.parametrize("stage", ["v2", "v2.1"])
def test_a_read_ends_with_its_caller_and_frees_its_place(stage: str) -> None:
    quick, answers = threading.Event(), b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}"

    def act(_raw: bytes) -> bytes | Reply:
        return answers if quick.is_set() else Reply(then="stall")

    keys = {f"upstream.{one}.pool_size": 1 for one in ("v2", "v2_1")}
    with RawUpstream(act) as platform, carried([stage], keys=keys, upstream=platform.url) as proxy:
        raw = request("GET", f"/v2/orders/{FIRST_REF}", b"", [CREDENTIALS])
        with calling(int(proxy.url.rpartition(":")[2]), raw):
            eventually(lambda: platform.requests)
        assert proxy.log_lines("request", least=1)[0]["status"] == 499
        quick.set()
        assert proxy.ask("GET", f"/v2/orders/{FIRST_REF}").status == 404
        assert proxy.gateway.in_flight == 0


def test_a_journal_that_cannot_be_written_costs_no_traffic(tmp_path: Path) -> None:
    with carried(["v2.1"], keys={"journal.path": "nowhere/journal"}) as proxy:
        assert proxy.ask("POST", "/v2/orders", json.dumps(order())).status == 201
        ready = proxy.ask("GET", "/-/readyz")
        assert (ready.status, json.loads(ready.body)) == (200, {"status": "ready", "degraded": ["journal"]})
        assert json.loads(proxy.ask("GET", "/-/livez").body) == {"status": "ok"}
        [told] = proxy.log_lines("degraded", least=1)
        assert (told["part"], told["state"], told["reason"]) == (
            "journal",
            "degraded",
            "No such file or directory",
        )


@pytest.mark.parametrize("stage", ["v2", "v2.1"])
def test_or_costs_writes_where_the_operator_wants_that(stage: str) -> None:
    keys = {"journal.path": "nowhere/journal", "journal.on_failure": "refuse"}
    with carried([stage], keys=keys) as proxy:
        heard = proxy.ask("POST", "/v2/orders", json.dumps(order()))
        assert (heard.status, heard.header("x-crossfade-code"), heard.header("x-crossfade-outcome")) == (
            503,
            "CF-JOURNAL",
            "not_sent",
        )
        assert not proxy.emulator.recorded
        assert proxy.ask("GET", f"/v2/orders/{FIRST_REF}").status == 404
        (proxy.log_file.parent / "nowhere").mkdir()
        time.sleep(0.6)
        assert proxy.ask("POST", "/v2/orders", json.dumps(order())).status == 201
        assert [one["state"] for one in proxy.log_lines("degraded", least=2)] == ["degraded", "recovered"]
        assert json.loads(proxy.ask("GET", "/-/readyz").body) == {"status": "ready"}


class Leaves:
    """An engine behind whose answers the caller resets its connection, before or after they are put down for sending."""

    def __init__(self, engine: Engine, leave: Callable[[], None], *, soon: bool) -> None:
        self._engine, self._leave, self._soon = engine, leave, soon

    async def send(self, call: Call, *, room: int | None = None) -> Answer:
        answer = await self._engine.send(call, room=room)
        if self._soon:
            asyncio.get_running_loop().call_soon(self._leave)
        else:
            self._leave()
        return answer

    async def close(self) -> None:
        await self._engine.close()


@pytest.mark.parametrize("soon", [False, True])
def test_an_answer_that_can_no_longer_leave_was_not_handed_over(soon: bool) -> None:
    lines: list[socket.socket] = []

    def leave() -> None:
        for line in lines:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line.close()
        lines.clear()
        time.sleep(0.05)  # it arrives before the answer leaves

    def change(snapshot: Snapshot) -> Snapshot:
        return replace(snapshot, v2_1=Leaves(snapshot.v2_1, leave, soon=soon))

    with (
        RawUpstream(lambda _raw: DONE) as platform,
        carried(["v2.1"], upstream=platform.url, change=change) as proxy,
    ):
        port = int(proxy.url.rpartition(":")[2])
        with calling(port, WRITE.replace(b"Connection: close\r\n", b"")) as caller:
            lines.append(caller)
            eventually(lambda: proxy.snapshot.journal.in_doubt() == 1)
        (entry,) = proxy.snapshot.journal._standing.values()
        assert entry.state == "answered"
        assert len(platform.requests) == 1
