"""The golden exchanges under mappings/examples, read and replayed by hand: no socket, no platform."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proxy.errors import Refused
from proxy.exchange import Asked, Reply, exchange
from proxy.mapping.api import CompiledMapping, load
from proxy.mapping.links import Bases
from proxy.types import Answer, Call
from proxy.wire.target import parameters, split

FOLDER = Path(__file__).parents[2] / "mappings"
PLATFORM = "https://api-engage-eu.sitecorecloud.io"
BASES = Bases("http://localhost:8080", PLATFORM, PLATFORM, ("https://api.boxever.com",))


@dataclass
class Golden:
    """One case, as it stands in its file."""

    endpoint: str
    name: str
    content: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.endpoint}/{self.name}"


def goldens() -> list[Golden]:
    """Every golden exchange."""
    files = sorted((FOLDER / "examples").glob("*/*.toml"))
    return [Golden(one.parent.name, one.stem, tomllib.loads(one.read_text("utf-8"))) for one in files]


def compiled(compat: dict[str, Any] | None = None) -> CompiledMapping:
    """The shipped mapping with these switches."""
    return load(FOLDER).compiled(compat or {}, BASES)


def asked(mapping: CompiledMapping, request: dict[str, Any]) -> Asked:
    """The request of a golden, matched as traffic would match it."""
    path, query = split(request["target"].encode())
    found = mapping.paths.match(path)
    assert found is not None, f"no endpoint at {request['target']}"
    methods, held = found
    pairs = parameters(query or b"")
    headers = [(name.encode(), value.encode()) for name, value in request.get("headers", [])]
    return Asked(methods[request["method"]], held, pairs, headers, request.get("body", "").encode())


def replay(mapping: CompiledMapping, golden: Golden) -> tuple[list[Call], Reply | Refused]:
    """Drive the exchange with the golden's upstream answers; gives the calls made and how it ended."""
    running = exchange(mapping, asked(mapping, golden.content["request"]))
    made: list[Call] = []
    try:
        call = next(running)
        for upstream in golden.content.get("upstream", []):
            made.append(call)
            call = running.send(_answer(upstream))
        made.append(call)
    except StopIteration as end:
        return made, end.value
    except Refused as refused:
        return made, refused
    raise AssertionError(f"{golden}: a call was made that the golden does not have: {made[-1]}")


def _answer(upstream: dict[str, Any]) -> Answer:
    headers = [(name.encode(), value.encode()) for name, value in upstream.get("headers", [])]
    return Answer(upstream["status"], headers, upstream.get("answer", "").encode())
