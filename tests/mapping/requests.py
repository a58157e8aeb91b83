"""Calls as v2 callers might make them, right and wrong, and answers as v2.1 might give them; drawn from the contracts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from hypothesis import strategies as st

from proxy.mapping.contract import Operation, Schema
from proxy.types import Answer, Call
from tests.mapping.goldens import FOLDER, PLATFORM

from proxy.mapping.api import load  # isort: skip

SOURCE = load(FOLDER)
REF = "2d7de9df-45a2-45ea-872c-30e45139007d"
COMPATS: list[dict[str, Any]] = [
    {},
    {"point_of_sale": "accept", "guest_ref": "ignore", "both_filters": "guestRef", "update_status": 201},
    {"on_conflict": "update", "new_statuses": "pass", "error_link": "moreInfo", "order_delete": "forward"},
    {"both_filters": "referenceId", "error_link": "moreInfoUrl"},
]
ODD = ["null", '"0001-01-01T00:00:00"', "1", '"x"', "[]", "{}", '{"a":[{"b":1.50}]}', "[null,[2]]", "true"]
TEXTS = {
    "href": [
        f'"{PLATFORM}/v2.1/orders/{REF}"',
        '"http:\\/\\/localhost:8080\\/v2\\/orders\\/1"',
        '"https://elsewhere/v2/orders/1"',
        f'"{PLATFORM}/v2/orders/{REF}?expand=true"',
    ],
    "timestamp": [
        '"2024-03-10T12:00:00.000Z"',
        '"2024-03-10T12:00:00Z"',
        '"2024-03-10T12:00:00.5+02:00"',
        '"?"',
    ],
    "money": ["30.60", "1e2", "-0", "12345678901234567890"],
    "integer": ["0", "100"],
}
PARTED = {one.on: one for file in SOURCE.resources for one in file.step if one.members}
"""The endpoints that write or read a part of a record, each with its step."""
WORDS = {table.type: [json.dumps(one.v2_1) for one in table.entry] for table in SOURCE.values.table}
"""v2.1's own words, which a leaf without a list may hold."""
LISTS = [
    '[{"origin":"DUB","seats":2},{}]',
    "[]",
    '[{"carrier":"EI"}]',
    '[{"origin":1.50}]',
    '[{"origin":{}}]',
    '[{"a b":1}]',
]
"""What stands in members that v2.1 keeps in a part: flat objects, and others that cannot be carried."""
PAIRS = [
    '"%s":2,"%s0Origin":"DUB","%s1Seats":1.50,"other":true',
    '"%s":0',
    '"%s":"x","%s0Origin":"DUB"',
    '"note":1',
]
"""What may stand in a part: pairs of v2's callers and of others."""


def token(schema: Schema) -> st.SearchStrategy[str]:
    """A leaf's value, mostly one that the contract allows."""
    if schema.codec in TEXTS:
        return st.sampled_from(TEXTS[schema.codec])
    if schema.enum:
        return st.sampled_from([json.dumps(one) for one in schema.enum])
    if "string" in schema.types:
        return st.sampled_from([*WORDS.get(schema.codec, []) * 3, '"AAA-9999"', '"é\\u0041"', '""'])
    return st.sampled_from(["1", "2.0", "false"]) if schema.types != ("integer",) else st.just("7")


@st.composite
def document(
    draw: st.DrawFn, schema: Schema, odd: int = 12, fixed: Mapping[str, str] = MappingProxyType({})
) -> str:
    """A JSON text for a schema; one value in `odd` is of another kind. An object has the members in `fixed`."""
    if draw(st.integers(0, odd)) == 1:
        return draw(st.sampled_from(ODD))
    if schema.items is not None:
        return "[" + ",".join(draw(st.lists(document(schema.items, odd), max_size=3))) + "]"
    if "object" not in schema.types:
        return draw(token(schema))
    members = {
        name: draw(document(one, odd))
        for name, one in schema.members.items()
        if draw(st.integers(0, 9)) > (0 if name in schema.required else 5)
    }
    if draw(st.integers(0, 3)) == 0:
        members |= {"loyalty": draw(st.sampled_from(ODD)), "a/~b": "1.0"}
    members |= fixed
    inside = [f"{json.dumps(name)}:{text}" for name, text in members.items()]
    return "{" + draw(st.sampled_from([",", ", "])).join(inside) + "}"


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """One request to an order endpoint: any documented query, a body where there is one."""
    known = [one for file in SOURCE.resources for one in file.endpoint]
    endpoint = draw(st.sampled_from(known) | st.sampled_from([one for one in known if one.id in PARTED]))
    method, _, template = endpoint.v2.partition(" ")
    operation = SOURCE.v2.operations.get(endpoint.v2)
    pairs = draw(_query(operation)) if operation else ""
    body = ""
    if operation is not None and operation.request is not None:
        schema, parted = operation.request, draw(_parted(endpoint.id, operation.request))
        likely = document(schema, 60, parted)
        body = draw(st.one_of(likely, likely, document(schema), st.just("{")))
    return Call(method, (re.sub(r"\{\w+\}", REF, template) + pairs).encode(), [], body.encode())


@st.composite
def _parted(draw: st.DrawFn, endpoint: str, schema: Schema) -> dict[str, str]:
    """Mostly what v2.1 keeps in a part, in a record that can have one; nothing where there is no such part."""
    found: dict[str, str] = {}
    for step in [PARTED[endpoint]] if endpoint in PARTED and draw(st.integers(0, 3)) else ():
        for name in step.members:
            texts = LISTS if schema.members[name].items is not None else ['"ADT"', '"CHD"', "null", "{}"]
            found |= {name: draw(st.sampled_from(texts))} if draw(st.booleans()) else {}
        found |= {name: json.dumps(words[0]) for name, words in step.only.items()}
    return found


def _native(schema: Schema, name: str) -> str:
    """v2.1's first word for a member of a record; empty where there is none."""
    member = schema.members.get(name)
    return next(iter(WORDS.get(member.codec, [])), "") if member else ""


def _pairs(operation: str) -> list[str]:
    """What may stand in the part that this operation is about; nothing where it is about none."""
    about = PARTED.values() if operation.endswith("/ext") else ()
    names = dict.fromkeys(name for one in about for name in one.members)
    return [text.replace("%s", name) for name in names for text in PAIRS]


@st.composite
def _query(draw: st.DrawFn, operation: Operation) -> str:
    values = {"limit": ["5", "500", "x"], "offset": ["0"], "expand": ["true", "orderItems"]}
    found = [
        f"{name}={draw(st.sampled_from(values.get(name, ['A%201', 'b'])))}"
        for name in operation.query
        if draw(st.integers(0, 2)) == 0
    ]
    return "?" + "&".join(found) if found else ""


@st.composite
def answer(draw: st.DrawFn, operation: str) -> Answer:
    """What v2.1 might say: a success of its contract, an error of it, or nothing that is JSON."""
    answers = SOURCE.v2_1.operations[operation].answers
    status = draw(st.sampled_from([*[one for one in answers if one < 300] * 4, *answers, 503]))
    schema = answers.get(status)
    if schema is None:
        return Answer(
            status, [], draw(st.sampled_from([b"", b"<html>", b'{"message":"no","x":[1]}', b"null"]))
        )
    words = {name: one for step in PARTED.values() for name in step.only if (one := _native(schema, name))}
    body, pairs = draw(document(schema, 40, words) | document(schema, 40)), _pairs(operation)
    if status < 300 and pairs and len(body) > 2 and body[0] == "{" and draw(st.integers(0, 4)):
        body = f"{{{draw(st.sampled_from(pairs))},{body[1:]}"
    return Answer(status, [], body.encode())
