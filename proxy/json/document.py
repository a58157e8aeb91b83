"""Documents opened one level at a time, every member kept as its own bytes.

A duplicate member is found by arithmetic, not by a second parse.

msgspec checks a whole document and hands over one level of it as a `dict`, but of two members with one name
it keeps the last and says nothing. What it kept can be weighed, though. An object of n members consists of
nothing but

    n key tokens + n values + n colons + n-1 commas + 2 braces + white space between them

and a key without escapes is as long as the key itself plus two quotes. So, in bytes:

    length of the text  ≥  length of the keys + length of the values + 4n + 1   (2 for an empty object)

The difference is white space between tokens, escapes in keys, and members that were lost. If it is zero,
there is none of them: this is the usual case, a compact document, and costs a few additions. Otherwise weigh
both sides without white space. White space between tokens is gone from the left, and what is inside keys and
values is gone from both sides alike. An escape is longer than what it stands for and a lost member has at
least a key's quotes and a colon, so the sides are equal exactly when nothing was lost and no key was
escaped. Only what is then still unequal, an escaped key or a real duplicate, is parsed again by the standard
library, which can report the pairs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable, Iterator
from functools import cache
from typing import Any

import msgspec
from msgspec import Raw

from proxy.errors import Fault, Refused
from proxy.json.check import malformed
from proxy.json.tokens import Kind, Token, kind, wrong_kind

_object = msgspec.json.Decoder(dict[str, Raw])
_array = msgspec.json.Decoder(list[Raw])
_BLANKS = b" \t\r\n"
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def open_object(text: Token, pointer: str = "", known: Container[str] = ()) -> dict[str, Raw]:
    """The members of one object in their order, each value as its own bytes.

    `pointer` is the object's place in the document (RFC 6901), for the error; a member is named in an error
    only if it is in `known`, since a name that a caller made up can be personal data. Raises `Refused`:
    `Fault.DUPLICATE` for a name that stands twice in this object (deeper objects are not looked at),
    `Fault.FIELD` for another kind of value, `Fault.JSON` for what is no JSON.
    """
    try:
        members = _object.decode(text)
    except msgspec.ValidationError:
        raise wrong_kind(pointer, "an object") from None
    except _UNREADABLE as error:
        raise malformed(bytes(text), error) from None
    names, count = "".join(members), len(members)
    names_size = len(names) if names.isascii() else len(names.encode())
    if len(text) != names_size + sum(map(len, members.values())) + _punctuation(count):
        _look_closer(bytes(text), members, pointer, known)
    return members


def one_member(text: bytes, name: str) -> Raw | None:
    """The value of one member of an object, for a quarter of what opening it costs; raises as `open_object` does.

    Of other members standing twice it says nothing.
    """
    if text.count(b'"%b"' % name.encode()) != 1 or b"\\" in text:
        return open_object(text).get(name)
    try:
        value = member_reader(name)(text)
    except _UNREADABLE:
        return open_object(text).get(name)  # which says what is wrong
    return value if len(value) else None


@cache
def member_reader(name: str) -> Callable[[Token], Raw]:
    """Reads the member with this name out of an object, and nothing else of it; empty bytes where there is none.

    Of one that stands twice it gives the last. It raises what msgspec does. `name` is one of the mapping's.
    """
    made = msgspec.defstruct("Member", [("value", Raw, Raw())], rename={"value": name}, gc=False)
    read: Callable[[Token], Any] = msgspec.json.Decoder(made).decode

    def value_of(text: Token) -> Raw:
        value: Raw = read(text).value
        return value

    return value_of


def open_array(text: Token, pointer: str = "") -> list[Raw]:
    """The elements of one array, each as its own bytes.

    Raises `Refused`: `Fault.FIELD` when the value at `pointer` is of another kind, `Fault.JSON` for what is
    no JSON.
    """
    try:
        return _array.decode(text)
    except msgspec.ValidationError:
        raise wrong_kind(pointer, "an array") from None
    except _UNREADABLE as error:
        raise malformed(bytes(text), error) from None


def walk(text: Token, pointer: str = "") -> Iterator[tuple[str, Raw]]:
    """Every value of a document with its pointer (RFC 6901), a parent before its children, in document order.

    The pointers hold the document's own member names: not for logs. Raises as `open_object` and `open_array`
    do.
    """
    waiting = [(pointer, Raw(bytes(text).strip(_BLANKS)))]
    while waiting:
        place, value = waiting.pop()
        yield place, value
        match kind(value):
            case Kind.OBJECT:
                children = [(child(place, name), item) for name, item in open_object(value, place).items()]
            case Kind.ARRAY:
                children = [(f"{place}/{index}", item) for index, item in enumerate(open_array(value, place))]
            case _:
                continue
        waiting.extend(reversed(children))


def child(pointer: str, name: str) -> str:
    """The pointer of a member (RFC 6901 §3: `~` and `/` in a name are escaped)."""
    return f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"


def _look_closer(text: bytes, members: dict[str, Raw], pointer: str, known: Container[str]) -> None:
    """The second and third weighing; raises `Refused` when a member stands twice."""
    kept = "".join(members).encode() + b"".join(members.values())
    if _visible(text) == _visible(kept) + _punctuation(len(members)):
        return
    try:
        pairs = json.loads(text.decode(), object_pairs_hook=list, parse_int=str, parse_float=str)
    except (UnicodeDecodeError, RecursionError) as error:
        raise malformed(text, error) from None
    _refuse_twins((name for name, _ in pairs), pointer, known)


def _punctuation(members: int) -> int:
    """Bytes of quotes, colons, commas and braces in an object of so many members."""
    return 4 * members + 1 if members else 2


def _visible(text: bytes) -> int:
    return len(text.translate(None, _BLANKS))


def _refuse_twins(names: Iterable[str], pointer: str, known: Container[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            shown = name if name in known else "{unknown}"
            place = pointer or "the top of the body"
            detail = f"The object at {place} has the member {shown} more than once. Send it once."
            raise Refused(
                Fault.DUPLICATE, f"{shown}: may not stand twice.", detail, pointer=child(pointer, shown)
            )
        seen.add(name)
