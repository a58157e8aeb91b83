"""`crossfade serve` as a process of its own, with everything that it prints."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.emulator.caller import CREDENTIALS
from tests.endtoend.configured import configuration
from tests.raw import Heard, fetch, parse, request

ROOT = Path(__file__).parents[2]


@dataclass
class Served:
    """A running process."""

    process: subprocess.Popen[bytes] = field(repr=False)
    folder: Path
    port: int = 0
    admin_port: int = 0

    def ask(self, method: str, target: str, body: bytes | str = b"", *headers: tuple[str, str]) -> Heard:
        """Ask the callers' listener."""
        return parse(fetch(self.port, request(method, target, body, [CREDENTIALS, *headers])))

    def operator(self, target: str, *headers: tuple[str, str]) -> Heard:
        """Ask the operators' listener."""
        return parse(fetch(self.admin_port, request("GET", target, b"", headers)))

    def printed(self) -> str:
        """Standard output and error so far."""
        return (self.folder / "out").read_text("utf-8")

    def events(self) -> list[dict[str, Any]]:
        """The lines of the log."""
        return [json.loads(line) for line in self.printed().splitlines() if line.startswith("{")]

    def end(self, *signals: int, within: float = 10.0) -> int:
        """Send signals, wait, give the exit code."""
        for one in signals:
            self.process.send_signal(one)
        return self.process.wait(within)


def command(*words: str) -> list[str]:
    """The command line that runs crossfade from here."""
    return [sys.executable, "-W", "error", "-m", "proxy", *words]


def environment() -> dict[str, str]:
    """This environment, with the program in reach."""
    return os.environ | {"PYTHONPATH": str(ROOT)}


@contextmanager
def served(
    folder: Path,
    platform_url: str,
    tables: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    keys: Mapping[str, Any] | None = None,
) -> Iterator[Served]:
    """Start it and wait until it listens; it is stopped at the end if it still runs."""
    values = {
        "server.port": 0,
        "admin.port": 0,
        "log.divergences": "-",
        "server.drain_delay": "50ms",
        **(keys or {}),
    }
    path = configuration(folder, platform_url, tables or {}, values)
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(
            command("serve", "--config", str(path)),
            cwd=folder,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment(),
        )
    made = Served(process, folder)
    try:
        until = time.monotonic() + 20
        while not (started := [one for one in made.events() if one["event"] == "started"]):
            assert process.poll() is None, made.printed()
            assert time.monotonic() < until, made.printed()
            time.sleep(0.02)
        made.port, made.admin_port = started[0]["port"], started[0]["admin_port"]
        yield made
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(10)
