"""Documents made from a contract: requests that v2 takes, records as the platform stores them, queries.

Nothing here knows a field. What may stand at a place follows from its schema: the type, the values it lists, the codec
type of the leaf, whether only answers carry it.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from msgspec.json import encode

from proxy.mapping.contract import Operation, Schema
from tests.laws.trees import Tree
from tests.laws.world import ALIAS, PLATFORM, PUBLIC

NUMBERS = (
    *(b"0", b"-0", b"12", b"12.0", b"30.60", b"1e2", b"1E+2", b"-7.5e-3", b"0.10", b"1.0000000000000000000001"),
    *(b"12345678901234567890", b"99999999999999999999.99", b"0e0", b"-1"),
)
STRINGS = (
    *(b'""', b'"a"', b'" "', b'"B94TXY-1"', b'"caf\\u00e9"', '"café"'.encode(), b'"\\"\\\\\\/\\t"', b'"null"', b'"0001"'),
    *(b'"\\ud83d\\ude00"', '"\U0001f600"'.encode(), b'"/v2/"', b'"https://example.com/v2.1/x"', b'"{}[],:"', b'"\\u0041"'),
)
SENT_TIMES = (
    *(b'"2025-12-19T12:07:18.149Z"', b'"2025-12-19T12:07:18Z"', b'"2025-12-19T12:07:18.149999Z"'),
    *(b'"2024-02-29T23:59:59.5+02:00"', b'"2024-01-01T00:00Z"', b'"1999-12-31T23:30:00-0500"'),
)
STORED_TIMES = (
    *(b'"2025-12-19T12:07:18.149Z"', b'"2024-01-01T16:17:16Z"', b'"2024-02-29T23:59:59.500+02:00"'),
    *(b'"2024-06-30T22:00:00.000Z"', b'"2001-09-09T01:46:40.999Z"'),
)
UNSET = (b'"0001-01-01T00:00:00"', b'"0001-01-01T00:00:00Z"', b'"0001-01-01T00:00:00.000+00:00"')
REFS = ("2d7de9df-45a2-45ea-872c-30e45139007d", "7D3D9F0E-9C1C-4D52-8A8E-5A7F5D1F7F03", "r1", "A_b.c~d", "00000000")
UNKNOWN_NAMES = ("loyalty", "x-note", "café", "a/b", "m~n", "", " ", 'q"q', "items2", "0", "*", "{unknown}")
_UNKNOWN: tuple[Tree, ...] = (
    *(b"null", b"true", b"1.50", b'"0001-01-01T00:00:00"', b'"x\\u0041"', b"-0", {}, []),
    [b"1", b"2.50", b"null"],
    {"tier": b'"gold"', "since": b'"0001-01-01T00:00:00"', "points": [b"1e5", {"note": b"null"}]},
    {"href": f'"{PLATFORM}/v2.1/strange"'.encode(), "items": [{"status": b'"BROWSED"'}]},
)


def token(text: str) -> bytes:
    """A text as JSON."""
    return encode(text)


texts: SearchStrategy[bytes] = st.one_of(
    st.sampled_from(STRINGS),
    st.sampled_from(STRINGS),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=6).map(token),
)
numbers: SearchStrategy[bytes] = st.one_of(
    st.sampled_from(NUMBERS), st.integers().map(lambda n: b"%d" % n), st.decimals(-9999, 9999, places=2).map(lambda n: str(n).encode())
)
wholes: SearchStrategy[bytes] = st.integers(-3, 10**6).map(lambda n: b"%d" % n)
layouts: SearchStrategy[int] = st.integers(0, 10**6)
refs: SearchStrategy[str] = st.sampled_from(REFS)
unknown_names: SearchStrategy[str] = st.sampled_from(UNKNOWN_NAMES)
unknown_values: SearchStrategy[Tree] = st.one_of(
    st.sampled_from(_UNKNOWN), st.sampled_from(_UNKNOWN), numbers, texts, st.lists(numbers, max_size=2).map(list)
)
unknowns: SearchStrategy[dict[str, Tree]] = st.one_of(
    st.just({}), st.dictionaries(unknown_names, unknown_values, max_size=3)
)


def spelled(text: str) -> SearchStrategy[bytes]:
    """A word of a closed list, now and then with its first letter escaped."""
    plain = token(text)
    return st.sampled_from((plain, plain, plain, b'"\\u%04x%s' % (ord(text[0]), plain[2:])))


def leaf(schema: Schema, times: Sequence[bytes], link: str) -> SearchStrategy[bytes]:
    """A value of a leaf; `link` is the beginning of links on this side."""
    if schema.enum:
        return st.sampled_from(schema.enum).flatmap(spelled)
    if schema.codec == "timestamp":
        return st.sampled_from(times)
    if schema.codec == "href":
        return st.sampled_from([token(f"{link}{rest}") for rest in ("a/1", "guests/7D", "x?offset=0&limit=10")])
    if schema.codec == "ref":
        return refs.map(token)
    kinds = {"number": numbers, "integer": wholes, "string": texts, "boolean": st.sampled_from((b"true", b"false"))}
    return st.one_of([kinds[name] for name in schema.types if name in kinds] or [texts, numbers])


@st.composite
def requests(
    draw: DrawFn, v2: Operation, native: Operation, policies: frozenset[str], *, extra: bool = True
) -> dict[str, Tree]:
    """A body that v2 takes for an operation; `native` tells which members v2.1 takes at all."""
    assert v2.request is not None
    assert native.request is not None
    return draw(_object(v2.request, native.request, policies, extra=extra))


@st.composite
def _object(
    draw: DrawFn, schema: Schema, native: Schema | None, policies: frozenset[str], *, extra: bool
) -> dict[str, Tree]:
    made: dict[str, Tree] = {}
    for name, member in schema.members.items():
        needed = name in schema.required
        blanks = _blanks(member, policies)
        fate = 2 if needed else draw(st.integers(0, 3 if blanks else 2))
        if fate == 3:
            made[name] = draw(st.sampled_from(blanks))
        elif fate >= (1 if not _relation(member, native, name) and not member.read_only else 2):
            made[name] = draw(_member(member, native, name, policies, extra=extra))
    if extra:
        made.update(draw(unknowns))
    return made


def _blanks(schema: Schema, policies: frozenset[str]) -> list[bytes]:
    nulls = [b"null"] if "drop-null" in policies else []
    return nulls + [*UNSET] if schema.codec == "timestamp" and "drop-unset" in policies else nulls


def _relation(schema: Schema, native: Schema | None, name: str) -> bool:
    """Whether a request member stands for other records: it has no leaves of its own and v2.1 has no such member."""
    return not schema.members and "object" in schema.types and (native is None or name not in native.members)


def _member(
    schema: Schema, native: Schema | None, name: str, policies: frozenset[str], *, extra: bool
) -> SearchStrategy[Tree]:
    if _relation(schema, native, name):
        return st.sampled_from(_returned(schema, name))
    if schema.members:
        inside = native.members.get(name) if native else None
        return _object(schema, inside, policies, extra=extra)
    if schema.items is not None:
        return st.lists(_element(schema.items, policies, extra=extra), max_size=3).map(list)
    return leaf(schema, SENT_TIMES, f"{PUBLIC}/v2/")


def _element(schema: Schema, policies: frozenset[str], *, extra: bool) -> SearchStrategy[Tree]:
    if schema.members:
        return _object(schema, None, policies, extra=extra)
    return leaf(schema, SENT_TIMES, f"{PUBLIC}/v2/")


def _returned(schema: Schema, name: str) -> list[Tree]:
    """A relation as a read returned it."""
    link: dict[str, Tree] = {"href": token(f"{PUBLIC}/v2/orders/1/{name}")}
    old: dict[str, Tree] = {"href": token(f"{ALIAS}/v2/guests/1")}
    page: list[Tree] = [link, {"items": []}, {"items": [link, old]}]
    page.append({"href": link["href"], "offset": b"0", "limit": b"10", "items": [old]})
    return page + [[], [old]] if "array" in schema.types else page


@st.composite
def records(draw: DrawFn, schema: Schema, *, extra: bool = True, link: str = f"{PLATFORM}/v2.1/") -> dict[str, Tree]:
    """A record as v2.1 would answer it; links to itself and its children are set by the store."""
    made: dict[str, Tree] = {}
    for name, member in schema.members.items():
        if name not in schema.required and draw(st.integers(0, 2)) == 0:
            continue
        made[name] = draw(_stored(member, link, extra=extra))
    if extra:
        made.update({name: value for name, value in draw(unknowns).items() if name not in schema.members})
    return made


def _stored(schema: Schema, link: str, *, extra: bool) -> SearchStrategy[Tree]:
    if schema.members:
        only = set(schema.members) == {"href"}
        return records(schema, extra=extra and not only and "items" not in schema.members, link=link)
    if schema.items is not None:
        return st.lists(_stored(schema.items, link, extra=extra), max_size=3).map(list)
    return leaf(schema, STORED_TIMES, link)


@st.composite
def queries(draw: DrawFn, operation: Operation) -> bytes:
    """A query that v2's contract allows, in any order, perhaps with a parameter that nobody knows."""
    pairs = []
    for name, parameter in operation.query.items():
        if parameter.required or draw(st.booleans()):
            pairs.append(f"{name}={draw(_value(parameter.schema))}")
    pairs += draw(st.sampled_from(([], [], [], ["utm=a%20b"], ["flag"])))
    return "&".join(draw(st.permutations(pairs))).encode()


def _value(schema: Schema) -> SearchStrategy[str]:
    if "integer" in schema.types:
        return st.sampled_from(("0", "1", "10", "99", "100", "101", "500", "007", "99999999999999999999"))
    return st.sampled_from(("true", "false", "B94TXY-1", "a%20b", "a+b", "orderItems"))
