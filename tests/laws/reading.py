"""The laws of answers, and of everything that passes: Same answer, Unknowns, Tokens, No aliasing."""

from __future__ import annotations

import copy
from dataclasses import replace

from msgspec.json import decode

from proxy.errors import Refused
from proxy.mapping.contract import Schema
from proxy.wire.target import decoded, parameters, split
from tests.laws.cases import Case, relations, writable
from tests.laws.documents import UNKNOWN_NAMES, token
from tests.laws.known import PART, checker, places
from tests.laws.ledger import Ledger
from tests.laws.store import Store
from tests.laws.trees import Leaves, Tree, difference, leaves, members, place, root, tree
from tests.laws.view import own_link, unsaid, view
from tests.laws.world import Drive, Side, World, asked, drive, success
from tests.laws.writing import NOTHING, blank, fits, for_a_reason, lost_queries, sent


def same_answer(world: World, side: Side, case: Case, ledger: Ledger) -> None:
    """For every stored state v2's own answer and the translated one agree."""
    if case.state.error is not None:
        _same_error(world, side, case)
        return
    case = replace(case, state=replace(case.state, parts={}))  # v2 itself knows of no such part
    store = Store(world, case.state, side.record)
    made = sent(world, side, case, store)
    if made is None:
        return
    mapping = world.mapping(case.switches)
    lost_queries(mapping, side, case, made, ledger)
    assert made.reply.answer.status == min(side.v2.answers), "another status than v2's own"
    fits(mapping, side, made)
    native = members(made.reply.native.body)
    whole = Store(world, replace(case.state, whole_seconds=False), side.record)
    before = _stored_answer(whole, made)
    expected = leaves(v2_answer(world, side, case, before))
    got, theirs = leaves(members(made.reply.answer.body)), leaves(native)
    free = _free(world, side, case)
    for pointer, (want, ours) in difference(expected, got).items():
        schema = places(side.shown).get(place(pointer), NOTHING)
        if place(pointer) in free:
            continue
        token_there = theirs.get(pointer, b"")
        codec = mapping.codecs.get(schema.codec)
        if (
            want is not None
            and ours is not None
            and codec is not None
            and codec.explains(want, token_there, ours)
        ):
            rule = codec.rule_for(token_there)
            if rule in world.renamed:
                continue
            assert rule in mapping.losses, f"{pointer}: {want!r} became {ours!r} and no loss is declared"
            ledger.note(mapping, rule)
            continue
        hidden = ours is None and ledger.declared(mapping, made.reply.trace, pointer, token_there)
        assert hidden, f"{pointer}: v2 answers {want!r}, translated it is {ours!r}"


def _free(world: World, side: Side, case: Case) -> set[str]:
    """The places of v2's answer of which v2.1's contracts say nothing."""
    free = set(unsaid(side.shown, side.stored))
    if side.v2.path.removeprefix("/v2/") != side.native.path.removeprefix("/v2.1/"):
        free |= {"/href", "/items/*/href"}  # one has another address in v2, of which goldens speak
    name = _expanded(world, side, case)
    if name:
        ours = side.shown.members[name].members["items"]
        theirs = success(world.source.v2_1.operation(f"GET {side.native.path}/{name}")).members["items"]
        inside = f"/{name}/items"
        free = {one for one in free if not one.startswith(f"{inside}/")}
        free |= {inside + one for one in unsaid(ours, theirs)}
    return free


def _expanded(world: World, side: Side, case: Case) -> str:
    """The relation that a record's caller wants to see in full; empty for none."""
    query = {name: decoded(value or b"") for name, value in parameters(case.query)}
    name = query.get(b"expand", "")
    return name if side.single and name in relations(world, side) else ""


def _stored_answer(store: Store, made: Drive) -> dict[str, Tree]:
    """v2.1's answers without its forgetfulness about parts of seconds, one put into the other as v2 does."""
    calls = made.calls[:1] + [one for one in made.calls[1:] if not one.target.endswith(PART.encode())]
    first, *more = [members(store.answer(call).body) for call in calls]
    for call, one in zip(calls[1:], more, strict=True):
        first[split(call.target)[0].decode().rpartition("/")[2]] = one
    return first


def v2_answer(world: World, side: Side, case: Case, native: dict[str, Tree]) -> Tree:
    """v2's own answer, where v2.1 has this one."""
    if not side.single:
        whole = (b"expand", b"true") in parameters(case.query)
        return view(side.shown, side.stored, native, full=True, expanded=whole)
    shown = view(side.shown, side.stored, native, full=True)
    assert isinstance(shown, dict)
    name = _expanded(world, side, case)
    if name:
        page, inside = native[name], side.shown.members[name]
        assert isinstance(page, dict)
        shown[name] = {
            one: view(inside.members[one], inside.members[one], value, full=True, expanded=True)
            for one, value in page.items()
            if one in inside.members
        }
        shown["href"] = token(f"{own_link(native)}?expand={name}")
    return shown


def _same_error(world: World, side: Side, case: Case) -> None:
    """An error is v2's in shape and says what v2.1 said."""
    mapping = world.mapping(case.switches)
    try:
        request = asked(mapping, side, case.ref, case.query, case.text)
        made = drive(mapping, request, Store(world, case.state, side.record))
    except Refused as no:
        for_a_reason(world, side, case, no)
        return
    answer, native = made.reply.answer, made.reply.native
    endpoint = mapping.endpoints[side.spec.id]
    assert answer.status in {*side.v2.answers, *endpoint.status.values()}, f"v2 answers no {answer.status}"
    schema = next(one for status, one in side.v2.answers.items() if status >= 400 and one is not None)
    for finding in checker(schema).findings(answer.body):
        assert finding.kind == "extra", f"{finding.pointer} is {finding.found}"
        assert finding.name in UNKNOWN_NAMES, f"{finding.name} is not v2's"
    body = decode(answer.body)
    assert body["status"] == body["code"] == answer.status
    said, shown = leaves(_told(native.body)), leaves(tree(answer.body))
    for pointer, value in said.items():
        known = pointer[1:] in schema.members
        if (
            known
            and value != b"{}"
            and pointer not in {"/status", "/code"}
            and value[:1] == b'"'
            and pointer in shown
        ):
            assert shown[pointer] == value, f"{pointer} was lost"
        if pointer and root(pointer) in UNKNOWN_NAMES:
            assert shown[pointer] == value, f"{pointer} was lost"


def _told(body: bytes) -> dict[str, Tree]:
    return members(body) if body[:1] == b"{" else {}


def unknowns(world: World, side: Side, case: Case, ledger: Ledger) -> None:
    """A member that nobody knows comes out token for token, on the way in and on the way back."""
    store = Store(world, case.state, side.record)
    made = sent(world, side, case, store)
    if made is None or made.reply.answer.status >= 400 or not made.reply.answer.body:
        return
    if side.v2.request is not None:
        _kept(members(case.text), members(made.carried.body), side.v2.request, side.native.request)
    _kept(members(made.reply.native.body), members(made.reply.answer.body), side.stored, side.shown)


def _kept(given: Tree, came: Tree, schema: Schema, other: Schema | None) -> None:
    """Every unknown member of a record, and of the objects in it that both contracts have."""
    if not isinstance(given, dict) or not isinstance(came, dict) or other is None:
        return
    for name, value in given.items():
        if name not in schema.members and name not in other.members:
            assert leaves(came.get(name, b"")) == leaves(value), f"{name!r} came out as {came.get(name)!r}"
        elif name in other.members and name in schema.members and "items" not in schema.members[name].members:
            _kept(value, came.get(name, {}), schema.members[name], other.members[name])


def tokens(world: World, side: Side, case: Case, ledger: Ledger) -> None:
    """A value that no codec names has the same bytes on both sides; with nothing to edit it is the same body."""
    mapping = world.mapping(case.switches)
    request = asked(mapping, side, case.ref, case.query, case.text)
    try:
        made = drive(mapping, request, Store(world, case.state, side.record))
    except Refused:
        return
    if side.v2.request is not None and side.native.request is not None:
        if _nothing_to_edit(world, side, case):
            assert made.carried.body is request.body, "nothing had to be edited, and it is another body"
        _bytes(
            world, side.v2.request, side.native.request, leaves(case.body), leaves(tree(made.carried.body))
        )
    answer = made.reply.answer
    if answer.status < 300:
        given, came = leaves(tree(made.reply.native.body)), leaves(tree(answer.body))
        _bytes(world, side.stored, side.shown, given, came, lost=True)
        if not made.reply.trace:
            assert answer.body is made.reply.native.body


def _named(world: World) -> set[str]:
    """The leaf types that a codec speaks for."""
    return {one.type for one in world.source.api.codec} | {one.type for one in world.source.values.table}


def _bytes(
    world: World, here: Schema, there: Schema, given: Leaves, came: Leaves, *, lost: bool = False
) -> None:
    left, right, named = places(here), places(there), _named(world)
    for pointer, value in given.items():
        one, other = left.get(place(pointer)), right.get(place(pointer))
        if one is None or other is None or one.codec in named or other.codec in named or not one.codec:
            continue
        if blank(one, value) or (lost and pointer not in came):
            continue
        assert came.get(pointer) == value, f"{pointer}: {value!r} became {came.get(pointer)!r}"


def _nothing_to_edit(world: World, side: Side, case: Case) -> bool:
    """Whether every member may stand in v2.1 as it is, and v2.1 asks for no other."""
    native = places(side.native.request or NOTHING)
    tables = {one.type for one in world.source.values.table if any(e.direction == "both" for e in one.entry)}
    tables |= {"href", "whole"}
    assert isinstance(case.body, dict)
    for pointer, value in leaves(case.body).items():
        here = places(side.v2.request or NOTHING).get(place(pointer))
        if here is not None and (place(pointer) not in native or blank(here, value) or here.codec in tables):
            return False
    known = (side.v2.request or NOTHING).members
    own = all(name not in known or writable(side, name) for name in case.body)
    return own and all(name in case.body for name in (side.native.request or NOTHING).required)


def no_aliasing(world: World, side: Side, case: Case, ledger: Ledger) -> None:
    """What goes in is not changed, and twice the same comes out twice the same."""
    mapping = world.mapping(case.switches)
    request = asked(mapping, side, case.ref, case.query, case.text)
    before = (
        copy.deepcopy(request.pairs),
        list(request.headers),
        dict(request.parameters),
        bytes(request.body),
    )
    ends: list[object] = []
    for _ in range(2):
        try:
            made = drive(mapping, request, Store(world, case.state, side.record))
            ends.append((made.calls, made.reply))
        except Refused as no:
            ends.append(([], str(no.detail)))
        assert (request.pairs, request.headers, request.parameters, request.body) == before
    assert ends[0] == ends[1]
