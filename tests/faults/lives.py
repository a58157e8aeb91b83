"""`crossfade serve`, killed and started again in one folder, at another stage each time."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.endtoend.configured import configuration
from tests.endtoend.process import command, environment


@dataclass
class Lives:
    """`crossfade serve`, one life after the other in one folder."""

    folder: Path
    config: Path
    process: subprocess.Popen[bytes] | None = None
    port: int = 0
    up: asyncio.Event = field(default_factory=asyncio.Event)
    lives: int = 0

    def stands_at(self, stage: dict[str, object], platform_url: str, keys: dict[str, object]) -> None:
        """Give the next life this stage, and the present one too: it is told to read its file again."""
        draft = self.folder / "draft"
        draft.mkdir(exist_ok=True)
        configuration(draft, platform_url, {"route": [stage]}, keys).replace(self.config)
        if self.process is not None and self.up.is_set():
            self.process.send_signal(signal.SIGHUP)

    async def start(self) -> None:
        self.lives += 1
        told = self.folder / f"out-{self.lives}"
        self.process = await asyncio.to_thread(self._spawned, told)
        until = time.monotonic() + 20
        while not (started := [one for one in events(told) if one["event"] == "started"]):
            assert self.process.poll() is None, told.read_text()
            assert time.monotonic() < until, told.read_text()
            await asyncio.sleep(0.02)
        self.port = started[0]["port"]
        self.up.set()

    def changes(self) -> int:
        """How often a running proxy took another configuration."""
        told = [one for life in range(1, self.lives + 1) for one in events(self.folder / f"out-{life}")]
        return sum(one["event"] == "config" for one in told)

    def _spawned(self, told: Path) -> subprocess.Popen[bytes]:
        words = command("serve", "--config", str(self.config))
        with told.open("wb") as out:
            return subprocess.Popen(words, cwd=self.folder, stdout=out, stderr=out, env=environment())

    async def end(self, how: int) -> int:
        assert self.process is not None
        if how == signal.SIGKILL:
            self.up.clear()
        self.process.send_signal(how)
        return await asyncio.to_thread(self.process.wait, 60)


def events(told: Path) -> list[dict[str, Any]]:
    """The whole lines of a log; a process that was killed may have left a part of one."""
    return [
        json.loads(one) for one in told.read_text().splitlines() if one.startswith("{") and one[-1] == "}"
    ]
