"""The examples on the pages of docs/errors/: each error provoked in a real proxy, its answer as the caller gets it.

`python -m tests.error_pages docs/errors` writes the examples anew; the words around them are written by hand.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import uvloop

from proxy.errors import Fault
from proxy.log import open_log
from proxy.serve import Gateway
from proxy.types import Answer
from proxy.wire.phrases import status_line
from tests.emulator.caller import CREDENTIALS, FIRST_REF, order
from tests.faults.gateway import Gate, House, gate, house
from tests.faults.places import Places, plays, refusing
from tests.faults.platform import Play, right, says, silent
from tests.raw import request

MARK = "## Example\n"
REQUEST_ID = "5b7c21d09e4f4c0f8a1d2e3b"
PLATFORM = "https://platform.example"
ORDER = f"/v2/orders/{FIRST_REF}"


def _send(method: str, target: str, body: bytes | str = b"", *fields: tuple[str, str]) -> bytes:
    return request(method, target, body, [CREDENTIALS, *fields], host="crossfade.example")


def _create(**changes: Any) -> bytes:
    return _send("POST", "/v2/orders", json.dumps(order(**changes)))


@dataclass(frozen=True)
class Provoked:
    """What a caller sends, and the platform and the keys that make it end so."""

    raw: bytes
    at: Places | Play = right
    keys: Mapping[str, Any] = field(default_factory=dict)
    twice: bool = False
    """Whether it goes wrong only while another is on its way."""


PROVOKED = {
    Fault.TARGET: Provoked(_send("GET", "/v2/orders/../guests")),
    Fault.HEADERS: Provoked(_send("GET", ORDER, b"", CREDENTIALS)),
    Fault.JSON: Provoked(_send("POST", "/v2/orders", '{"price": 01}')),
    Fault.DUPLICATE: Provoked(_send("POST", "/v2/orders", json.dumps(order())[:-1] + ', "price": 13}')),
    Fault.FIELD: Provoked(_create(price="12")),
    Fault.QUERY: Provoked(_send("GET", "/v2/orders?referenceId=B94TXY-1&limit=many")),
    Fault.UNTRANSLATABLE: Provoked(_create(orderItems=[{"name": "A seat"}])),
    Fault.NOT_FOUND: Provoked(_send("GET", "/v3/orders")),
    Fault.METHOD: Provoked(_send("PATCH", ORDER)),
    Fault.HEAD_TIMEOUT: Provoked(_send("GET", ORDER)[:-2], keys={"server.head_timeout": "200ms"}),
    Fault.BODY_TIMEOUT: Provoked(_create()[:-20]),
    Fault.TOO_LARGE: Provoked(_create(x="y" * 5000), keys={"server.max_body": "4KiB"}),
    Fault.TARGET_LENGTH: Provoked(_send("GET", f"/v2/orders?referenceId={'x' * 9000}")),
    Fault.CODING: Provoked(_send("POST", "/v2/orders", gzip.compress(b"{}"), ("Content-Encoding", "gzip"))),
    Fault.HEAD_TOO_LARGE: Provoked(_send("GET", ORDER, b"", *((f"X-{n}", "1") for n in range(300)))),
    Fault.UNMAPPED: Provoked(_send("GET", "/v2/orders?referenceId=B94TXY-1&colour=red")),
    Fault.UNREACHABLE: Provoked(_create(), refusing),
    Fault.BROKEN: Provoked(_create(), says()),
    Fault.BAD_ANSWER: Provoked(
        _send("GET", ORDER), says(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\noops")
    ),
    Fault.OVERLOADED: Provoked(_create(), silent, {"server.max_in_flight": 1}, twice=True),
    Fault.JOURNAL: Provoked(
        _create(), right, {"journal.path": "nowhere/journal", "journal.on_failure": "refuse"}
    ),
    Fault.TIMEOUT: Provoked(_create(), silent),
    Fault.LOOP: Provoked(_send("GET", ORDER, b"", ("Via", "1.1 crossfade"))),
}
"""Every code but `CF-INTERNAL`: there is no mistake to provoke, so its answer is made as the proxy makes it."""


def examples() -> dict[Fault, str]:
    """The example of every code."""
    with house() as where, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_examples(where))


async def _examples(where: House) -> dict[Fault, str]:
    made = [(fault, _example(where, one)) for fault, one in PROVOKED.items()]
    answers = await asyncio.gather(*(coming for _, coming in made))
    found = dict(zip((fault for fault, _ in made), answers, strict=True))
    return found | {Fault.INTERNAL: await _mistaken(where)}


async def _mistaken(where: House) -> str:
    """A mistake, made by taking a part of the proxy away; its log is its own, since others may hold none."""
    log = open_log(str(where.folder / "mistake"), strict=True)
    whole = where.snapshot(PLATFORM, "native", "v2.1", {})
    broken = Gateway(replace(whole, decider=None, log=log))  # type: ignore[arg-type] # that is the mistake
    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)

    async def nothing() -> dict[str, Any]:
        return {"type": "http.request"}

    scope = {"method": "POST", "headers": [], "raw_path": b"/v2/orders", "query_string": b""}
    await broken(scope, nothing, send)
    answer = Answer(said[0]["status"], said[0]["headers"])
    lines = [status_line(answer), *(name + b": " + value for name, value in answer.headers)]
    return _shown(_create(), b"\r\n".join([*lines, b"", said[1]["body"]]), PLATFORM)


async def _example(where: House, one: Provoked) -> str:
    at = one.at if one.at is refusing else plays(one.at)  # type: ignore[arg-type] # what is no place is a play
    async with at() as place, gate(where, place.url, "native", "v2.1", one.keys) as front:
        first = asyncio.create_task(_told(front, one.raw)) if one.twice else None
        await asyncio.sleep(0.05 if one.twice else 0)
        told = await _told(front, one.raw)
        if first is not None:
            await first
    return _shown(one.raw, told, place.url)


async def _told(front: Gate, raw: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    writer.write(raw)
    async with asyncio.timeout(10):
        data = await reader.read(-1)
    writer.close()
    return data


def _shown(asked: bytes, told: bytes, url: str) -> str:
    """Request line and answer, with one request id and one platform for all examples."""
    text = told.decode().replace(url, PLATFORM)
    text = re.sub(r"(?i)(request(?:-id:)? )[0-9a-f]{24}", rf"\g<1>{REQUEST_ID}", text)
    head, _, body = text.partition("\r\n\r\n")
    head = re.sub(r"(?i)(content-length): \d+", rf"\1: {len(body.encode())}", head)
    head = re.sub(r"\A(HTTP/1.1 \d{3})[^\r]*", r"\1", head)  # phrases change from one Python to the next
    line = asked.split(b"\r\n")[0].decode("latin-1")
    line = line if len(line) < 100 else f"{line[:60]} …"
    return "\n".join([MARK, "```http", line, "```", "", "```http", *head.split("\r\n"), "", body, "```", ""])


def main(folder: Path) -> None:
    """Write the examples into their pages."""
    for fault, example in examples().items():
        page = folder / f"{fault.code}.md"
        page.write_text(page.read_text("utf-8").partition(MARK)[0] + example, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
