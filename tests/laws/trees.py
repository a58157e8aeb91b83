"""JSON as a tree of tokens: what the laws make, change and compare. Values stay as they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from random import Random
from typing import TypeAlias

import msgspec
from msgspec import Raw

Tree: TypeAlias = "dict[str, Tree] | list[Tree] | bytes"
"""An object, an array, or the token of a leaf."""
Leaves: TypeAlias = dict[str, bytes]

_object = msgspec.json.Decoder(dict[str, Raw])
_array = msgspec.json.Decoder(list[Raw])
_SPACES = ("", "", "", " ", "\n  ", "\t", "\r\n")
_INDEX = re.compile(r"/\d+(?=/|\Z)")


def tree(text: bytes | Raw) -> Tree:
    """The tree of a document."""
    token = bytes(text).strip(b" \t\r\n")
    if token[:1] == b"{":
        return {name: tree(raw) for name, raw in _object.decode(token).items()}
    if token[:1] == b"[":
        return [tree(raw) for raw in _array.decode(token)]
    return token


def members(text: bytes) -> dict[str, Tree]:
    """The tree of a document that is an object."""
    made = tree(text)
    assert isinstance(made, dict), "the document is no object"
    return made


def written(made: Tree, layout: int = 0) -> bytes:
    """The text of a tree; a `layout` other than 0 stands for an order of members and a way of spacing."""
    return _written(made, Random(layout) if layout else None).encode()


def _written(made: Tree, chance: Random | None) -> str:
    if isinstance(made, bytes):
        return made.decode()
    gap = chance.choice(_SPACES) if chance else ""
    if isinstance(made, list):
        return f"[{gap}{f'{gap},'.join(_written(one, chance) for one in made)}]"
    names = list(made)
    if chance:
        chance.shuffle(names)
    parts = [f"{_name(name)}{gap}:{gap}{_written(made[name], chance)}" for name in names]
    return f"{{{gap}{f',{gap}'.join(parts)}{gap}}}"


def _name(name: str) -> str:
    return msgspec.json.encode(name).decode()


def leaves(made: Tree, pointer: str = "") -> Leaves:
    """Every leaf by its pointer; an empty object or array counts as one."""
    return dict(_leaves(made, pointer))


def _leaves(made: Tree, pointer: str) -> Iterator[tuple[str, bytes]]:
    match made:
        case bytes():
            yield pointer, made
        case dict() if made:
            for name, value in made.items():
                yield from _leaves(value, below(pointer, name))
        case list() if made:
            for index, value in enumerate(made):
                yield from _leaves(value, f"{pointer}/{index}")
        case _:
            yield pointer, b"{}" if isinstance(made, dict) else b"[]"


def below(pointer: str, name: str) -> str:
    """The pointer of a member (RFC 6901 §3)."""
    return f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"


def place(pointer: str) -> str:
    """The contract's pointer for a document's: `*` for each index."""
    return _INDEX.sub("/*", pointer)


def root(pointer: str) -> str:
    """The name of the member of the whole that a pointer leads into."""
    return pointer.split("/")[1].replace("~1", "/").replace("~0", "~")


def difference(left: Leaves, right: Leaves) -> dict[str, tuple[bytes | None, bytes | None]]:
    """Where two documents differ, and in what."""
    return {
        pointer: (left.get(pointer), right.get(pointer))
        for pointer in {**left, **right}
        if left.get(pointer) != right.get(pointer)
    }


def word(token: bytes) -> bytes:
    """A token without escapes, so that a text has one spelling."""
    return msgspec.json.encode(msgspec.json.decode(token)) if token[:1] == b'"' else token


def object_at(made: Mapping[str, Tree], name: str) -> dict[str, Tree]:
    """The object that is a member; an empty one when there is none."""
    found = made.get(name)
    return found if isinstance(found, dict) else {}
