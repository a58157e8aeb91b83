"""What one law is tried on: switches, a state of the store, a request; drawn from the contracts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from proxy.mapping.contract import Operation, Schema
from proxy.types import Answer
from tests.laws import documents
from tests.laws.documents import SENT_TIMES, Dice, leaf, record, token
from tests.laws.store import State
from tests.laws.trees import Tree, written
from tests.laws.world import PLATFORM, PUBLIC, Side, Switches, World, success

Make: TypeAlias = "Callable[[Dice, World, Side], Case]"
PARTS: tuple[dict[str, Tree], ...] = (
    {"tripType": b'"RETURN"', "points": b"1.50"},
    {"passengerTypeCode": b'"CHD"', "flightSegments": b"1", "flightSegments0Id": b'"1"'},
    {
        "flightSegments": b"2",
        "flightSegments1Origin": b'"DUB"',
        "flightSegments1Seats": b"2",
        "note": b"true",
    },
    {"passengerTypeCode": b'"ADT"', "flightSegments": b"0"},
)
"""What stands in a part: pairs of anybody, pairs that v2 callers wrote, both."""
REF = "2d7de9df-45a2-45ea-872c-30e45139007d"


@dataclass(frozen=True)
class Case:
    """One example. `change` is one writable member with its other value (`None`: taken away)."""

    switches: Switches
    state: State
    ref: str = ""
    query: bytes = b""
    body: Tree = b""
    layout: int = 0
    change: tuple[str, Tree | None] = ("", None)

    @property
    def text(self) -> bytes:
        """The body as it is sent."""
        return written(self.body, self.layout) if self.body else b""


def switches(dice: Dice, world: World, side: Side) -> Switches:
    """The default switches half of the time, else one that the endpoint heeds is set otherwise."""
    return dice.pick(world.heeded(side)) if dice.chance(2) else ()


def relations(world: World, side: Side) -> list[str]:
    """The members of an answer that stand for other records, which no request says."""
    said = {name for one in world.writers(side) for name in (one.native.request or Schema()).members}
    return [name for name, one in side.stored.members.items() if "items" in one.members and name not in said]


def state(dice: Dice, world: World, reader: Side) -> State:
    """A store with one or two records, their children, and a way of printing."""
    schema = reader.stored if reader.single else _element(reader.stored)
    found: dict[str, dict[str, Tree]] = {}
    children: dict[tuple[str, str], list[dict[str, Tree]]] = {}
    for ref in (REF, *documents.REFS[1 : dice.pick((1, 2))]):
        found[ref] = _known(dice, world, reader, record(dice, schema))
        for name, operation in _children(world, reader):
            inside = _element(success(operation))
            drawn = [_made_up(dice, world, reader, record(dice, inside)) for _ in range(dice.pick((0, 1, 2)))]
            links = [token(f"{PLATFORM}/v2.1/{name}/{number}") for number in range(len(drawn))]
            children[ref, name] = [{**one, "href": link} for one, link in zip(drawn, links, strict=True)]
            if name in found[ref]:
                found[ref][name] = {"items": [{"href": link} for link in links]}
    around = _around(reader)
    page = record(dice, around) if around.members else {}
    parts = {REF: dice.pick(PARTS)} if reader.single and dice.chance(2) else {}
    return State(found, children, page, parts, *_printing(dice, relations(world, reader)))


def _printing(dice: Dice, names: list[str]) -> tuple[bool, int, dict[str, Tree]]:
    empty: tuple[Tree, ...] = ({}, {"items": []})
    return dice.chance(2), dice.number(), {name: dice.pick(empty) for name in names}


def _children(world: World, reader: Side) -> Iterator[tuple[str, Operation]]:
    for name in relations(world, reader) if reader.single else ():
        operation = world.source.v2_1.operations.get(f"GET {reader.native.path}/{name}")
        if operation is not None:
            yield name, operation


def _element(page: Schema) -> Schema:
    return page.members["items"].items or Schema()


def _around(reader: Side) -> Schema:
    """A page without its items; for a record, the page that its children come in."""
    page = reader.stored if not reader.single else _PAGE
    inside = {name: one for name, one in page.members.items() if name != "items"}
    return replace(page, members=inside, required=page.required - {"items"})


_WHOLE = Schema(types=("integer",), codec="integer")
_PAGE = Schema(
    members={"href": Schema(types=("string",), codec="href"), "offset": _WHOLE, "limit": _WHOLE},
    required=frozenset({"href", "offset", "limit"}),
)


def write(dice: Dice, world: World, side: Side) -> Case:
    """A valid request to an endpoint that writes, and a store before it."""
    posts = side.v2.request is not None
    body: Tree = documents.request(dice, side.v2, side.native, world.policies(side)) if posts else b""
    schema = world.reader(side).stored
    body = _whole(dice, world, side, body) if isinstance(body, dict) else body
    parts = {REF: dice.pick(PARTS)} if side.single and dice.chance(2) else {}
    held = (
        {REF: _known(dice, world, world.reader(side), record(dice, schema))}
        if side.single or (side.record.body and dice.chance(3))
        else {}
    )
    conflict = bool(held) and not side.single and 409 in side.native.answers
    if conflict and isinstance(body, dict):
        held[REF] |= _twin(side, body)
    around = record(dice, _PAGE, extra=False) if conflict else {}
    return Case(
        switches=switches(dice, world, side),
        state=State(
            held, {}, around, parts, *_printing(dice, relations(world, world.reader(side))), conflict=conflict
        ),
        ref=REF if side.single else "",
        query=documents.query(dice, side.v2) if dice.chance(2) else b"",
        body=body,
        layout=dice.number(),
    )


def _whole(dice: Dice, world: World, side: Side, body: dict[str, Tree]) -> dict[str, Tree]:
    """A body that can be carried: constants are what they must be, members of another part can stand there."""
    schema = side.v2.request or Schema()
    body |= {name: token(value) for name, value in world.constants(side).items() if name in body}
    for step in world.splits(side):
        there = [name for name in step.members if body.get(name, b"null") != b"null"]
        for name in there:
            value, inside = body[name], schema.members[name].items or Schema()
            if isinstance(value, list):
                body[name] = [_flat(one, inside) for one in value]
        if there:
            body |= {name: token(dice.pick(words)) for name, words in step.only.items()}
    return body


def _flat(element: Tree, schema: Schema) -> Tree:
    assert isinstance(element, dict)
    return {name: one for name, one in element.items() if name in schema.members}


def _known(dice: Dice, world: World, reader: Side, made: dict[str, Tree]) -> dict[str, Tree]:
    """A record whose open words are mostly those that v2 lists, as v2.1 has them."""
    shown = reader.shown.members
    for name in made.keys() & shown.keys() if dice.chance(2) else ():
        stored = reader.stored.members[name]
        if shown[name].enum and not stored.enum:
            made[name] = token(world.native_word(shown[name].codec, dice.pick(shown[name].enum)))
    made = _made_up(dice, world, reader, made)
    return made | {name: token(one) for name, one in world.constants(reader).items() if name in made}


def _made_up(dice: Dice, world: World, reader: Side, made: dict[str, Tree]) -> dict[str, Tree]:
    """A record in which now and then a member says what would be made up."""
    told = {name: made[source] for name, source in world.made_up(reader) if source in made and dice.chance(3)}
    return {**made, **told}


def _twin(side: Side, body: dict[str, Tree]) -> dict[str, Tree]:
    """What makes a stored record the one that a create means: its name and its times."""
    assert side.v2.request is not None
    known = side.v2.request.members.items()
    times = {name for name, one in known if one.codec == "timestamp" and not one.read_only}
    return {name: value for name, value in body.items() if name in times | {side.record.body}}


def change(dice: Dice, world: World, side: Side) -> Case:
    """A valid request and another value for one of its writable members, or for one that nobody knows."""
    case = write(dice, world, side)
    assert isinstance(case.body, dict)
    assert side.v2.request is not None
    known = side.v2.request.members.items()
    able = {name: one for name, one in known if writable(side, name) and _free(one)}
    able = {name: one for name, one in able.items() if name not in world.constants(side)}
    name = dice.pick([*able, "loyalty"])
    value: Tree | None = dice.pick((*documents.UNKNOWN, *dice.texts, *dice.numbers))
    if name in able:
        gone = name not in side.v2.request.required and name in case.body and dice.chance(3)
        value = None if gone else leaf(dice, able[name], SENT_TIMES, f"{PUBLIC}/v2/")
    state = replace(case.state, conflict=False, parts={})
    return replace(case, query=b"", state=state, change=(name, value))


def _free(schema: Schema) -> bool:
    """Whether a member is a leaf that may have another value."""
    return not schema.members and schema.items is None and len(schema.enum) != 1


def writable(side: Side, name: str) -> bool:
    """Whether a request member is the caller's to set: not the answer's own, not another record."""
    assert side.v2.request is not None
    assert side.native.request is not None
    member = side.v2.request.members[name]
    relation = "object" in member.types and not member.members and name not in side.native.request.members
    return not member.read_only and not relation


def read(dice: Dice, world: World, side: Side) -> Case:
    """A stored state and a request to an endpoint that reads it, expanded or not."""
    query = documents.query(dice, side.v2) if not side.single or dice.chance(2) else b""
    case = dice.pick([None, *side.spec.cases.values()])
    if case is not None:
        others = [
            pair for pair in query.decode().split("&") if pair and not pair.startswith(f"{case.query}=")
        ]
        query = "&".join([*others, f"{case.query}={case.equals}"]).encode()
    held = state(dice, world, side)
    return Case(switches(dice, world, side), held, REF if side.single else "", query, layout=dice.number())


def read_plainly(dice: Dice, world: World, side: Side) -> Case:
    """A stored state, to be read as it is; `side` is the endpoint that writes it."""
    return Case(switches(dice, world, side), state(dice, world, world.reader(side)), REF)


def failure(dice: Dice, world: World, side: Side) -> Case:
    """An error of v2.1, in the shape that its contract promises or in none."""
    body: Tree = b""
    if side.v2.request is not None:
        body = _whole(dice, world, side, documents.request(dice, side.v2, side.native, frozenset()))
    promised = [(status, one) for status, one in side.native.answers.items() if status >= 400 and one]
    status, schema = dice.pick(promised)
    told = written(record(dice, schema), dice.number())
    text = dice.pick((told, told, told, b"", b"<html>busy</html>"))
    held = State(error=Answer(status, [(b"Content-Type", b"application/json")], text))
    ref = REF if side.single else ""
    return Case(switches(dice, world, side), held, ref, documents.query(dice, side.v2), body, dice.number())
