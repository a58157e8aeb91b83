"""What one law is tried on: switches, a state of the store, a request; drawn from the contracts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from proxy.mapping.contract import Operation, Schema
from proxy.types import Answer
from tests.laws.documents import (
    layouts,
    leaf,
    queries,
    records,
    refs,
    requests,
    token,
    unknown_names,
    unknown_values,
    SENT_TIMES,
)
from tests.laws.store import State
from tests.laws.trees import Tree, written
from tests.laws.world import PLATFORM, PUBLIC, Side, Switches, World, success

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


def switches(world: World) -> SearchStrategy[Switches]:
    """The default switches half of the time, else one of them set otherwise."""
    return st.one_of(st.just(()), st.sampled_from(world.choices))


def relations(schema: Schema) -> list[str]:
    """The members of an answer that stand for other records."""
    return [name for name, one in schema.members.items() if "items" in one.members]


@st.composite
def states(draw: DrawFn, world: World, side: Side, *, extra: bool = True) -> State:
    """A store with one or two records, their children, and a way of printing."""
    reader = world.reader(side) if not (side.reads and not side.single) else side
    schema = reader.stored if reader.single else _element(reader.stored)
    found: dict[str, dict[str, Tree]] = {}
    children: dict[tuple[str, str], list[dict[str, Tree]]] = {}
    for ref in [REF, *draw(st.lists(refs, max_size=1))]:
        found[ref] = draw(records(schema, extra=extra))
        for name, operation in _children(world, reader):
            drawn = draw(st.lists(records(_element(success(operation)), extra=extra), max_size=2))
            links = [token(f"{PLATFORM}/v2.1/{name}/{number}") for number in range(len(drawn))]
            children[ref, name] = [{**one, "href": link} for one, link in zip(drawn, links, strict=True)]
            if name in found[ref]:
                found[ref][name] = {"items": [{"href": link} for link in links]}
    around = _around(reader)
    return State(
        records=found,
        children=children,
        page=draw(records(around, extra=extra)) if around.members else {},
        whole_seconds=draw(st.booleans()),
        layout=draw(layouts),
        relations={name: draw(st.sampled_from(({}, {"items": []}))) for name in relations(schema)},
    )


def _children(world: World, reader: Side) -> Iterator[tuple[str, Operation]]:
    for name in relations(reader.stored) if reader.single else ():
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


@st.composite
def writes(draw: DrawFn, world: World, side: Side, *, extra: bool = True) -> Case:
    """A valid request to an endpoint that writes, and a store before it."""
    state = draw(states(world, side))
    body = draw(requests(side.v2, side.native, world.policies(side), extra=extra))
    if not side.single and draw(st.integers(0, 4)) == 0:
        state = replace(state, conflict=True, records={REF: {**state.records[REF], **_twin(side, body)}})
    return Case(
        switches=draw(switches(world)),
        state=state,
        ref=REF if side.single else "",
        query=draw(queries(side.v2)) if draw(st.integers(0, 5)) == 0 else b"",
        body=body,
        layout=draw(layouts),
    )


def _twin(side: Side, body: dict[str, Tree]) -> dict[str, Tree]:
    """What makes a stored record the one that a create means: its name and its times."""
    assert side.v2.request is not None
    times = {name for name, one in side.v2.request.members.items() if one.codec == "timestamp" and not one.read_only}
    return {name: value for name, value in body.items() if name in times | {side.record.body}}


@st.composite
def changes(draw: DrawFn, world: World, side: Side) -> Case:
    """A valid request and another value for one of its writable members, or for one that nobody knows."""
    case = draw(writes(world, side))
    body = case.body
    assert isinstance(body, dict)
    assert side.v2.request is not None
    able = {n: s for n, s in side.v2.request.members.items() if writable(side, n) and not s.members and s.items is None}
    name = draw(st.sampled_from([*able, "loyalty"]))
    schema = able.get(name)
    value: Tree | None
    if schema is None:
        value = draw(unknown_values)
    elif name not in side.v2.request.required and name in body and draw(st.booleans()):
        value = None
    else:
        value = draw(leaf(schema, SENT_TIMES, f"{PUBLIC}/v2/"))
    return replace(case, query=b"", state=replace(case.state, conflict=False), change=(name, value))


def writable(side: Side, name: str) -> bool:
    """Whether a request member is the caller's to set: not the answer's own, not another record."""
    assert side.v2.request is not None
    assert side.native.request is not None
    member = side.v2.request.members[name]
    relation = "object" in member.types and not member.members and name not in side.native.request.members
    return not member.read_only and not relation


@st.composite
def reads(draw: DrawFn, world: World, side: Side, *, plain: bool = False) -> Case:
    """A stored state and a request to an endpoint that reads it; `plain` without a query."""
    query = draw(queries(side.v2)) if not plain and (draw(st.booleans()) or not side.single) else b""
    case = None if plain else draw(st.sampled_from([None, *side.spec.cases.values()]))
    if case is not None:
        others = [pair for pair in query.decode().split("&") if pair and not pair.startswith(f"{case.query}=")]
        query = "&".join([*others, f"{case.query}={case.equals}"]).encode()
    state = draw(states(world, side))
    return Case(draw(switches(world)), state, REF if side.single else "", query, layout=draw(layouts))


@st.composite
def failures(draw: DrawFn, world: World, side: Side) -> Case:
    """An error of v2.1, in the shape that its contract promises or in none."""
    body = draw(requests(side.v2, side.native, frozenset())) if side.v2.request is not None else b""
    status, schema = draw(st.sampled_from([(s, one) for s, one in side.native.answers.items() if s >= 400 and one]))
    told: dict[str, Tree] = draw(records(schema, extra=True))
    text = draw(st.sampled_from((b"", b"<html>busy</html>", written(told), written(told), written(told))))
    state = State(error=Answer(status, [(b"Content-Type", b"application/json")], text))
    return Case(draw(switches(world)), state, REF if side.single else "", draw(queries(side.v2)), body, draw(layouts))


__all__ = ["REF", "Case", "changes", "failures", "reads", "relations", "unknown_names", "writable", "writes"]
