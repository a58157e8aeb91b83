"""Which place of one version is which of the other, in one case of an endpoint under one setting of the switches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from proxy.mapping.lint.overlap import reduces
from proxy.mapping.lint.scope import Places, Scope, active, below, settings
from proxy.mapping.model import Rule, Setting, Step, Switch

_TAKES = frozenset({"drop", "drop-links", "link", "refuse"})


@dataclass(frozen=True)
class Matching:
    """One document (a request body, or an answer to a success) and the rules that are there."""

    scope: Scope
    forward: bool
    rules: Sequence[Rule]
    v2: Places
    native: Places
    setting: Mapping[str, Setting]
    carried: Sequence[str]
    """v2's places that a step takes to another part of the record, or brings from there."""
    where: str
    """The case and the setting, for people; empty when there is only one."""

    def name(self, *, native: bool, place: str) -> str:
        """How an accepted entry names a place of this document: `v2 POST /path request /member`."""
        operation = self.scope.v2_1.name if native else self.scope.endpoint.v2
        return f"{'v2.1' if native else 'v2'} {operation} {'request' if self.forward else 'answer'} {place}"

    def claimed(self, place: str) -> Rule | None:
        """The rule that decides alone what becomes of a v2 place, at it or above it."""
        for rule in self.rules:
            for above in rule.place:
                if (rule.do in _TAKES and below(place, above)) or reduces(rule, above, place):
                    return rule
                if rule.do == "constant" and below(place, above):
                    return rule
        return None

    def native_of(self, place: str) -> str:
        """v2.1's pointer for a v2 place."""
        for ours, theirs in self._renames:
            if below(place, ours):
                return theirs + place[len(ours) :]
        return place

    def v2_of(self, place: str) -> str | None:
        """v2's pointer for a v2.1 place; `None` where a rename has given that pointer to another place."""
        for ours, theirs in self._renames:
            if below(place, theirs):
                return ours + place[len(theirs) :]
        return None if any(below(place, ours) for ours, _ in self._renames) else place

    def opened(self, place: str, *, native: bool) -> bool:
        """Whether a rename reaches into this place, so that what stands in it is judged one by one."""
        ends = (theirs if native else ours for ours, theirs in self._renames)
        return any(end != place and below(end, place) for end in ends)

    def alone(self, place: str, *, native: bool) -> bool:
        """Whether one rename alone brings the object into being that this place stands in."""
        around = place.rpartition("/")[0]
        mine, other = (self.native, self.v2) if native else (self.v2, self.native)
        ends = [theirs if native else ours for ours, theirs in self._renames]
        into = [end for end in ends if end != around and below(end, around)]
        return bool(around) and into == [place] and around not in {*mine.required, *other.schemas}

    def made(self, place: str) -> bool:
        """Whether a rule makes a value at this v2 place where the other side has none."""
        if any(below(place, one) for one in self.carried):
            return True
        makers = {"default"} if self.forward else {"collection", "constant", "link"}
        return any(below(one, place) for rule in self.rules if rule.do in makers for one in rule.place)

    @cached_property
    def _renames(self) -> Sequence[tuple[str, str]]:
        return [(one, rule.native) for rule in self.rules if rule.do == "rename" for one in rule.place]


def matchings(scope: Scope, compat: dict[str, Switch]) -> Iterator[Matching]:
    """Every document of an endpoint that v2 documents, in every case and setting that can be."""
    if scope.v2 is None:
        return
    for forward, ats in ((True, {"request", "both"}), (False, {"answer", "both"})):
        rules = [one for one in scope.rules if one.at in ats]
        kinds = {"split"} if forward else {"join", "split", "gather"}
        steps = [one for one in scope.steps if one.kind in kinds]
        claims = [*rules, *steps]
        cases = scope.cases if any(one.case for one in claims) else [""]
        for case in cases:
            for setting in settings(compat, claims):
                taken = [one for one in steps if active(one, case, setting)]
                held = [one for one in rules if active(one, case, setting)]
                native = scope.answer_native(taken)
                v2, native = scope.request if forward else (scope.answer_v2, native)
                parts = [f"case '{case}'"] if case else []
                parts += [f"compat.{name} = {value!r}" for name, value in setting.items()]
                where = f" with {' and '.join(parts)}" if parts else ""
                carried = [place for one in taken for place in _carried(one)]
                yield Matching(scope, forward, held, v2, native, setting, carried, where)


def _carried(step: Step) -> Iterator[str]:
    around = f"{step.place}/*" if step.place else ""
    yield from (f"{around}/{name}" for name in step.members)
