"""`crossfade serve` as an operator meets it: start, answers, health, metrics, drain, end, and what it says when it cannot."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.emulator import Emulator, Misbehaviour
from tests.emulator.caller import CREDENTIALS, order
from tests.endtoend.configured import configuration
from tests.endtoend.process import command, environment, served
from tests.raw import Heard, parse, read_message, request
from tests.servers import emulator

MOVED = {"route": [{"stage": "v2.1"}]}


@pytest.fixture(scope="module")
def platform() -> Iterator[tuple[str, Emulator]]:
    with emulator() as running:
        yield running


def test_it_starts_answers_and_ends_on_an_interrupt(tmp_path: Path, platform: tuple[str, Emulator]) -> None:
    with served(tmp_path, platform[0], MOVED) as running:
        heard = running.ask("POST", "/v2/orders", json.dumps(order()))
        assert (heard.status, json.loads(heard.body)["referenceId"]) == (201, "B94TXY-1")
        assert running.end(signal.SIGINT) == 0
        names = [one["event"] for one in running.events()]
        assert (names[0], names[-1], set(names)) == ("started", "stopped", {"started", "request", "stopped"})
        assert all(line.startswith("{") for line in running.printed().splitlines()), running.printed()


def test_health_and_metrics_on_the_operators_port(tmp_path: Path, platform: tuple[str, Emulator]) -> None:
    (tmp_path / "token").write_text("open sesame\n")
    with served(tmp_path, platform[0], keys={"admin.token_file": "token"}) as running:
        assert [running.operator(path).status for path in ("/livez", "/readyz", "/nothing")] == [
            200,
            200,
            404,
        ]
        assert running.operator("/metrics").status == 401
        assert running.operator("/metrics", ("Authorization", "Bearer wrong")).status == 401
        scraped = running.operator("/metrics", ("Authorization", "Bearer open sesame"))
        assert (scraped.status, (scraped.header("content-type") or "").split(";")[0]) == (200, "text/plain")
    with served(tmp_path, platform[0]) as running:
        assert running.operator("/metrics").status == 200


def test_told_to_stop_it_turns_unready_goes_on_for_a_while_and_finishes_what_it_has(
    tmp_path: Path, platform: tuple[str, Emulator]
) -> None:
    url, app = platform
    app.mischief.set("v2", Misbehaviour(slow=1.0, slow_seconds=1.5))
    heard: list[Heard] = []
    with served(tmp_path, url, keys={"server.drain_delay": "800ms"}) as running:
        slow = threading.Thread(target=lambda: heard.append(running.ask("GET", "/v2/orders/r")))
        slow.start()
        time.sleep(0.2)
        running.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        assert running.operator("/readyz").status == 503
        assert running.ask("GET", "/-/readyz").status == 503
        with socket.create_connection(("127.0.0.1", running.port), 5) as stays:
            stays.sendall(b"GET /-/livez HTTP/1.1\r\nHost: test\r\n\r\n" * 2)
            first, rest = read_message(stays)
            assert parse(first).header("connection") is None, "the second one has been accepted, too"
            assert parse(read_message(stays, rest)[0]).header("connection") == "close"
        assert running.operator("/livez").status == 200
        assert running.end() == 0
        slow.join(5)
        assert [one.status for one in heard] == [404]
        events = {one["event"]: one for one in running.events()}
        assert events["draining"]["in_flight"] == 1
        assert events["stopped"]["in_flight"] == 0
    app.mischief.set("v2", Misbehaviour())


def test_a_second_signal_does_not_wait_for_the_delay(tmp_path: Path, platform: tuple[str, Emulator]) -> None:
    with served(tmp_path, platform[0], keys={"server.drain_delay": "60s"}) as running:
        running.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert running.end(signal.SIGTERM, within=5) == 0


def test_an_idle_connection_does_not_hold_up_the_end(tmp_path: Path, platform: tuple[str, Emulator]) -> None:
    with (
        served(tmp_path, platform[0]) as running,
        socket.create_connection(("127.0.0.1", running.port)) as idle,
    ):
        idle.sendall(request("GET", "/-/livez", b"", [CREDENTIALS]).replace(b"Connection: close\r\n", b""))
        assert parse(read_message(idle)[0]).status == 200
        assert running.end(signal.SIGTERM, within=5) == 0


def refused(folder: Path, *words: str) -> tuple[int, list[str]]:
    """Exit code and lines of a start that fails."""
    done = subprocess.run(
        command("serve", *words),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=environment(),
    )
    assert done.stdout == ""
    return done.returncode, done.stderr.splitlines()


def test_a_bad_configuration_is_a_line_for_each_finding(tmp_path: Path) -> None:
    keys = {"server.prt": 1, "log.requests": "some", "server.drain_delay": "5 parsecs"}
    configuration(tmp_path, "http://localhost:9", {"route": [{"stage": "v3"}]}, keys)
    code, lines = refused(tmp_path)
    assert code == 2
    places = ["log.requests", "route[0].stage", "server.drain_delay", "server.prt"]
    assert sorted(line.split(": ")[1] for line in lines) == places


@pytest.mark.parametrize(
    ("keys", "tables", "word"),
    [
        ({"compat.order_delet": "forward"}, {}, "order_delete"),
        ({}, {"route": [{"endpoint": "orders.creat", "stage": "v2.1"}]}, "orders.create"),
        ({}, {"route": [{"callers": ["nobody"], "stage": "v2.1"}]}, "[[caller]]"),
        ({"admin.token_file": "none"}, {}, "admin.token_file"),
        ({"mappings": "nowhere"}, {}, "api.toml"),
    ],
)
def test_what_only_shows_while_starting_is_a_line_too(
    tmp_path: Path, keys: dict[str, str], tables: dict[str, list[dict[str, str]]], word: str
) -> None:
    configuration(tmp_path, "http://localhost:9", tables, {"server.port": 0, "admin.port": 0, **keys})
    code, lines = refused(tmp_path)
    assert (code, len(lines)) == (2, 1), lines
    assert word in lines[0]


def test_a_port_in_use_is_said_plainly(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        configuration(tmp_path, "http://localhost:9", {}, {"server.port": port, "admin.port": 0})
        code, [line] = refused(tmp_path)
    assert code == 3
    assert f"127.0.0.1:{port}" in line
    assert "in use" in line.lower()
