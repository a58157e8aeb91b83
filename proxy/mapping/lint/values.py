"""Value tables and codecs: whether they fit the contracts' leaves, and whether what they do can be undone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

from proxy.mapping.contract import Contract, Schema
from proxy.mapping.lint.coverage import Hole
from proxy.mapping.lint.finding import Finding, FindingKind, nearest
from proxy.mapping.lint.matching import Matching
from proxy.mapping.lint.scope import active, compatible, settings
from proxy.mapping.model import Entry, Setting, Table

if TYPE_CHECKING:
    from proxy.mapping.api import Source

BUILT_IN = ("href", "timestamp", "whole")
"""Leaf types whose codec is code (compile.py)."""
PLAIN = frozenset({"plain", "money", "ref", "integer", "nested"})
"""Leaf types that pass token for token, or are left to a rule."""
OPEN = "*"
"""How an accepted entry names all values of a leaf without a closed list."""


@dataclass
class _Words:
    """What may stand in the leaves of one type: a closed list, or anything but the banned words."""

    closed: dict[str, None] = field(default_factory=dict)
    open: bool = False
    banned: set[str] = field(default_factory=set)

    def add(self, leaf: Schema) -> None:
        self.closed.update(dict.fromkeys(leaf.enum))
        self.open = self.open or not leaf.enum
        self.banned.update(leaf.banned)

    def allows(self, word: str) -> bool:
        return word not in self.banned and (self.open or word in self.closed)


def leaf_words(contract: Contract) -> dict[str, _Words]:
    """The words of every leaf type of a contract: in bodies, answers and queries."""
    found: dict[str, _Words] = {}
    for operation in contract.operations.values():
        bodies = [operation.request, *operation.answers.values()]
        leaves = [leaf for body in bodies if body for _, leaf in body.walk()]
        for leaf in (*leaves, *(one.schema for one in operation.query.values())):
            if leaf.codec:
                found.setdefault(leaf.codec, _Words()).add(leaf)
    return found


def values(source: Source) -> Iterator[Finding]:
    """Everything about codecs and tables that does not fit, or that cannot be reversed."""
    v2, native = leaf_words(source.v2), leaf_words(source.v2_1)
    yield from _types(source, v2, native)
    for table in source.values.table:
        if table.type in v2 or table.type in native:
            ours, theirs = v2.get(table.type, _Words()), native.get(table.type, _Words())
            yield from _entries(source.api.values, table, ours, theirs)
            yield from _pairs(source.api.values, table, theirs)


def _finding(file: str, rule: str, place: str, message: str, way_out: str) -> Finding:
    return Finding(FindingKind.VALUE, file, place, rule, message, way_out)


def _types(source: Source, v2: Mapping[str, _Words], native: Mapping[str, _Words]) -> Iterator[Finding]:
    words = [*dict.fromkeys([*v2, *native])]
    declared: dict[str, str] = {}
    named = [("api.toml", one.id, one.type) for one in source.api.codec]
    named += [(source.api.values, f"values.{one.type}", one.type) for one in source.values.table]
    for file, rule, name in named:
        if file == "api.toml" and name not in BUILT_IN:
            message = f"no codec is built in for '{name}'"
            yield _finding(file, rule, "type", message, f"there are {', '.join(BUILT_IN)}")
        elif name not in words:
            message = f"no leaf of either contract has the type '{name}'"
            yield _finding(file, rule, "type", message, nearest(name, words))
        if name in declared:
            message = f"the type '{name}' belongs to {declared[name]} already"
            yield _finding(file, rule, "type", message, "join the two")
        declared.setdefault(name, rule)
    listed = {name for side in (v2, native) for name, one in side.items() if one.closed}
    for name in words:
        if name not in declared and name not in PLAIN and name not in listed:
            message = f"the leaf type '{name}' has no codec, no table and no list of values"
            way_out = f"declare one, or use a type that passes: {', '.join(sorted(PLAIN))}"
            yield _finding("api.toml", "", f"codec {name}", message, way_out)


def _entries(file: str, table: Table, v2: _Words, native: _Words) -> Iterator[Finding]:
    for entry in table.entry:
        for key, word, words in (("v2", entry.v2, v2), ("v2-1", entry.v2_1, native)):
            if not words.allows(word):
                side = "v2" if key == "v2" else "v2.1"
                message = f"'{word}' is no value of {table.type} in {side}"
                yield _finding(file, entry.id, key, message, nearest(word, words.closed))
        if entry.direction == "back" and entry.v2_1 in v2.closed:
            message = (
                f"'{entry.v2_1}' is a value that v2 callers know; hiding it would tell them something else"
            )
            yield _finding(file, entry.id, "v2-1", message, "hide only values that v2 does not have")


def _pairs(file: str, table: Table, native: _Words) -> Iterator[Finding]:
    """Two words with one image cannot be told apart on the way back; only a declared loss may do that."""
    for first, second in combinations(table.entry, 2):
        if not compatible(first, second):
            continue
        if first.v2_1 == second.v2_1:
            message = f"{first.id} turns the v2.1 value '{second.v2_1}' as well"
            yield _finding(file, second.id, "v2-1", message, "keep one of them")
        elif first.v2 == second.v2 and not _hidden(first) and not _hidden(second):
            message = f"{first.id} has the v2 value '{second.v2}' as well, which cannot be told apart"
            way_out = 'use another word, or direction = "back" with a loss and its reason'
            yield _finding(file, second.id, "v2", message, way_out)
    for entry in table.entry:
        moved = any(one.v2_1 == entry.v2 and compatible(one, entry) for one in table.entry)
        if native.allows(entry.v2) and not moved and not _hidden(entry):
            message = f"'{entry.v2}' is a v2.1 value too, so callers cannot tell the two apart"
            way_out = 'use another word, or direction = "back" with a loss and its reason'
            yield _finding(file, entry.id, "v2", message, way_out)


def _hidden(entry: Entry) -> bool:
    return entry.direction == "back" and bool(entry.loss)


def value_holes(source: Source, matchings: Iterable[Matching], speaking: frozenset[str]) -> Iterator[Hole]:
    """Values of a leaf type that have no counterpart on the side that they travel to, and no entry."""
    tables = {one.type: one for one in source.values.table}
    seen: set[tuple[str, bool, tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = set()
    for one in matchings:
        places = one.v2 if one.forward else one.native
        for place, leaf in places.schemas.items():
            ours = place if one.forward else one.v2_of(place)
            if ours is None or one.claimed(ours) or not leaf.codec:
                continue
            target = (one.native if one.forward else one.v2).schemas.get(
                one.native_of(ours) if one.forward else ours
            )
            key = (leaf.codec, one.forward, leaf.enum, target.enum, target.banned) if target else None
            if target is None or target.codec != leaf.codec or key is None or key in seen:
                continue
            seen.add(key)
            table = tables.get(leaf.codec)
            yield from _without_counterpart(source, one, leaf, target, table)


def _without_counterpart(
    source: Source, one: Matching, leaf: Schema, target: Schema, table: Table | None
) -> Iterator[Hole]:
    words = _Words()
    words.add(target)
    entries = table.entry if table else []
    side, other = ("v2", "v2.1") if one.forward else ("v2.1", "v2")
    way_out = "add an entry to its value table, or accept it with a reason in accepted.toml"
    for setting in settings(source.api.compat, entries):
        known = _images(entries, setting, forward=one.forward)
        missing = [word for word in leaf.enum if not words.allows(known.get(word, word))]
        missing += [OPEN] if not leaf.enum and target.enum else []
        missing += [word for word in target.banned if not leaf.enum and word not in known]
        for word in missing:
            chosen = "".join(f" with compat.{name} = {value!r}" for name, value in setting.items())
            message = f"{other} has no such value of {leaf.codec}{chosen}"
            rule = f"values.{leaf.codec}" if table else ""
            yield Hole(
                f"{side} value {leaf.codec} {word}", source.api.values, rule, message, way_out, setting
            )


def _images(entries: Iterable[Entry], setting: Mapping[str, Setting], *, forward: bool) -> dict[str, str]:
    held = [one for one in entries if active(one, "", setting)]
    if forward:
        return {one.v2: one.v2_1 for one in held if one.direction == "both"}
    return {one.v2_1: one.v2 for one in held}


def speaking_types(source: Source) -> frozenset[str]:
    """The leaf types that have a codec or a value table."""
    codecs = {one.type for one in source.api.codec}
    return frozenset(codecs | {one.type for one in source.values.table})
