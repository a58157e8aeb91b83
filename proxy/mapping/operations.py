"""The operations that only some rules ask for: dropping what says nothing, refusing what has no place, deriving links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from msgspec import Raw

from proxy.errors import Fault, Refused
from proxy.json import Kind, kind, open_array, open_object, render, text_of, token_of
from proxy.mapping.codecs import Codec
from proxy.mapping.nodes import Firing, Members, Node, Trace

_UNSET = b'"0001-01-01T'
"""How a .NET client writes a time that was never set (F§7.1)."""


@dataclass(frozen=True, slots=True)
class DropLinks:
    """Children as a read returned them (links, or an empty list of them) go; children with content are refused."""

    pointer: str
    rule: str
    message: str
    members: frozenset[str]
    """What a link and its list consist of; anything else is content."""
    creates: ClassVar[bool] = False

    def apply(self, value: Raw | None, around: Members, trace: Trace) -> Raw | None:
        """Nothing, or raise `Refused`."""
        if value is None:
            return None
        if not _only_links(value, self.members, self.pointer):
            detail = (
                f"{self.pointer} carries content, but v2.1 takes it through a call of its own only. "
                "Send the order without it, then each child by its own call."
            )
            raise Refused(Fault.UNTRANSLATABLE, self.message, detail, pointer=self.pointer, rule=self.rule)
        trace.append(Firing(self.rule, self.pointer, bytes(value), None))
        return None


@dataclass(frozen=True, slots=True)
class Refusing:
    """A member that v2.1 has no place for; who sends it learns that before anything is sent."""

    pointer: str
    rule: str
    message: str
    says: str
    creates: ClassVar[bool] = False

    def apply(self, value: Raw | None, around: Members, trace: Trace) -> Raw | None:
        """Nothing where nothing stands, else raise `Refused`."""
        if value is None:
            return None
        raise Refused(Fault.UNTRANSLATABLE, self.message, self.says, pointer=self.pointer, rule=self.rule)


@dataclass(frozen=True, slots=True)
class Blanks:
    """A request body in which members may say nothing; most bodies hold no such word, which one look tells."""

    full: Node
    plain: Node | None
    creates: ClassVar[bool] = False

    def apply(self, value: Raw | None, around: Members, trace: Trace) -> Raw | None:
        """The body without its blanks."""
        text = b"" if value is None else bytes(value)
        if b"null" in text or _UNSET in text:
            return self.full.apply(value, around, trace)
        return self.plain.apply(value, around, trace) if self.plain else value


@dataclass(frozen=True, slots=True)
class Blank:
    """A request member that may say nothing: `null`, or the year 0001 of a .NET client; then it goes.

    `required` members may not: then it is the same refusal as if they were missing. Everything else goes to `inner`.
    """

    pointer: str
    null_rule: str
    unset_rule: str
    required: bool
    inner: Node | None
    creates: ClassVar[bool] = False

    def apply(self, value: Raw | None, around: Members, trace: Trace) -> Raw | None:
        """Nothing for a blank, else what `inner` makes of it."""
        if value is None:
            return None
        token = bytes(value)
        rule = self._blank(token)
        if rule:
            if self.required:
                raise missing(self.pointer)
            trace.append(Firing(rule, self.pointer, token, None))
            return None
        return self.inner.apply(value, around, trace) if self.inner else value

    def _blank(self, token: bytes) -> str:
        if token == b"null":
            return self.null_rule
        return self.unset_rule if token.startswith(_UNSET) else ""


def missing(pointer: str) -> Refused:
    """The refusal of a request without a required member, in v2's words (F§3.8)."""
    name = pointer.rpartition("/")[2]
    detail = f"The v2 contract requires {pointer}, and it is missing, null or not set. Send it."
    return Refused(Fault.FIELD, f"{name}: may not be null.", detail, pointer=pointer)


@dataclass(frozen=True, slots=True)
class Link:
    """A place that holds a link derived from the record's own: `{"href": "<record><suffix>"}`, or just the text."""

    pointer: str
    rule: str
    suffix: str
    bare: bool
    own: str
    codec: Codec
    cut: str = ""
    creates: ClassVar[bool] = True

    def apply(self, value: Raw | None, around: Members, trace: Trace) -> Raw | None:
        """The derived link; the value as it is when the record names no link of its own."""
        own = around.get(self.own)
        if own is None or kind(own) is not Kind.STRING:
            return value
        record = text_of(self.codec.back(bytes(own))).partition("?")[0].rstrip("/")
        link = token_of(
            record.removesuffix(self.cut) + _NAMED.sub(lambda one: _text(around, one[1]), self.suffix)
        )
        after = bytes(link) if self.bare else render({self.own: link})
        trace.append(Firing(self.rule, self.pointer, None if value is None else bytes(value), after))
        return Raw(after)


_NAMED = re.compile(r"\{(\w+)\}")


def _text(around: Members, name: str) -> str:
    value = around.get(name)
    return text_of(value) if value is not None and kind(value) is Kind.STRING else ""


_LINK = re.compile(rb'"https?:\\?/\\?/[^ ]*"', re.IGNORECASE)
"""A JSON string that is an absolute address, its slashes escaped or not."""


def _only_links(value: Raw, members: frozenset[str], pointer: str) -> bool:
    """Whether nothing but links stands here: objects of the named members with addresses and numbers, arrays of such."""
    match kind(value):
        case Kind.ARRAY:
            return all(_only_links(element, members, f"{pointer}/*") for element in open_array(value))
        case Kind.OBJECT:
            inside = open_object(value, pointer, members)
            return members.issuperset(inside) and all(
                _says_nothing(one, members, f"{pointer}/{name}") for name, one in inside.items()
            )
        case _:
            return kind(value) is Kind.NULL


def _says_nothing(value: Raw, members: frozenset[str], pointer: str) -> bool:
    """A member of a link: an address, a number of a page, or something that holds only links itself."""
    if kind(value) is Kind.STRING:
        return _LINK.fullmatch(value) is not None
    return kind(value) is Kind.NUMBER or _only_links(value, members, pointer)
