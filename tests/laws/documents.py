"""Documents made from a contract: requests that v2 takes, records as the platform stores them, queries.

Nothing here knows a field. What may stand at a place follows from its schema: the type, the values it lists, the codec
type of the leaf, whether only answers carry it. Every choice is one byte of a row of `Dice`, so that Hypothesis draws a
document at once and shrinks it choice by choice: 0 is always the plainest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from msgspec.json import encode

from proxy.mapping.contract import Operation, Schema
from tests.laws.trees import Tree
from tests.laws.world import ALIAS, PLATFORM, PUBLIC

T = TypeVar("T")

NUMBERS = (
    *(
        b"0",
        b"-0",
        b"12",
        b"12.0",
        b"30.60",
        b"1e2",
        b"1E+2",
        b"-7.5e-3",
        b"0.10",
        b"1.0000000000000000000001",
    ),
    *(b"12345678901234567890", b"99999999999999999999.99", b"0e0", b"-1"),
)
STRINGS = (
    *(
        b'""',
        b'"a"',
        b'" "',
        b'"B94TXY-1"',
        b'"caf\\u00e9"',
        '"café"'.encode(),
        b'"\\"\\\\\\/\\t"',
        b'"null"',
        b'"0001"',
    ),
    *(
        b'"\\ud83d\\ude00"',
        '"\U0001f600"'.encode(),
        b'"/v2/"',
        b'"https://example.com/v2.1/x"',
        b'"{}[],:"',
        b'"\\u0041"',
    ),
)
SENT_TIMES = (
    *(b'"2025-12-19T12:07:18.149Z"', b'"2025-12-19T12:07:18Z"', b'"2025-12-19T12:07:18.149999Z"'),
    *(b'"2024-02-29T23:59:59.5+02:00"', b'"2024-01-01T00:00Z"', b'"1999-12-31T23:30:00-0500"'),
)
STORED_TIMES = (
    *(b'"2025-12-19T12:07:18.149Z"', b'"2024-01-01T16:17:16Z"', b'"2024-02-29T23:59:59.500+02:00"'),
    *(b'"2024-06-30T22:00:00.000Z"', b'"2001-09-09T01:46:40.999Z"'),
)
WHOLES = (b"0", b"1", b"-3", b"10", b"100", b"1000000", b"12345678901234567890")
ROW = 224
"""Choices that a long example takes."""
UNSET = (b'"0001-01-01T00:00:00"', b'"0001-01-01T00:00:00Z"', b'"0001-01-01T00:00:00.000+00:00"')
REFS = (
    "2d7de9df-45a2-45ea-872c-30e45139007d",
    "7D3D9F0E-9C1C-4D52-8A8E-5A7F5D1F7F03",
    "r1",
    "A_b.c~d",
    "00000000",
)
UNKNOWN_NAMES = ("loyalty", "x-note", "café", "a/b", "m~n", "", " ", 'q"q', "items2", "0", "*", "{unknown}")
_POINTS: list[Tree] = [b"1e5", {"note": b"null"}]
_NUMBERS: list[Tree] = [b"1", b"2.50", b"null"]
_ITEMS: list[Tree] = [{"status": b'"BROWSED"'}]
UNKNOWN: tuple[Tree, ...] = (
    *(b"null", b"true", b"1.50", b'"0001-01-01T00:00:00"', b'"x\\u0041"', b"-0"),
    dict[str, Tree](),
    list[Tree](),
    _NUMBERS,
    dict[str, Tree](tier=b'"gold"', since=b'"0001-01-01T00:00:00"', points=_POINTS),
    dict[str, Tree](href=f'"{PLATFORM}/v2.1/strange"'.encode(), items=_ITEMS),
)


def token(text: str) -> bytes:
    """A text as JSON."""
    return encode(text)


@dataclass
class Dice:
    """A row of choices, taken one after another; behind its end the plainest is chosen."""

    row: bytes
    texts: tuple[bytes, ...] = ()
    """A text and a number of the example's own, among those that every example knows."""
    numbers: tuple[bytes, ...] = ()
    at: int = 0

    def number(self) -> int:
        """The next byte."""
        self.at += 1
        return self.row[self.at - 1] if self.at <= len(self.row) else 0

    def pick(self, options: Sequence[T]) -> T:
        """One of some."""
        return options[self.number() % len(options)]

    def chance(self, of: int) -> bool:
        """True once in so many."""
        return self.number() % of == of - 1


_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6).map(lambda one: (token(one),))
_numbers = st.decimals(-99999, 99999, places=3).map(lambda one: (str(one).encode(),))
dice: SearchStrategy[Dice] = st.builds(Dice, st.binary(min_size=ROW, max_size=ROW), _texts, _numbers)


def unknowns(dice: Dice) -> dict[str, Tree]:
    """Members that no contract knows; mostly none."""
    return {dice.pick(UNKNOWN_NAMES): dice.pick(UNKNOWN) for _ in range(dice.pick((0, 0, 1, 2)))}


def leaf(dice: Dice, schema: Schema, times: Sequence[bytes], link: str) -> bytes:
    """A value of a leaf; `link` is the beginning of links on this side."""
    if schema.enum:
        return _spelled(dice.pick(schema.enum), dice)
    match schema.codec:
        case "timestamp":
            return dice.pick(times)
        case "href":
            return token(link + dice.pick(("a/1", "guests/7D", "x?offset=0&limit=10")))
        case "ref":
            return token(dice.pick(REFS))
        case "whole" if "number" in schema.types:
            return dice.pick((*WHOLES, b"2.0", b"1e2", b"30.00", b"-0.0"))
    options = {
        "number": (*NUMBERS, *dice.numbers),
        "integer": WHOLES,
        "string": (*STRINGS, *dice.texts, *dice.texts, *dice.texts),
        "boolean": (b"true", b"false"),
    }
    return dice.pick([one for name in schema.types for one in options[name]] or STRINGS)


def _spelled(text: str, dice: Dice) -> bytes:
    """A word of a closed list, now and then with its first letter escaped."""
    plain = token(text)
    return b'"\\u%04x%s' % (ord(text[0]), plain[2:]) if dice.chance(5) else plain


def request(dice: Dice, v2: Operation, native: Operation, policies: frozenset[str]) -> dict[str, Tree]:
    """A body that v2 takes for an operation; `native` tells which members v2.1 takes at all."""
    assert v2.request is not None
    return _object(dice, v2.request, native.request, policies)


def _object(dice: Dice, schema: Schema, native: Schema | None, policies: frozenset[str]) -> dict[str, Tree]:
    made: dict[str, Tree] = {}
    for name, member in schema.members.items():
        fate = "value" if name in schema.required else dice.pick(_fates(member, native, name, policies))
        match fate:
            case "null":
                made[name] = b"null"
            case "unset":
                made[name] = dice.pick(UNSET)
            case "value":
                made[name] = _member(dice, member, native, name, policies)
    return {**made, **unknowns(dice)}


def _fates(schema: Schema, native: Schema | None, name: str, policies: frozenset[str]) -> list[str]:
    """What may become of an optional member: members of answers only are rarer, so that bodies stay small."""
    fates = ["absent", "absent", "value"]
    if not schema.read_only and not _relation(schema, native, name):
        fates += ["value", "value"]
    if "drop-null" in policies:
        fates.append("null")
    if schema.codec == "timestamp" and "drop-unset" in policies:
        fates.append("unset")
    return fates


def _relation(schema: Schema, native: Schema | None, name: str) -> bool:
    """Whether a request member stands for other records: it has no leaves of its own and v2.1 has no such member."""
    return not schema.members and "object" in schema.types and (native is None or name not in native.members)


def _member(dice: Dice, schema: Schema, native: Schema | None, name: str, policies: frozenset[str]) -> Tree:
    if _relation(schema, native, name):
        return dice.pick(_returned(schema, name))
    if schema.members:
        return _object(dice, schema, native.members.get(name) if native else None, policies)
    if schema.items is not None:
        inside = schema.items
        return [_member(dice, inside, None, "", frozenset()) for _ in range(dice.pick((0, 1, 2, 3)))]
    return leaf(dice, schema, SENT_TIMES, f"{PUBLIC}/v2/")


def _returned(schema: Schema, name: str) -> list[Tree]:
    """A relation as a read returned it."""
    link: dict[str, Tree] = {"href": token(f"{PUBLIC}/v2/orders/1/{name}")}
    old: dict[str, Tree] = {"href": token(f"{ALIAS}/v2/guests/1")}
    page: list[Tree] = [link, {"items": []}, {"items": [link, old]}]
    around: dict[str, Tree] = {"href": link["href"], "offset": b"0", "limit": b"10", "items": [old]}
    page += [around, {**around, **dict.fromkeys(("first", "last", "next", "previous"), link)}]
    return [*page, [], [old]] if "array" in schema.types else page


def record(dice: Dice, schema: Schema, *, extra: bool = True) -> dict[str, Tree]:
    """A record as v2.1 would answer it; links to itself and its children are set by the store."""
    made: dict[str, Tree] = {}
    for name, member in schema.members.items():
        if name in schema.required or not dice.chance(3):
            made[name] = _stored(dice, member, extra=extra)
    return {**made, **unknowns(dice)} if extra else made


def _stored(dice: Dice, schema: Schema, *, extra: bool) -> Tree:
    if schema.members:
        link = set(schema.members) == {"href"} or "items" in schema.members
        return record(dice, schema, extra=extra and not link)
    if schema.items is not None:
        return [_stored(dice, schema.items, extra=extra) for _ in range(dice.pick((0, 1, 2)))]
    return leaf(dice, schema, STORED_TIMES, f"{PLATFORM}/v2.1/")


def query(dice: Dice, operation: Operation) -> bytes:
    """A query that v2's contract allows, in any order, perhaps with a parameter that nobody knows."""
    pairs = [
        f"{name}={dice.pick(_values(one.schema))}"
        for name, one in operation.query.items()
        if one.required or not dice.chance(3)
    ]
    pairs += dice.pick(([], [], ["utm=a%20b"], ["flag"]))
    turn = dice.pick(range(len(pairs) + 1))
    return "&".join(pairs[turn:] + pairs[:turn]).encode()


def _values(schema: Schema) -> Sequence[str]:
    if "integer" in schema.types:
        return ("0", "1", "10", "99", "100", "101", "500", "007", "99999999999999999999")
    return ("true", "false", "B94TXY-1", "a%20b", "a+b", "orderItems")
