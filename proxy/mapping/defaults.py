"""Members that one version demands and the other does not: constants, and defaults that are made up and hidden again.

A default is recognised on the way back by making it up once more from the very members that v2.1 gave: what comes out equal
was made up, so it is hidden. Nothing has to be remembered between two calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from msgspec import Raw

from proxy.errors import Fault, Refused
from proxy.json import text_of, token_of
from proxy.mapping.nodes import Firing, Members, Node, Trace


@dataclass(frozen=True, slots=True)
class Constant:
    """A request member that must be what v2.1 sets by itself; then it stays behind."""

    pointer: str
    rule: str
    value: bytes
    creates: ClassVar[bool] = False

    def apply(self, value: Raw | None, around: Members, trace: Trace) -> Raw | None:
        """Nothing; raise `Refused` for another value."""
        if value is None:
            return None
        if not _same_word(bytes(value), self.value):
            name = self.pointer.rpartition("/")[2]
            detail = (
                f"v2.1 sets {self.pointer} by itself, to {self.value.decode()}. Send that, or leave it out."
            )
            raise Refused(
                Fault.UNTRANSLATABLE,
                f"{name}: another value is not supported.",
                detail,
                pointer=self.pointer,
                rule=self.rule,
            )
        trace.append(Firing(self.rule, self.pointer, bytes(value), None))
        return None


@dataclass(frozen=True, slots=True)
class Restored:
    """The constant in an answer: v2 always carries it."""

    pointer: str
    rule: str
    value: bytes
    creates: ClassVar[bool] = True

    def apply(self, value: Raw | None, around: Members, trace: Trace) -> Raw | None:
        """The value that is there, else the constant."""
        if value is not None:
            return value
        trace.append(Firing(self.rule, self.pointer, None, self.value))
        return Raw(self.value)


@dataclass(frozen=True, slots=True)
class Default:
    """A request member that v2.1 demands: made up from its neighbours, or from a fixed value, where v2 gives none."""

    pointer: str
    rule: str
    value: bytes
    sources: tuple[str, ...]
    inner: Node | None
    maximum: int = 0
    creates: ClassVar[bool] = True

    def apply(self, value: Raw | None, around: Members, trace: Trace) -> Raw | None:
        """The caller's value, else the one that is made up."""
        given = self.inner.apply(value, around, trace) if self.inner and value is not None else value
        if given is not None:
            return given
        made = made_up(around, self.sources, self.value, self.maximum)
        trace.append(Firing(self.rule, self.pointer, None, made))
        return Raw(made)


@dataclass(frozen=True, slots=True)
class Hidden:
    """The same member in an answer: what was made up is not shown."""

    pointer: str
    rule: str
    value: bytes
    sources: tuple[str, ...]
    inner: Node | None
    maximum: int = 0
    creates: ClassVar[bool] = False

    def apply(self, value: Raw | None, around: Members, trace: Trace) -> Raw | None:
        """Nothing for what would be made up, else the value."""
        if value is None:
            return None
        if _same_word(bytes(value), made_up(around, self.sources, self.value, self.maximum)):
            trace.append(Firing(self.rule, self.pointer, bytes(value), None))
            return None
        return self.inner.apply(value, around, trace) if self.inner else value


def made_up(around: Members, sources: tuple[str, ...], value: bytes, maximum: int = 0) -> bytes:
    """The first of the neighbours that says something, else the fixed value; a text is cut to `maximum` UTF-16 units.

    The platform counts in these units (a Java `String`'s length); 0 cuts nothing.
    """
    found = (bytes(around[name]) for name in sources if name in around)
    made = next((token for token in found if token not in {b"null", b'""'}), value)
    return _cut(made, maximum) if maximum and made[:1] == b'"' and len(made) > maximum else made


def _cut(token: bytes, maximum: int) -> bytes:
    units = text_of(token).encode("utf-16-le")
    if len(units) <= 2 * maximum:
        return token
    return bytes(token_of(units[: 2 * maximum].decode("utf-16-le", "ignore")))


def _same_word(given: bytes, value: bytes) -> bool:
    """Whether a token is the constant, in whatever spelling a JSON writer gave it."""
    return given == value or (given[:1] == b'"' == value[:1] and text_of(given) == text_of(value))
