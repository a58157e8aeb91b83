"""The laws of an endpoint that writes: Echo, Read-modify-write, Mutation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from proxy.errors import Refused
from proxy.mapping.api import CompiledMapping
from proxy.mapping.contract import Schema
from proxy.mapping.nodes import Firing
from tests.laws.cases import Case, writable
from tests.laws.documents import UNKNOWN_NAMES, UNSET
from tests.laws.known import places
from tests.laws.ledger import Ledger
from tests.laws.store import CREATED, MODIFIED, Store, cut
from tests.laws.trees import Tree, below, difference, leaves, members, place, root, word
from tests.laws.view import leaf, milliseconds, unsaid
from tests.laws.world import PUBLIC, Drive, Side, World, asked, drive

NOTHING = Schema()


def sent(world: World, side: Side, case: Case, store: Store) -> Drive | None:
    """The exchange of a request; `None` when it was refused for something that v2.1 has no place for."""
    mapping = world.mapping(case.switches)
    try:
        made = drive(mapping, asked(mapping, side, case.ref, case.query, case.text), store)
    except Refused as no:
        for_a_reason(world, side, case, no)
        return None
    said = made.reply.answer.status
    allowed = set(side.v2.answers) | set(mapping.endpoints[side.spec.id].status.values())
    assert said in allowed, f"v2 answers no {said}"
    assert not made.reply.untranslated, f"not said in v2's words: {made.reply.untranslated}"
    for name, value in made.reply.answer.headers:
        assert name != b"Location" or value.startswith(f"{PUBLIC}/v2/".encode()), "Location leads elsewhere"
    return made


def echo(world: World, side: Side, case: Case, ledger: Ledger) -> None:
    """What a v2 caller writes it reads back, at once and later."""
    store = Store(world, case.state, side.record)
    made = sent(world, side, case, store)
    if made is None:
        return
    mapping = world.mapping(case.switches)
    lost_queries(mapping, side, case, made, ledger)
    first = made.reply.answer
    if first.status == 409:
        assert store.state.records.keys() == case.state.records.keys(), "a conflict wrote something"
        return
    ref = case.ref or str(_text(members(first.body)["ref"]))
    reader = world.reader(side)
    again = sent(world, reader, replace(case, ref=ref, query=b"", body=b""), store)
    assert again is not None
    assert isinstance(case.body, dict)
    seen = Seen(mapping, case, [*made.reply.trace, *again.reply.trace], ledger)
    for one, told in ((made, side), (again, reader)):
        body = one.reply.answer.body
        _echoed(side, told, members(body), seen)
        fits(mapping, told, one)
    _words_stay(side, case.body, store.state.records[ref])
    before = case.state.records.get(ref, {})
    for name, member in (side.v2.request or NOTHING).members.items():
        if member.read_only and member.codec == "timestamp":
            now = store.state.records[ref].get(name)
            own = (MODIFIED,) if name == side.record.stamp else (CREATED, before.get(name))
            assert now in own, f"{name} was overwritten by the caller"


def _text(token: Tree) -> str:
    assert isinstance(token, bytes)
    return token[1:-1].decode()


def _words_stay(side: Side, body: dict[str, Tree], stored: dict[str, Tree]) -> None:
    """A word that both versions list is stored as it was sent; no table may take it for another."""
    for name, member in (side.native.request or NOTHING).members.items():
        sent, there = body.get(name), stored.get(name)
        if isinstance(sent, bytes) and member.enum and word(sent)[1:-1].decode() in member.enum:
            assert isinstance(there, bytes), f"{name} was not stored"
            assert word(there) == word(sent), f"{name}: {sent!r} was stored as {there!r}"


def lost_queries(mapping: CompiledMapping, side: Side, case: Case, made: Drive, ledger: Ledger) -> None:
    """A parameter that stays behind is a declared loss, unless the endpoint has a case for it."""
    handled = {one.query for one in side.spec.cases.values()}
    for one in made.reply.trace:
        if one.pointer[:1] == "?" and one.after is None and one.pointer[1:] not in handled:
            assert ledger.declared(mapping, [one], one.pointer, one.before), (
                f"{one.pointer} was lost in silence"
            )


def for_a_reason(world: World, side: Side, case: Case, no: Refused) -> None:
    """A valid request may be refused for a parameter that v2.1 has not, or not with others; or as the operator chose."""
    if no.rule in world.chosen(side, case.switches):
        return
    names = set(no.pointer.removeprefix("?").split(","))
    assert no.pointer[:1] == "?", f"refused: {no.detail}"
    assert names & set(side.v2.query), f"refused for {no.pointer}: {no.detail}"
    assert names - set(side.native.query) or len(names) > 1, f"refused for {no.pointer}: {no.detail}"


@dataclass(frozen=True)
class Seen:
    """What is known about one example while its leaves are compared."""

    mapping: CompiledMapping
    case: Case
    trace: list[Firing]
    ledger: Ledger


def _echoed(side: Side, told: Side, answer: dict[str, Tree], seen: Seen) -> None:
    case, mapping, trace, ledger = seen.case, seen.mapping, seen.trace, seen.ledger
    assert isinstance(case.body, dict)
    schema = side.v2.request or NOTHING
    known = places(schema)
    got, wrote, free = leaves(answer), leaves(case.body), unsaid(told.shown, told.stored)
    for name in case.body:
        if name in schema.members and not writable(side, name):
            taken = any(one.rule in mapping.losses and one.pointer == f"/{name}" for one in trace)
            assert taken, f"{name} went and no loss is declared"
            _count(mapping, trace, f"/{name}", ledger)
    for pointer, value in wrote.items():
        name = root(pointer)
        here = known.get(place(pointer))
        if name in schema.members and not writable(side, name):
            continue
        if here is not None and blank(here, value):
            assert pointer not in got or place(pointer) in free, f"{pointer} says nothing and came back"
            assert ledger.declared(mapping, trace, pointer, value), f"{pointer}: an undeclared loss"
        elif not (here is not None and value in {b"{}", got.get(pointer)}):
            _same(seen, here or NOTHING, pointer, value, got)
    platform = {
        below("", one) for one in told.shown.members if one not in schema.members or not writable(side, one)
    }
    for pointer in got.keys() - wrote.keys():
        if below("", root(pointer)) not in platform and place(pointer) not in free:
            assert got[pointer] == b"{}", f"{pointer} was never written"


def _count(mapping: CompiledMapping, trace: Iterable[Firing], pointer: str, ledger: Ledger) -> None:
    for one in trace:
        if one.pointer == pointer and one.rule in mapping.losses:
            ledger.note(mapping, one.rule)


def blank(schema: Schema, value: bytes) -> bool:
    """Whether a known member says nothing."""
    return value == b"null" or (schema.codec == "timestamp" and value in UNSET)


def _same(seen: Seen, schema: Schema, pointer: str, value: bytes, got: dict[str, bytes]) -> None:
    """One leaf as it was written: token for token, or by what its codec may do."""
    back, want = got.get(pointer), leaf(schema, value)
    if back is None:
        assert seen.ledger.declared(seen.mapping, seen.trace, pointer, value), f"{pointer} is lost"
        return
    codec = seen.mapping.codecs.get(schema.codec)
    if back == want or (word(back) == word(want) and (codec is not None or len(schema.enum) == 1)):
        return
    shorter = cut(value, schema)
    assert isinstance(shorter, bytes)
    assert codec is not None, f"{pointer}: {value!r} came back as {back!r}"
    assert seen.case.state.whole_seconds, f"{pointer}: {value!r} came back as {back!r}"
    assert codec.explains(want, shorter, back), f"{pointer}: {value!r} came back as {back!r}"
    seen.ledger.note(seen.mapping, codec.rule_for(shorter))


def fits(mapping: CompiledMapping, side: Side, made: Drive) -> None:
    """The answer keeps v2's contract, as far as the platform's own freedom lets it."""
    checker = mapping.endpoints[side.spec.id].answers[made.reply.answer.status]
    native = places(side.stored)
    for finding in checker.findings(made.reply.answer.body):
        match finding.kind:
            case "extra":
                home = native.get(f"{finding.pointer.rpartition('/')[0]}/{finding.name}", NOTHING)
                assert finding.name in UNKNOWN_NAMES or home.members, (
                    f"{finding.pointer}: v2 has no {finding.name}"
                )
            case "missing":
                around, _, name = finding.pointer.rpartition("/")
                optional = (
                    around in native and name not in native[around].required and finding.pointer in native
                )
                assert optional, f"{finding.pointer} is missing"
            case "type" | "format":
                raise AssertionError(f"{finding.pointer} is {finding.found}, v2 promises {finding.expected}")


def read_modify_write(world: World, side: Side, case: Case, ledger: Ledger) -> None:
    """What a read answered, posted back as it is, leaves the store as it was."""
    reader = world.reader(side)
    store = Store(world, case.state, side.record)
    mapping = world.mapping(case.switches)
    got = sent(world, reader, case, store)
    assert got is not None
    before, parts = leaves(store.state.records[case.ref]), dict(store.state.parts)
    try:
        posted = sent_back(world, side, case, got, store)
    except Refused as no:
        if no.rule not in world.chosen(side, case.switches):
            _cannot_go_back(side, no, before)
        return
    assert not posted.reply.untranslated
    assert store.state.parts == parts, "another part of the record was changed"
    after = leaves(store.state.records[case.ref])
    writes = {name for name in (side.v2.request or NOTHING).members if writable(side, name)} | set(
        UNKNOWN_NAMES
    )
    for pointer, (old, new) in difference(before, after).items():
        schema = places(side.native.request or NOTHING).get(place(pointer), NOTHING)
        if pointer == f"/{side.record.stamp}" or root(pointer) not in writes:
            continue
        if old is not None and new is not None and schema.codec == "timestamp":
            _same_time(Seen(mapping, case, got.reply.trace, ledger), pointer, old, new)
            continue
        assert ledger.declared(mapping, got.reply.trace, pointer, old), f"{pointer}: {old!r} became {new!r}"


def _cannot_go_back(side: Side, no: Refused, before: dict[str, bytes]) -> None:
    """What was read is refused only where the record lacks what v2 demands, or holds a word that v2 has not."""
    short = (side.v2.request or NOTHING).members.get(no.pointer[1:], NOTHING)
    lacks = no.pointer[1:] in (side.v2.request or NOTHING).required and no.pointer not in before
    beyond = short.enum and before.get(no.pointer, b'""')[1:-1].decode() not in short.enum
    assert lacks or beyond, f"what was read is not taken back: {no.detail}"


def sent_back(world: World, side: Side, case: Case, got: Drive, store: Store) -> Drive:
    """The update with just what the read answered."""
    mapping = world.mapping(case.switches)
    return drive(mapping, asked(mapping, side, case.ref, b"", got.reply.answer.body), store)


def _same_time(seen: Seen, pointer: str, old: bytes, new: bytes) -> None:
    if milliseconds(old) == milliseconds(new):
        return
    codec = seen.mapping.codecs["timestamp"]
    shorter = cut(old, Schema(codec="timestamp"))
    assert isinstance(shorter, bytes)
    assert seen.case.state.whole_seconds, f"{pointer}: {old!r} became {new!r}"
    assert codec.explains(milliseconds(old), shorter, new), f"{pointer}: {old!r} became {new!r}"
    seen.ledger.note(seen.mapping, codec.rule_for(old))
