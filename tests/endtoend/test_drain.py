"""SIGTERM under load: whatever was accepted is answered, several times over; a second signal does not wait."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from proxy.upstream.journals import survey
from tests.emulator.caller import CREDENTIALS, FIRST_REF, JSON, order
from tests.endtoend.process import served
from tests.raw import parse, request
from tests.servers import RawUpstream, Reply

CALLERS = 24
READ = request("GET", f"/v2/orders/{FIRST_REF}", b"", [CREDENTIALS])
WRITE = request("POST", "/v2/orders", json.dumps(order()), [CREDENTIALS, JSON])
DONE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class Load:
    """Callers that ask until nobody listens any more, each on a connection of its own for each request."""

    port: int
    answered: int = 0
    refused: int = 0
    cut: int = 0

    async def all(self) -> None:
        async with asyncio.timeout(30):
            await asyncio.gather(*(self._caller(number) for number in range(CALLERS)))

    async def _caller(self, number: int) -> None:
        while not self.refused:
            await self._ask((READ, WRITE)[number % 2])

    async def _ask(self, raw: bytes) -> None:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except ConnectionRefusedError:
            self.refused += 1
            return
        except OSError:  # it was in the queue of a listener that is closed: nobody had accepted it
            return
        answer = b""
        with suppress(OSError):
            writer.write(raw)
            answer = await reader.read()
        writer.close()
        heard = parse(answer) if b"\r\n\r\n" in answer else None
        whole = heard is not None and len(heard.body) == int(heard.header("content-length") or -1)
        self.answered += whole
        self.cut += bool(answer) and not whole


@pytest.mark.parametrize("round_", range(4))
def test_no_accepted_request_is_cut_when_it_stops_under_load(tmp_path: Path, round_: int) -> None:
    routes = {"route": [{"stage": ("v2", "v2.1")[round_ % 2]}]}
    delay = ("0ms", "200ms")[round_ // 2]
    with RawUpstream(lambda _raw: Reply(DONE, delay=0.02)) as platform:  # noqa: SIM117 - one is inside the other
        with served(tmp_path, platform.url, routes, {"server.drain_delay": delay}) as running:
            load = Load(running.port)

            async def under_load() -> None:
                asking = asyncio.create_task(load.all())
                await asyncio.sleep(0.6)
                running.process.send_signal(signal.SIGTERM)
                await asking

            asyncio.run(under_load())
            assert running.end() == 0
            answers = [one["status"] for one in running.events() if one["event"] == "request"]
    assert (load.cut, set(answers)) == (0, {200})
    assert load.answered == len(answers) == len(platform.requests) > CALLERS
    assert load.refused
    assert survey(tmp_path / "crossfade.journal") == ([], 0)


def test_a_second_signal_cuts_at_once_and_the_journal_knows(tmp_path: Path) -> None:
    with RawUpstream(lambda _raw: Reply(then="stall")) as platform:  # noqa: SIM117 - one is inside the other
        with served(tmp_path, platform.url) as running:

            async def cut_short() -> bytes:
                reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
                writer.write(WRITE)
                while not platform.requests:  # noqa: ASYNC110 - it runs in threads of its own
                    await asyncio.sleep(0.01)
                for _ in range(2):
                    running.process.send_signal(signal.SIGTERM)
                    await asyncio.sleep(0.2)
                answer = b""
                with suppress(OSError):
                    answer = await reader.read()
                writer.close()
                return answer

            begun = time.monotonic()
            assert asyncio.run(cut_short()) == b""
            assert running.end() == 0
            assert time.monotonic() - begun < 5
    [left] = survey(tmp_path / "crossfade.journal").in_doubt
    assert (left.endpoint, left.state) == ("orders.create", "unknown")
