"""Watching plans at work: the same plans, with a note of the array places at which each firing happened.

A firing names a contract pointer, in which every array place is `*`; that is what logs and stores may hold. Explain needs
the place in the very document. So each array node of a plan is wrapped: the nodes do what they always do, and the wrapper
counts. Nothing is worked out a second time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from itertools import count
from typing import Any, ClassVar

from msgspec import Raw

from proxy.mapping.defaults import Default
from proxy.mapping.endpoint import Endpoint, Plans
from proxy.mapping.nodes import Elements, Firing, Members, Node, Trace
from proxy.mapping.operations import Link
from proxy.mapping.query import Pairs, QueryPlan


@dataclass(frozen=True)
class Placed:
    """One firing and its place in the document; `sources` are the neighbours that its value may come from."""

    firing: Firing
    place: str
    sources: tuple[str, ...] = ()


@dataclass
class Watch:
    """What one exchange did so far: its trace, and for each firing the array places around it."""

    trace: Trace = field(default_factory=list)
    queried: int = 0
    """How many firings the query had."""
    indices: dict[int, list[int]] = field(default_factory=dict)
    neighbours: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    """The neighbours that a rule reads to make a place, by rule and contract pointer."""

    def over(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint with plans that tell this watch what they do."""
        return replace(endpoint, plans={case: self._plans(one) for case, one in endpoint.plans.items()})

    def placed(self, start: int, stop: int) -> list[Placed]:
        """The firings from number `start` up to `stop`, with their places."""
        return [self._placed(number) for number in range(start, stop)]

    def _placed(self, number: int) -> Placed:
        firing = self.trace[number]
        around = iter(self.indices.get(number, ()))
        place = "/".join(_segments(firing.pointer, around))
        return Placed(firing, place, self.neighbours.get((firing.rule, firing.pointer), ()))

    def _plans(self, plans: Plans) -> Plans:
        query = _Query(plans.query.parameters, plans.query.operations, self)
        return replace(plans, query=query, request=self._over(plans.request), answer=self._over(plans.answer))

    def _over(self, part: Any) -> Any:
        """A part of a plan, whatever it is, with every array node in it wrapped."""
        match part:
            case tuple() | list():
                return type(part)(self._over(one) for one in part)
            case Elements(each=each) if each is not None:
                return _Array(replace(part, each=self._over(each)), self)
            case Link():
                self.neighbours[part.rule, part.pointer] = (part.own,)
            case Default():
                self.neighbours[part.rule, part.pointer] = part.sources
        if not is_dataclass(part) or isinstance(part, type):
            return part
        return replace(part, **{one.name: self._over(getattr(part, one.name)) for one in fields(part)})


@dataclass(frozen=True)
class _Query(QueryPlan):
    """The first plan that an exchange asks: from here on the watch knows its trace."""

    watch: Watch

    def apply(self, pairs: Pairs, trace: Trace) -> Pairs:
        self.watch.trace = trace
        made = super().apply(pairs, trace)
        self.watch.queried = len(trace)
        return made


@dataclass(frozen=True)
class _Array:
    """An array node whose elements are counted."""

    elements: Elements
    watch: Watch

    @property
    def creates(self) -> bool:
        return self.elements.creates

    def apply(self, value: Raw | None, around: Members, trace: Trace) -> Raw | None:
        assert self.elements.each is not None  # noqa: S101 - others are not wrapped
        counted = _Each(self.elements.each, self.watch, count())
        return replace(self.elements, each=counted).apply(value, around, trace)


@dataclass(frozen=True)
class _Each:
    """The node for one element after the other."""

    inner: Node
    watch: Watch
    numbers: Iterator[int]
    creates: ClassVar[bool] = False

    def apply(self, value: Raw | None, around: Members, trace: Trace) -> Raw | None:
        before, number = len(trace), next(self.numbers)
        made = self.inner.apply(value, around, trace)
        for firing in range(before, len(trace)):
            self.watch.indices.setdefault(firing, []).insert(0, number)
        return made


def _segments(pointer: str, around: Iterator[int]) -> Iterator[str]:
    for segment in pointer.split("/"):
        yield str(next(around, "*")) if segment == "*" else segment
