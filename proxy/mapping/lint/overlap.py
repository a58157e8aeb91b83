"""Rules that stand in each other's way: two for one place, or one that never gets anything to see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from proxy.mapping.lint.finding import Finding, FindingKind
from proxy.mapping.lint.scope import Scope, below, cases_of, compatible
from proxy.mapping.model import Rule

_POLICIES = frozenset({"drop-null", "drop-unset", "optional", "frozen"})
"""Operations beside which another rule may make the same place."""
_DOCUMENTS = {
    "request": frozenset({"request", "both"}),
    "answer": frozenset({"answer", "both"}),
    "query": frozenset({"query"}),
}


def overlaps(scope: Scope) -> Iterator[Finding]:
    """Pairs of this endpoint's rules that make one place, and rules that others leave nothing to do."""
    for name, ats in _DOCUMENTS.items():
        rules = [one for one in scope.rules if one.at in ats]
        for first, second in combinations(rules, 2):
            yield from _pair(scope, first, second)
        for rule in rules:
            yield from _shadowed(scope, rule, rules, answer=name == "answer")


def _pair(scope: Scope, first: Rule, second: Rule) -> Iterator[Finding]:
    if not compatible(first, second) or not cases_of(first, scope.cases) & cases_of(second, scope.cases):
        return
    if first.do == second.do == "rename":
        yield from _crossed(scope, first, second)
    both = first.do in _POLICIES or second.do in _POLICIES
    if both and first.do != second.do:
        return
    natives = {first.native} & {second.native} - {""}
    for place in sorted({*first.place} & {*second.place} | natives):
        message = f"{first.id} makes this place of {scope.endpoint.id} as well, in the same case"
        way_out = "give the place to one of them, or tell them apart by `when` or `case`"
        yield Finding(FindingKind.OVERLAP, scope.file, place, second.id, message, way_out)


def _crossed(scope: Scope, first: Rule, second: Rule) -> Iterator[Finding]:
    """Renames of which one ends where the other begins: a body with both members has no place left for either."""
    for one, other in ((first, second), (second, first)):
        if one.native in other.place and one.native not in one.place:
            message = f"{one.id} moves a member there and {other.id} one away: with both a name is taken"
            way_out = "let one of the two members keep its name, or refuse it"
            yield Finding(FindingKind.OVERLAP, scope.file, one.native, second.id, message, way_out)
            return


def _shadowed(scope: Scope, rule: Rule, rules: Sequence[Rule], *, answer: bool) -> Iterator[Finding]:
    for other in rules:
        always = cases_of(rule, scope.cases) <= cases_of(other, scope.cases)
        if other is rule or not always or not other.when.items() <= rule.when.items():
            continue
        for place in rule.place:
            if any(takes_over(other, above, place, answer=answer) for above in other.place):
                message = f"{other.id} takes over the place above in {scope.endpoint.id}"
                way_out = "remove one of the two, or tell them apart by `when` or `case`"
                yield Finding(FindingKind.UNREACHABLE, scope.file, place, rule.id, message, way_out)


def takes_over(rule: Rule, above: str, place: str, *, answer: bool) -> bool:
    """Whether a rule at `above` decides alone what becomes of a place below it."""
    if place == above or not below(place, above):
        return False
    if rule.do in {"drop", "drop-links", "link", "refuse", "constant"} or (rule.do == "rename" and answer):
        return True
    return reduces(rule, above, place)


def reduces(rule: Rule, above: str, place: str) -> bool:
    """Whether a rule at `above` keeps some members only, and this place is in none of them."""
    if rule.do not in {"keep-only", "collection"} or not rule.members:
        return False
    start = above + ("/*/" if rule.do == "collection" else "/")
    return place.startswith(start) and place.removeprefix(start).partition("/")[0] not in rule.members
