"""A mapping of a made-up API, small enough to change one word of it and see what a caller would notice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from proxy.exchange import Asked, Reply, exchange
from proxy.mapping.api import CompiledMapping, load
from proxy.mapping.links import Bases
from proxy.types import Answer, Call

BASES = Bases("http://us", "http://old", "http://new")

API = """
resources = ["things.toml"]
values = "values.toml"
family = ["/v2/things"]
[v2]
contract = "v2.json"
prefix = "/v2/"
[v2-1]
contract = "v2_1.json"
prefix = "/v2.1/"
[[codec]]
type = "href"
id = "codec.href"
says = "Links."
grade = "A"
[[codec]]
type = "timestamp"
id = "codec.timestamp"
says = "Times."
grade = "A"
[error]
link = "http://help"
[[error.member]]
name = "status"
value = "status"
[[error.member]]
name = "message"
value = "message"
source = ["message"]
[compat.mode]
values = ["strict", "loose"]
default = "strict"
says = "How."
[compat.done]
values = [200, 202]
default = 200
says = "The status of a success."
"""

VALUES = """
[[table]]
type = "colour"
says = "Colours."
[[table.entry]]
id = "colour.blue"
v2 = "AZURE"
v2-1 = "BLUE"
says = "Another word."
grade = "A"
[[table.entry]]
id = "colour.loose"
v2 = "OTHER"
v2-1 = "PUCE"
direction = "back"
when = { mode = "loose" }
says = "Hidden."
grade = "D"
"""

THINGS = """
name = "things"
says = "Things."
[record]
path = "ref"
body = "name"
query = "name"
stamp = "at"
[[endpoint]]
id = "things.create"
says = "Create."
grade = "A"
v2 = "POST /v2/things"
v2-1 = "POST /v2.1/things"
[[endpoint]]
id = "things.get"
says = "Read."
grade = "A"
v2 = "GET /v2/things/{ref}"
v2-1 = "GET /v2.1/things/{ref}"
cases = { full = { query = "view", equals = "full" } }
"""


def leaf(kind: str = "string", codec: str = "plain", **more: Any) -> dict[str, Any]:
    return {"type": kind, "x-type": codec, **more}


def table(*required: str, **members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": list(required)}


THING = table(
    "name",
    href=leaf(codec="href"),
    name=leaf(),
    at=leaf(codec="timestamp"),
    colour=leaf(codec="colour"),
    size=leaf("number"),
    part=table(x=leaf(), at=leaf(codec="timestamp"), deep=table(y=leaf())),
    rows={"type": "array", "items": table(n=leaf("number"), colour=leaf(codec="colour"))},
)


def contract(version: str, thing: Mapping[str, Any] = THING) -> dict[str, Any]:
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}
    view = {"name": "view", "in": "query", "schema": leaf()}
    return {
        "components": {"schemas": {"Thing": thing}},
        "paths": {
            f"/{version}/things": {"post": {"requestBody": body, "responses": {"201": body, "400": {}}}},
            f"/{version}/things/{{ref}}": {
                "parameters": [],
                "get": {"parameters": [view], "responses": {"200": body}},
            },
        },
    }


def rule(at: str, place: str, do: str, on: str = "things.create", **more: Any) -> str:
    """One rule as it stands in a file; `more` holds its further members."""
    lines = {
        "id": f"r.{do}",
        "on": [on],
        "at": at,
        "place": [place],
        "do": do,
        "says": "So.",
        "grade": "A",
        **more,
    }
    return "\n[[rule]]\n" + "\n".join(f"{name} = {_toml(value)}" for name, value in lines.items()) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(one)}" for name, one in value.items()) + " }"
    return json.dumps(value)


def folder(path: Path, **changed: str | bytes) -> Path:
    """Write the mapping, files replaced by stem (`api`, `values`, `things`, `v2`, `v2_1`)."""
    files: dict[str, str | bytes] = {
        "api": API,
        "values": VALUES,
        "things": THINGS,
        "v2": json.dumps(contract("v2")),
        "v2_1": json.dumps(contract("v2.1")),
        **changed,
    }
    for stem, text in files.items():
        suffix = "json" if stem.startswith("v2") else "toml"
        (path / f"{stem}.{suffix}").write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def compiled(
    path: Path, *rules: str, compat: Mapping[str, str | int] | None = None, **changed: str
) -> CompiledMapping:
    """The mapping with these rules added."""
    things = changed.pop("things", THINGS) + "".join(rules)
    return load(folder(path, things=things, **changed)).compiled(compat or {}, BASES)


def write(mapping: CompiledMapping, body: bytes, answer: bytes = b"") -> tuple[Call, Reply]:
    """A create: what is sent, and what comes back."""
    return _carried(
        mapping, Asked(mapping.endpoints["things.create"], {}, [], [], body), Answer(201, [], answer)
    )


def read(mapping: CompiledMapping, answer: bytes, view: bytes | None = None) -> bytes:
    """What a caller reads for an answer."""
    pairs: list[tuple[bytes, bytes | None]] = [] if view is None else [(b"view", view)]
    asked = Asked(mapping.endpoints["things.get"], {"ref": b"a"}, pairs, [], b"")
    return _carried(mapping, asked, Answer(200, [], answer))[1].answer.body


def _carried(mapping: CompiledMapping, asked: Asked, answer: Answer) -> tuple[Call, Reply]:
    running = exchange(mapping, asked)
    call = next(running)
    try:
        running.send(answer)
    except StopIteration as end:
        return call, end.value
    raise AssertionError("a further call was made")
