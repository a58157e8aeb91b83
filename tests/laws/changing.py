"""The law Mutation: a change of one member arrives, and nothing else does."""

from __future__ import annotations

from dataclasses import replace

from proxy.mapping.contract import Schema
from tests.laws.cases import Case
from tests.laws.known import places
from tests.laws.ledger import Ledger
from tests.laws.store import NEW, Store
from tests.laws.trees import Tree, below, difference, leaves, place, word
from tests.laws.view import leaf
from tests.laws.world import Side, World
from tests.laws.writing import NOTHING, blank, sent


def mutation(world: World, side: Side, case: Case, ledger: Ledger) -> None:
    """A change of one writable member arrives, and nothing else does."""
    assert isinstance(case.body, dict)
    name, value = case.change
    other = {one: old for one, old in case.body.items() if one != name}
    if value is not None:
        other[name] = value
    if _same_number(side, name, case.body.get(name), value) or _respelled(
        side, name, case.body.get(name), value
    ):
        return
    ends = []
    for body in (case.body, other):
        store = Store(world, case.state, side.record)
        made = sent(world, side, replace(case, body=body), store)
        if made is None:
            return
        ref = case.ref or NEW
        whole = {**store.state.records[ref], **store.state.parts.get(ref, {})}
        ends.append((leaves(whole), made.reply.trace, leaves(body)))
    (before, _, wrote), (after, trace, writes) = ends
    wished = {p: both for p, both in difference(wrote, writes).items() if not _both_blank(side, p, both)}
    # Taking away what would be made up just so changes nothing: the very loss that a default declares.
    restored = {(one.pointer, one.after) for one in trace if one.before is None}
    asked_for = {
        p: (old, new)
        for p, (old, new) in wished.items()
        if ((p, old) not in restored if new is None else before.get(p) != new)
    }
    arrived = difference(before, after)
    made_up = {
        p
        for p in arrived
        if any(one.before is None and one.after == after.get(p, before.get(p)) for one in trace + ends[0][1])
    }
    assert bool(asked_for) == bool(arrived), f"asked for {asked_for}, arrived {arrived}"
    for pointer, (_, new) in asked_for.items():
        known = (
            place(pointer) in places(side.native.request or NOTHING)
            or name not in (side.v2.request or NOTHING).members
        )
        if known:
            assert pointer in arrived or pointer in made_up, f"{pointer} did not arrive: {arrived}"
        mapped = {one.after for one in trace if one.before == new}
        if new is not None and not blank(_schema(side, pointer), new):
            there = [there for _, there in arrived.values()]
            assert new in there or mapped & set(there), f"{new!r} did not arrive: {arrived}"
    assert len(arrived.keys() - made_up) <= len(asked_for), f"more than {list(asked_for)} changed: {arrived}"


def _respelled(side: Side, name: str, old: Tree | None, new: Tree | None) -> bool:
    """Whether a word of a closed list only got another spelling, which a value table may undo."""
    listed = _schema(side, below("", name)).enum
    return bool(listed) and isinstance(old, bytes) and isinstance(new, bytes) and word(old) == word(new)


def _same_number(side: Side, name: str, old: Tree | None, new: Tree | None) -> bool:
    """Whether a whole number only got another spelling, which is sent alike."""
    schema = _schema(side, below("", name))
    if schema.codec != "whole" or not isinstance(old, bytes) or not isinstance(new, bytes):
        return False
    return leaf(schema, old) == leaf(schema, new)


def _schema(side: Side, pointer: str) -> Schema:
    return places(side.v2.request or NOTHING).get(place(pointer), NOTHING)


def _both_blank(side: Side, pointer: str, both: tuple[bytes | None, bytes | None]) -> bool:
    schema = _schema(side, pointer)
    known = schema is not NOTHING
    return known and all(one is None or blank(schema, one) for one in both)
