"""Query strings: what the v2 contract allows of them, and what the rules make of them.

Pairs stay raw bytes in their order; only a parameter that a rule or the contract speaks for is decoded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from proxy.errors import Fault, Refused
from proxy.mapping.contract import Parameter
from proxy.mapping.nodes import Firing, Trace
from proxy.wire.target import decoded

Pairs: TypeAlias = list[tuple[bytes, bytes | None]]


class QueryOperation(Protocol):
    """One rule about the caller's query."""

    def apply(self, pairs: Pairs, trace: Trace) -> Pairs:
        """Answer the pairs that go to v2.1; may raise `Refused`."""
        ...


@dataclass(frozen=True)
class Refuse:
    """A parameter that v2.1 has no counterpart for."""

    name: bytes
    rule: str
    message: str
    says: str

    def apply(self, pairs: Pairs, trace: Trace) -> Pairs:
        """Raise when it is there."""
        for name, _ in pairs:
            if name == self.name:
                place = f"?{self.name.decode()}"
                raise Refused(Fault.QUERY, self.message, self.says, pointer=place, rule=self.rule)
        return pairs


@dataclass(frozen=True)
class DropParameter:
    """A parameter that stays behind."""

    name: bytes
    rule: str

    def apply(self, pairs: Pairs, trace: Trace) -> Pairs:
        """All pairs but this one."""
        kept = [pair for pair in pairs if pair[0] != self.name]
        if len(kept) < len(pairs):
            trace.append(Firing(self.rule, f"?{self.name.decode()}", _value(pairs, self.name), None))
        return kept


@dataclass(frozen=True)
class Clamp:
    """A number with a largest value."""

    name: bytes
    rule: str
    maximum: int

    def apply(self, pairs: Pairs, trace: Trace) -> Pairs:
        """The same pairs, the number cut to the maximum."""
        return [self._clamped(pair, trace) for pair in pairs]

    def _clamped(self, pair: tuple[bytes, bytes | None], trace: Trace) -> tuple[bytes, bytes | None]:
        name, value = pair
        if name != self.name or not _above(decoded(value or b""), self.maximum):
            return pair
        after = b"%d" % self.maximum
        trace.append(Firing(self.rule, f"?{name.decode()}", value, after))
        return name, after


@dataclass(frozen=True)
class OneOf:
    """Exactly one of several parameters; `prefer` wins over the others where the operator has said so."""

    names: tuple[bytes, ...]
    rule: str
    message: str
    prefer: bytes
    says: str

    def apply(self, pairs: Pairs, trace: Trace) -> Pairs:
        """The pairs with one of the parameters; raise when there is none, or more and no preference."""
        there = [name for name, _ in pairs if name in self.names]
        if len(there) == 1:
            return pairs
        if self.prefer in there:
            losers = [DropParameter(name, self.rule) for name in self.names if name != self.prefer]
            for loser in losers:
                pairs = loser.apply(pairs, trace)
            return pairs
        place = "?" + ",".join(name.decode() for name in self.names)
        raise Refused(Fault.QUERY, self.message, self.says, pointer=place, rule=self.rule)


@dataclass(frozen=True)
class QueryPlan:
    """What one endpoint makes of a query: contract first, then the rules in their order."""

    parameters: Mapping[bytes, Parameter]
    operations: Sequence[QueryOperation]

    def apply(self, pairs: Pairs, trace: Trace) -> Pairs:
        """The pairs for v2.1; raises `Refused` with `Fault.QUERY` for what breaks v2's contract or a rule."""
        self._check(pairs)
        for operation in self.operations:
            pairs = operation.apply(pairs, trace)
        return pairs

    def _check(self, pairs: Pairs) -> None:
        seen: set[bytes] = set()
        for name, value in pairs:
            parameter = self.parameters.get(name)
            if parameter is None:
                continue
            if name in seen:
                raise _bad(
                    parameter.name,
                    "may not stand twice",
                    "Two readers could take different ones. Send it once.",
                )
            seen.add(name)
            if parameter.schema.types == ("integer",) and not _whole(decoded(value or b"")):
                raise _bad(parameter.name, "must be a whole number", "Send digits only.")


def _bad(name: str, why: str, way_out: str) -> Refused:
    return Refused(
        Fault.QUERY, f"{name}: {why}.", f"The query parameter {name} {why}. {way_out}", pointer=f"?{name}"
    )


def _whole(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _above(text: str, maximum: int) -> bool:
    digits = text.lstrip("0")
    return _whole(text) and (len(digits) > len(str(maximum)) or int(digits or "0") > maximum)


def _value(pairs: Pairs, name: bytes) -> bytes | None:
    return next((value for one, value in pairs if one == name), None)
