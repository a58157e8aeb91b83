"""The operations of a plan: small objects that turn one JSON value into the other side's value.

A plan is a tree of nodes in the shape of the document. Each node is asked with the value that stands at its place (or
`None` when nothing does) and answers with the value that shall stand there (or `None` for nothing). **The very same object
back means: not touched.** So a document in which no node found anything to do leaves as the bytes it came in, and every
member that no node speaks for keeps its own bytes.

Nodes read the untouched input: what a neighbour makes of its place cannot be seen. Whatever a node changes it notes as a
`Firing`, under the id of the rule or codec that made it do so; explain, the divergence log and the comparison read these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeAlias

import msgspec
from msgspec import Raw

from proxy.errors import Refused, Untranslatable
from proxy.json import Kind, child, kind, open_array, open_object, render
from proxy.mapping.codecs import Codec


class Firing(msgspec.Struct, frozen=True, gc=False):
    """One change: which rule, at which contract pointer, what stood there before and after (`None`: nothing).

    The values live in memory only; logs and stores take `rule` and `pointer`.
    """

    rule: str
    pointer: str
    before: bytes | None
    after: bytes | None


Trace: TypeAlias = list[Firing]
Members: TypeAlias = Mapping[str, Raw]


class Node(Protocol):
    """One place of a plan."""

    @property
    def creates(self) -> bool:
        """Whether it may answer a value where none stands; others need not be asked there."""
        ...

    def apply(self, value: Raw | None, around: Members, trace: Trace) -> Raw | None:
        """Answer the value for this place; `around` are the untouched members of the object it stands in."""
        ...


class Mover(Protocol):
    """A member that stands at another place on the other side."""

    def apply(self, around: Members, out: dict[str, Raw], trace: Trace) -> dict[str, Raw]:
        """Answer `out` with the member moved; `out` itself when there is nothing to move."""
        ...


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value whose codec speaks for it: `turn` is the codec's own function for the plan's direction."""

    pointer: str
    codec: Codec
    turn: Callable[[bytes], bytes]
    creates: ClassVar[bool] = False

    def apply(self, value: Raw | None, around: Members, trace: Trace) -> Raw | None:
        """The codec's token; whatever it does not know passes. Raises what the codec refuses, with the place."""
        if value is None:
            return None
        before = bytes(value)
        try:
            after = self.turn(before)
        except Refused as no:
            message = no.message.replace("{member}", self.pointer.rpartition("/")[2])
            raise Refused(no.fault, message, no.detail, pointer=self.pointer, rule=no.rule) from None
        if after is before:
            return value
        trace.append(Firing(self.codec.rule_for(before), self.pointer, before, after))
        return Raw(after)


@dataclass(frozen=True, slots=True)
class Drop:
    """A value that has no place on the other side."""

    pointer: str
    rule: str
    creates: ClassVar[bool] = False

    def apply(self, value: Raw | None, around: Members, trace: Trace) -> Raw | None:
        """Nothing."""
        if value is not None:
            trace.append(Firing(self.rule, self.pointer, bytes(value), None))
        return None


@dataclass(frozen=True, slots=True)
class Elements:
    """Every element of an array; with `rule`, a place that always holds one, empty if need be."""

    pointer: str
    each: Node | None
    rule: str = ""

    @property
    def creates(self) -> bool:
        """A place with a rule always holds an array."""
        return bool(self.rule)

    def apply(self, value: Raw | None, around: Members, trace: Trace) -> Raw | None:
        """The array with each element treated; the same object when none changed."""
        if value is None or kind(value) is not Kind.ARRAY:
            return self._absent(value, trace)
        if self.each is None or len(value) == 2:
            return value
        elements = open_array(value, self.pointer)
        treated = [self.each.apply(element, around, trace) for element in elements]
        if all(new is old for new, old in zip(treated, elements, strict=True)):
            return value
        return Raw(render([element for element in treated if element is not None]))

    def _absent(self, value: Raw | None, trace: Trace) -> Raw | None:
        if not self.rule:
            return value
        if value is not None and kind(value) is not Kind.NULL:
            raise Untranslatable("an array was expected", pointer=self.pointer, rule=self.rule)
        trace.append(Firing(self.rule, self.pointer, None if value is None else bytes(value), b"[]"))
        return Raw(b"[]")


@dataclass(frozen=True, slots=True)
class Object:
    """The members of an object: those that a node speaks for, those that move, and what becomes of all others.

    `keep` names the members that stay when a rule (`keep_rule`) reduces the object. `creates` makes the object when
    nothing stands there, so that a member with a default has a home.
    """

    pointer: str
    members: Sequence[tuple[str, Node]]
    known: frozenset[str]
    moves: Sequence[Mover] = ()
    keep: frozenset[str] | None = None
    keep_rule: str = ""
    creates: bool = False
    settled: bytes = b""
    """A text of this object in which there is nothing to do, known at sight: `{"items":[]}`."""

    def apply(self, value: Raw | None, around: Members, trace: Trace) -> Raw | None:
        """The object with its members treated; the same object when none changed."""
        if value is not None and len(value) == len(self.settled) and bytes(value) == self.settled:
            return value
        if value is None or kind(value) is not Kind.OBJECT:
            return self._absent(value, trace)
        members = open_object(value, self.pointer, self.known)
        treated = self._treat(members, trace)
        return value if treated is None else Raw(render(treated))

    def _treat(self, members: dict[str, Raw], trace: Trace) -> dict[str, Raw] | None:
        out: dict[str, Raw] | None = None
        for name, node in self.members:
            if name not in members and not node.creates:
                continue
            old = members.get(name)
            new = node.apply(old, members, trace)
            if new is old:
                continue
            if out is None:
                out = members.copy()
            if new is None:
                del out[name]
            else:
                out[name] = new
        for move in self.moves:
            moved = move.apply(members, members if out is None else out, trace)
            out = None if moved is members else moved
        if self.keep is not None and not self.keep.issuperset(members if out is None else out):
            out = self._reduce(members if out is None else out, trace)
        return out

    def _reduce(self, members: dict[str, Raw], trace: Trace) -> dict[str, Raw]:
        assert self.keep is not None  # noqa: S101 - only the type checker needs it
        for name, value in members.items():
            if name not in self.keep:
                shown = name if name in self.known else "{unknown}"
                trace.append(Firing(self.keep_rule, child(self.pointer, shown), bytes(value), None))
        return {name: value for name, value in members.items() if name in self.keep}

    def _absent(self, value: Raw | None, trace: Trace) -> Raw | None:
        if not self.creates or (value is not None and kind(value) is not Kind.NULL):
            return value
        made = self._treat({}, trace)
        return value if made is None else Raw(render(made))
