"""No write doubled, none lost in silence: `python -m tests.faults.nemesis --writes 1500 --kills 15 [--seed N] [--fsync]`.

A proxy carries writes, each with an id of its own, to a platform that records what it executes and breaks connections in
every phase. It is killed (SIGKILL) again and again, and the platform is away at times. In the end, from outside:

    a  no id was executed twice
    b  an id whose caller got a success was executed once
    c  an id whose caller was told `not_sent`, or never reached the proxy, was not executed
    d  an id that was executed, and whose caller was not answered in full, is in the journal
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from proxy.config.identity import load_key
from proxy.upstream.journals import survey
from proxy.wire.credentials import record_name
from tests.emulator.caller import CREDENTIALS, JSON, order
from tests.endtoend.configured import configuration
from tests.endtoend.process import command, environment
from tests.raw import parse, request

CALLERS = 16
FATES = {"answer": 60, "slow": 20, "unread": 5, "reset": 5, "silent": 5, "half": 5}
"""What the platform does with a request, and how often: `unread` alone does not execute it."""


class Platform:
    """Executes, records, and answers as luck has it."""

    def __init__(self, luck: random.Random) -> None:
        self.luck = luck
        self.executed: Counter[str] = Counter()
        self.port = 0
        self.server: asyncio.Server | None = None

    async def open(self) -> None:
        self.server = await asyncio.start_server(self._talk, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def away(self, seconds: float) -> None:
        assert self.server is not None
        self.server.close()
        await asyncio.sleep(seconds)
        await self.open()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError):
            while await self._turn(reader, writer):
                pass
        writer.close()

    async def _turn(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        size = next(
            int(one[15:]) for one in head.lower().split(b"\r\n") if one.startswith(b"content-length:")
        )
        body = await reader.readexactly(size)
        fate = self.luck.choices(list(FATES), list(FATES.values()))[0]
        if fate == "unread":
            return _reset(writer)
        self.executed[json.loads(body)["referenceId"]] += 1
        if fate == "slow":
            await asyncio.sleep(self.luck.uniform(0.01, 0.15))
        if fate in {"reset", "silent"}:
            return _reset(writer) if fate == "reset" else False
        answer = (
            b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % size
        )
        writer.write(answer + (body[: size // 2] if fate == "half" else body))
        await writer.drain()
        return fate != "half"


def _reset(writer: asyncio.StreamWriter) -> bool:
    made: socket.socket = writer.get_extra_info("socket")
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    return False


@dataclass
class Proxy:
    """`crossfade serve`, one life after the other in one folder."""

    folder: Path
    config: Path
    process: subprocess.Popen[bytes] | None = None
    port: int = 0
    up: asyncio.Event = field(default_factory=asyncio.Event)
    lives: int = 0

    async def start(self) -> None:
        self.lives += 1
        told = self.folder / f"out-{self.lives}"
        self.process = await asyncio.to_thread(self._spawned, told)
        until = time.monotonic() + 20
        while b'"started"' not in told.read_bytes():
            assert self.process.poll() is None, told.read_text()
            assert time.monotonic() < until, told.read_text()
            await asyncio.sleep(0.02)
        lines = [json.loads(one) for one in told.read_text().splitlines() if one.startswith("{")]
        self.port = next(one["port"] for one in lines if one["event"] == "started")
        self.up.set()

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


@dataclass
class Run:
    """One run: who wrote what, and what each caller knows of it."""

    writes: int
    kills: int
    luck: random.Random
    platform: Platform
    proxy: Proxy
    issued: int = 0
    known: dict[str, str] = field(default_factory=dict)

    async def all(self) -> None:
        await self.platform.open()
        await self.proxy.start()
        callers = [asyncio.create_task(self._caller()) for _ in range(CALLERS)]
        for number in range(1, self.kills + 1):
            share = (number - self.luck.uniform(0, 0.8)) * self.writes / (self.kills + 1)
            while self.issued < share:  # noqa: ASYNC110 - the callers go on meanwhile, and owe nobody an event
                await asyncio.sleep(0.001)
            await self.proxy.end(signal.SIGKILL)
            await self.proxy.start()
            if number % 3 == 0:
                await self.platform.away(0.15)
        await asyncio.gather(*callers)
        assert await self.proxy.end(signal.SIGTERM) == 0

    async def _caller(self) -> None:
        while self.issued < self.writes:
            await self.proxy.up.wait()
            self.issued += 1
            name = f"N-{self.issued}"
            self.known[name] = await self._write(name)

    async def _write(self, name: str) -> str:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.proxy.port)
        except OSError:
            return "not_sent"
        data = b""
        try:
            writer.write(
                request("POST", "/v2/orders", json.dumps(order(referenceId=name)), [CREDENTIALS, JSON])
            )
            if self.luck.random() < 0.03:
                return "left"
            async with asyncio.timeout(30):
                while piece := await reader.read(65536):
                    data += piece
        except OSError:
            pass
        finally:
            writer.close()
        return _said(data)


def _said(data: bytes) -> str:
    """What a caller knows after these bytes: ok, not_sent, or unknown."""
    if b"\r\n\r\n" not in data:
        return "unknown"
    heard = parse(data)
    if len(heard.body) < int(heard.header("content-length") or 0):
        return "unknown"
    assert heard.header("x-crossfade-code") != "CF-INTERNAL", heard.body
    return "ok" if heard.status == 201 else heard.header("x-crossfade-outcome") or "unknown"


def verdict(known: dict[str, str], executed: Counter[str], listed: set[str]) -> dict[str, list[str]]:
    """The ids that break each of the four promises; `listed` are those that the journal has."""
    return {
        "a: executed twice": [one for one, times in executed.items() if times > 1],
        "b: acknowledged, not executed": [o for o, said in known.items() if said == "ok" and not executed[o]],
        "c: not sent, but executed": [o for o, said in known.items() if said == "not_sent" and executed[o]],
        "d: executed, neither acknowledged nor listed": [
            o for o, said in known.items() if said == "unknown" and executed[o] and o not in listed
        ],
    }


async def run(writes: int, kills: int, seed: int, *, fsync: bool = False) -> tuple[dict[str, list[str]], str]:
    """The verdict of one run, and a line about what happened in it."""
    luck = random.Random(seed)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        platform = Platform(luck)
        await platform.open()
        assert platform.server is not None
        platform.server.close()
        keys = {"server.port": 0, "admin.port": 0, "log.divergences": "-", "server.drain_delay": "0ms"}
        routes = {"route": [{"stage": "canary", "percent": 50}]}
        url = f"http://127.0.0.1:{platform.port}"
        config = configuration(folder, url, routes, {**keys, "log.requests": "off", "journal.fsync": fsync})
        made = Run(writes, kills, luck, platform, Proxy(folder, config))
        try:
            await made.all()
        finally:
            platform.server.close()
            if made.proxy.process is not None and made.proxy.process.poll() is None:
                made.proxy.process.kill()
        key = load_key(folder / "identity.key")
        left = survey(folder / "crossfade.journal")
        names = {record_name(key, one): one for one in made.known}
        listed = {names[one.record] for one in left.in_doubt}
        assert left.in_flight == 0
    counts = Counter(made.known.values())
    more = sum(made.known[one] == "ok" for one in listed)
    said = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
    text = (
        f"{writes} writes, {kills} kills, seed {seed}: {said}; {sum(platform.executed.values())} executed, "
        f"{len(listed)} in doubt, {more} of them acknowledged; {time.monotonic() - begun:.0f} s"
    )
    return verdict(made.known, platform.executed, listed), text


def main() -> int:
    """Run, print, and fail where a promise is broken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--writes", type=int, default=1500)
    parser.add_argument("--kills", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fsync", action="store_true")
    given = parser.parse_args()
    broken, text = asyncio.run(run(given.writes, given.kills, given.seed, fsync=given.fsync))
    print(text)  # noqa: T201 - this is its output
    for promise, names in broken.items():
        print(f"{promise}: {len(names)} {names[:5] or ''}")  # noqa: T201 - see above
    return any(broken.values())


if __name__ == "__main__":
    sys.exit(main())
