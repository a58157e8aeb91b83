"""No write doubled, none lost in silence: `python -m tests.faults.nemesis --writes 1500 --kills 15 [--seed N] [--fsync]`.

A proxy carries writes, each with an id of its own, to a platform that records what it executes and breaks connections in
every phase. The proxy is killed (SIGKILL) again and again and stands at another stage each time, its configuration changes
while it runs, callers leave, and the platform is away at times. In the end, from outside:

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
from tests.faults.lives import Lives
from tests.faults.recording import Recording
from tests.raw import parse, request

CALLERS = 16
LARGE = 300_000
"""Characters of a body that leaves this process, and the proxy, in more than one piece."""
STAGES: list[dict[str, object]] = [
    {"stage": "v2"},
    {"stage": "shadow"},
    {"stage": "canary", "percent": 50},
    {"stage": "live"},
    {"stage": "v2.1"},
]


@dataclass
class Run:
    """One run: who wrote what, and what each caller knows of it."""

    writes: int
    kills: int
    luck: random.Random
    platform: Recording
    proxy: Lives
    keys: dict[str, object]
    issued: int = 0
    known: dict[str, str] = field(default_factory=dict)

    async def all(self) -> None:
        await self.platform.open()
        self._flip()
        await self.proxy.start()
        flipping = asyncio.create_task(self._flips())
        callers = [asyncio.create_task(self._caller()) for _ in range(CALLERS)]
        for number in range(1, self.kills + 1):
            share = (number - self.luck.uniform(0, 0.8)) * self.writes / (self.kills + 1)
            while self.issued < share:  # noqa: ASYNC110 - the callers go on meanwhile, and owe nobody an event
                await asyncio.sleep(0.001)
            await self.proxy.end(signal.SIGKILL)
            self._flip()
            await self.proxy.start()
            if number % 3 == 0:
                await self._away(0.15)
        await asyncio.gather(*callers)
        flipping.cancel()
        assert await self.proxy.end(signal.SIGTERM) == 0

    def _flip(self) -> None:
        url = f"http://127.0.0.1:{self.platform.port}"
        self.proxy.stands_at(self.luck.choice(STAGES), url, self.keys)

    async def _flips(self) -> None:
        while True:
            await asyncio.sleep(self.luck.uniform(0.2, 0.8))
            self._flip()

    async def _away(self, seconds: float) -> None:
        self.platform.close()
        await asyncio.sleep(seconds)
        await self.platform.open()

    async def _caller(self) -> None:
        while self.issued < self.writes:
            await self.proxy.up.wait()
            self.issued += 1
            name = f"N-{self.issued}"
            self.known[name] = await self._write(name)

    async def _write(self, name: str) -> str:
        """A create, or an update of the record with this name; what its caller knows in the end."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.proxy.port)
        except OSError:
            return "not_sent"
        more = {"note": "x" * LARGE} if self.luck.random() < 0.04 else {}
        path = self.luck.choice(["/v2/orders", f"/v2/orders/{name}"])
        body = json.dumps(order(referenceId=name, **more))
        try:
            writer.write(request("POST", path, body, [CREDENTIALS, JSON]))
            if self.luck.random() < 0.04:
                return await self._leave(name, writer)
            return _said(await _heard(reader))
        finally:
            writer.close()

    async def _leave(self, name: str, writer: asyncio.StreamWriter) -> str:
        """Be gone before the platform answers."""
        done = self.platform.waits[name] = asyncio.Event()
        try:
            with suppress(OSError):
                await writer.drain()
            await asyncio.sleep(self.luck.uniform(0, 0.03))
            writer.close()
            await asyncio.sleep(0.05)
        finally:
            done.set()
        return "left"


async def _heard(reader: asyncio.StreamReader) -> bytes:
    data = b""
    with suppress(OSError):
        async with asyncio.timeout(60):
            while piece := await reader.read(65536):
                data += piece
    return data


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
            o for o, said in known.items() if said in {"unknown", "left"} and executed[o] and o not in listed
        ],
    }


@dataclass(frozen=True)
class Ended:
    """What came of a run: the ids that break each promise, which fates the platform dealt out, a line about it all."""

    broken: dict[str, list[str]]
    fates: Counter[str]
    text: str


async def run(writes: int, kills: int, seed: int, *, fsync: bool = False) -> Ended:
    """One run, in a folder of its own."""
    luck = random.Random(seed)
    begun = time.monotonic()
    keys: dict[str, object] = {"server.port": 0, "admin.port": 0, "log.divergences": "-"}
    keys |= {"log.requests": "off", "server.drain_delay": "0ms", "journal.fsync": fsync}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        platform, proxy = Recording(luck), Lives(folder, folder / "crossfade.toml")
        made = Run(writes, kills, luck, platform, proxy, keys)
        try:
            await made.all()
        finally:
            platform.close()
            if proxy.process is not None and proxy.process.poll() is None:
                proxy.process.kill()
        key = load_key(folder / "identity.key")
        left = survey(folder / "crossfade.journal")
        names = {record_name(key, one): one for one in made.known}
        listed = {names[one.record] for one in left.in_doubt}
        assert left.in_flight == 0
        changes = proxy.changes()
    counts = Counter(made.known.values())
    more = sum(made.known[one] == "ok" for one in listed)
    said = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
    text = (
        f"{writes} writes, {kills} kills, seed {seed}: {said}; {sum(platform.executed.values())} executed, "
        f"{len(listed)} in doubt, {more} of them acknowledged; {changes} changes of a running configuration; "
        f"{time.monotonic() - begun:.0f} s"
    )
    return Ended(verdict(made.known, platform.executed, listed), platform.fates, text)


def main() -> int:
    """Run, print, and fail where a promise is broken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--writes", type=int, default=1500)
    parser.add_argument("--kills", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fsync", action="store_true")
    given = parser.parse_args()
    ended = asyncio.run(run(given.writes, given.kills, given.seed, fsync=given.fsync))
    fates = ", ".join(f"{count} {fate}" for fate, count in ended.fates.most_common())
    told = [ended.text, f"requests {fates}"]
    told += [f"{promise}: {len(names)} {names[:5] or ''}" for promise, names in ended.broken.items()]
    print("\n".join(told))  # noqa: T201 - this is its output
    return any(ended.broken.values())


if __name__ == "__main__":
    sys.exit(main())
