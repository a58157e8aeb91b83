"""Nothing of a caller's secrets or of its customers leaves through the log, the output, the metrics or an error of ours."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import itertools
import json
import logging
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proxy.emulator import Misbehaviour
from proxy.snapshot import Snapshot
from proxy.types import Answer, Call
from tests.emulator.caller import CREDENTIALS, FIRST_REF, JSON, order
from tests.endtoend.canaries import (
    AUTHORIZATION,
    PERSONAL,
    UNREADABLE,
    leaks,
    loaded_requests,
    rough_answers,
)
from tests.endtoend.process import Served, command, environment, served
from tests.endtoend.running import Carried, carried
from tests.raw import fetch, parse, request
from tests.servers import RawUpstream, Reply

ALL = {"shadow.sample": 1.0, "shadow.max_calls_per_second": 10_000, "log.requests": "all"}
STAGES: list[Any] = ["v2", "shadow", {"stage": "canary", "percent": 50}, "live", "v2.1"]
ECHOED = re.compile(rb"(?i)\r\nx-request-id: [^\r]*")
ROUGH = Misbehaviour(drift=0.3, truncate=0.1, close=0.1, error_500=0.1, too_many=0.1)


class Crashing:
    """An engine that breaks down with a text full of what it was given."""

    async def send(self, call: Call, *, room: int | None = None) -> Answer:
        raise RuntimeError(f"{PERSONAL} {call.headers} {call.target!r} {call.body!r}")

    async def close(self) -> None:
        pass


def crashing(snapshot: Snapshot) -> Snapshot:
    return dataclasses.replace(snapshot, v2=Crashing(), v2_1=Crashing())


def own_errors(proxy_port: int | str) -> list[bytes]:
    """The answers that are ours to all the loaded requests; a caller's own request id is handed back to it alone."""
    answers = [ECHOED.sub(b"", fetch(proxy_port, raw)) for raw in loaded_requests(FIRST_REF)]
    return [one for one in answers if b"x-crossfade-code" in one.lower()]


@pytest.mark.parametrize("trouble", ["well", "rough", "crash"])
@pytest.mark.parametrize("stage", STAGES, ids=["v2", "shadow", "canary", "live", "v2.1"])
def test_no_secret_leaves_by_any_door(stage: Any, trouble: str, capfd: pytest.CaptureFixture[str]) -> None:
    change = crashing if trouble == "crash" else lambda snapshot: snapshot
    with carried([stage], keys=ALL, mistakes=trouble == "crash", change=change) as proxy:
        prepare(proxy)
        if trouble == "rough":
            for version in proxy.emulator.mischief.table:
                proxy.emulator.mischief.set(version, ROUGH)
        ours = own_errors(proxy.url)
        asked = sum(1 for _ in loaded_requests(FIRST_REF)) - UNREADABLE
        assert len(proxy.log_lines("request", least=asked)) >= asked
        assert bool(proxy.log_lines("internal_error")) == (trouble == "crash")
        found = leaks("the log", proxy.log_file.read_bytes()) + leaks("metrics", proxy.metrics().encode())
        found += leaks("an error of ours", b"\n".join(ours))
        assert ours
    shown = capfd.readouterr()
    assert found + leaks("output", (shown.out + shown.err).encode()) == []


def prepare(proxy: Carried) -> None:
    """An order that the requests can name."""
    fetch(proxy.platform_url, request("POST", "/v2/orders", json.dumps(order()), [CREDENTIALS, JSON]))


COMMANDS = [
    ["indoubt", "list"],
    ["indoubt", "list", "--json"],
    ["config", "show", "--origin"],
    ["divergences", "list"],
    ["callers"],
]
"""What an operator may print; another command is another line here."""
PAGES = ["/metrics", "/livez", "/readyz", "/", "/api/"]
"""What an operator may open."""


def sinks(running: Served, commands: list[list[str]]) -> Iterator[tuple[str, bytes]]:
    """Every place where something of a run can end up: pages, commands, and each file in its folder, whatever it is."""
    for page in PAGES:
        yield page, running.operator(page).body
    for words in commands:
        done = subprocess.run(
            command(*words, "--config", str(running.folder / "crossfade.toml")),
            cwd=running.folder,
            capture_output=True,
            timeout=30,
            check=False,
            env=environment(),
        )
        yield " ".join(words), done.stdout + done.stderr
    assert running.end(signal.SIGTERM) == 0
    for path in sorted(running.folder.rglob("*")):
        if path.is_file():
            yield path.name, path.name.encode() + path.read_bytes()


@pytest.mark.parametrize(
    ("requests", "stage", "engine"),
    [
        ("off", "shadow", "native"),
        ("sampled", "v2.1", "httpx"),
        ("all", "v2.1", "native"),
    ],
)
def test_a_whole_process_leaves_no_secret_anywhere(
    tmp_path: Path, requests: str, stage: str, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")
    keys = {**ALL, "server.max_body": "2KiB", "log.requests": requests, "upstream.engine": engine}
    rough = itertools.cycle(rough_answers())
    with RawUpstream(lambda _raw: Reply(next(rough), then="close")) as platform:  # noqa: SIM117 - one is inside the other
        with served(tmp_path, platform.url, {"route": [{"stage": stage}]}, keys) as running:
            ours = own_errors(running.port)
            seen = dict(sinks(running, COMMANDS if requests == "all" else []))
            found = [one for name, content in seen.items() for one in leaks(name, content)]
            lines = sum(one["event"] == "request" for one in running.events())
    assert len(ours) > 50
    assert {"out", "crossfade.db"} <= set(seen)
    assert any(name.startswith("crossfade.journal.") for name in seen)
    assert (lines > 50) == (requests == "all")
    assert found + leaks("an error of ours", b"\n".join(ours)) == []


@pytest.mark.parametrize("engine", ["native", "httpx"])
def test_loggers_that_somebody_has_turned_up_tell_nothing(
    engine: str, capfd: pytest.CaptureFixture[str]
) -> None:
    rough = itertools.cycle(rough_answers())
    with RawUpstream(lambda _raw: Reply(next(rough), then="close")) as platform:  # noqa: SIM117 - one is inside the other
        with carried(
            ["v2.1"], keys={**ALL, "upstream.engine": engine}, upstream=platform.url, mistakes=True
        ) as proxy:
            names = [None, *logging.root.manager.loggerDict]
            levels = {name: logging.getLogger(name).level for name in names}
            try:
                for name in names:
                    logging.getLogger(name).setLevel(logging.DEBUG)
                assert own_errors(proxy.url)
            finally:
                for name, level in levels.items():
                    logging.getLogger(name).setLevel(level)
            found = leaks("the log", proxy.log_file.read_bytes())
    shown = capfd.readouterr()
    assert found + leaks("output", (shown.out + shown.err).encode()) == []


def test_the_search_finds_what_it_looks_for() -> None:
    for text in PERSONAL.values():
        assert leaks("a text", f"x {text} x".encode())
        assert leaks("an escape", json.dumps({"a": text}).encode())
        assert leaks("escapes", "".join(f"\\u{ord(one):04X}" for one in text).encode())
        assert leaks("percent", "".join(f"%{one:02X}" for one in text.encode()).encode())
        assert leaks("hex", text.encode().hex().upper().encode())
        for kind in ("md5", "sha1", "sha256"):
            assert leaks(kind, hashlib.new(kind, text.encode()).hexdigest().encode())
        for before in ("", "a", "ab"):
            assert leaks("base64", base64.b64encode(f"{before}{text} behind".encode()))


@pytest.mark.parametrize("stage", ["v2", "shadow", "v2.1"])
@pytest.mark.parametrize(
    "value",
    [AUTHORIZATION[1], "basic  Y2xpZW50LTE6dG9rZW4tMQ", "Bearer a.b-c_d~e+/==", "Basic \xfc\xe9", "x"],
)
def test_credentials_arrive_byte_for_byte(stage: str, value: str) -> None:
    answer = b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    with RawUpstream(lambda _raw: answer) as upstream, carried([stage], upstream=upstream.url) as proxy:
        raw = request("GET", f"/v2/orders/{FIRST_REF}", b"", [("Authorization", value)])
        assert parse(fetch(proxy.url, raw)).status == 404
        fields = upstream.requests[0].split(b"\r\n")
        arrived = [field for field in fields if field.lower().startswith(b"authorization:")]
        assert arrived == [arrived[0].partition(b":")[0] + b": " + value.encode("latin-1")]
