"""What v2 itself would answer for a stored state, from the two contracts and the facts of F§2; no rule is read.

A leaf that both contracts have at one place is the same fact. v2 prints its relations always: as one link to all of them
where its contract asks for a link, as a list of links where it asks for a list. Of a list's elements it prints what the
contract requires, unless the caller asked to expand them (F§2.2, F§2.6).
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from msgspec.json import decode

from proxy.mapping.contract import Schema
from tests.laws.documents import token
from tests.laws.known import once
from tests.laws.trees import Tree, below, object_at
from tests.laws.world import PLATFORM, PUBLIC

NOTHING = Schema()


def own_link(made: dict[str, Tree]) -> str:
    """A record's own link as a caller shall read it."""
    link = made.get("href")
    return ours(link) if isinstance(link, bytes) else ""


def ours(link: bytes) -> str:
    """The platform's v2.1 link as the caller's link to the proxy."""
    text = str(decode(link))
    native = f"{PLATFORM}/v2.1/"
    return f"{PUBLIC}/v2/{text[len(native) :]}" if text.startswith(native) else text


def milliseconds(time: bytes) -> bytes:
    """A time as v2 prints it: UTC, three digits of a second (F§6.18)."""
    try:
        when = datetime.fromisoformat(str(decode(time)))
    except ValueError:
        return time
    if when.tzinfo is None:
        return time
    whole = when.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
    return token(f"{whole}Z")


def leaf(schema: Schema, value: bytes) -> bytes:
    """One leaf in v2's writing."""
    if schema.codec == "href" and value[:1] == b'"':
        return token(ours(value))
    if schema.codec == "whole" and value[:1] not in {b"n", b'"'}:
        return b"%d" % int(Decimal(value.decode()))
    return milliseconds(value) if schema.codec == "timestamp" else value


def view(v2: Schema, native: Schema, made: Tree, *, full: bool, expanded: bool = False) -> Tree:
    """v2's rendering of what v2.1 renders as `made`; `full` for a whole record, else only what v2 requires."""
    match made:
        case bytes():
            return leaf(v2, made)
        case list():
            inside, within = v2.items or NOTHING, native.items or NOTHING
            links = "href" in inside.members
            return [view(inside, within, one, full=expanded or not links) for one in made]
    out: dict[str, Tree] = {}
    for name, value in made.items():
        mine, theirs = v2.members.get(name), native.members.get(name)
        if mine is None and theirs is None:
            if full:
                out[name] = value
        elif mine is None and theirs is not None and isinstance(value, dict):
            unknown = {one: inside for one, inside in value.items() if one not in theirs.members}
            out.update({name: unknown} if full and unknown else {})
        elif mine is not None and theirs is not None and (full or name in v2.required):
            out[name] = view(mine, theirs, value, full=bool(mine.required) or full, expanded=expanded)
    if full:
        out.update(_relations(v2, native, made))
    return out


def _relations(v2: Schema, native: Schema, made: dict[str, Tree]) -> dict[str, Tree]:
    """The members that stand for other records."""
    out: dict[str, Tree] = {}
    for name, mine in v2.members.items():
        theirs = native.members.get(name, NOTHING)
        if "object" not in mine.types or "items" not in theirs.members or not mine.required:
            continue
        if "href" in mine.required:
            out[name] = {"href": token(f"{own_link(made)}/{name}")}
        else:
            items = object_at(made, name).get("items", [])
            out[name] = {"items": view(mine.members["items"], theirs.members["items"], items, full=False)}
    return out


@once
def unsaid(v2: Schema, native: Schema) -> frozenset[str]:
    """The places of v2 of which v2.1's contract says nothing under that name: other laws and goldens speak of them."""
    return frozenset(_unsaid(v2, native, ""))


def _unsaid(v2: Schema, native: Schema, pointer: str) -> set[str]:
    places: set[str] = set()
    for name, mine in v2.members.items():
        theirs = native.members.get(name)
        if theirs is None and "items" not in mine.members and "href" not in mine.required:
            places |= {where for where, _ in mine.walk(below(pointer, name))}
        elif theirs is not None:
            places |= _unsaid(mine, theirs, below(pointer, name))
    if v2.items is not None and native.items is not None:
        places |= _unsaid(v2.items, native.items, f"{pointer}/*")
    return places
