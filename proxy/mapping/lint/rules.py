"""Whether each rule's operation fits its document, has its arguments, and stands at places that the contracts have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.mapping.contract import Schema
from proxy.mapping.lint.finding import Finding, FindingKind, nearest
from proxy.mapping.lint.scope import Places, Scope
from proxy.mapping.model import Rule

if TYPE_CHECKING:
    from proxy.mapping.api import Source


@dataclass(frozen=True)
class _Operation:
    """Where an operation may stand, and what it takes. `home` names the contract that must have its place."""

    at: frozenset[str]
    needs: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()
    home: str = "either"
    holds: str = ""
    """The OpenAPI type that must stand at the place."""


def _operation(at: str, needs: str = "", may: str = "", home: str = "either", holds: str = "") -> _Operation:
    return _Operation(
        frozenset(at.split()), frozenset(needs.split()), frozenset(may.split()), home=home, holds=holds
    )


_ANYWHERE = "request answer both"
_OPERATIONS: Mapping[str, _Operation] = {
    "rename": _operation(_ANYWHERE, "native", home="v2"),
    "constant": _operation(_ANYWHERE, "value", home="v2"),
    "default": _operation(_ANYWHERE, "value", "sources maximum", home="native"),
    "drop": _operation("request answer query", home="input"),
    "drop-links": _operation("request", "members message", home="v2"),
    "drop-null": _operation("request", home="all"),
    "drop-unset": _operation("request", home="all"),
    "optional": _operation("request", home="v2"),
    "keep-only": _operation("answer", "members", holds="object"),
    "collection": _operation("answer", may="members", holds="array"),
    "link": _operation("answer", may="suffix cut", home="v2"),
    "frozen": _operation("answer"),
    "refuse": _operation("request query", "message", home="v2"),
    "clamp": _operation("query", "maximum", home="v2", holds="integer"),
    "one-of": _operation("query", "message", "prefer", home="v2"),
}
_ARGUMENTS = ("native", "value", "sources", "members", "suffix", "cut", "maximum", "message", "prefer")


def arguments(source: Source) -> Iterator[Finding]:
    """Operations at the wrong document, and arguments that are missing, wrong or superfluous."""
    links = any(one.type == "href" for one in source.api.codec)
    for file, resource in zip(source.api.resources, source.resources, strict=True):
        for rule in resource.rule:
            yield from _arguments(file, rule)
            if rule.do == "link" and not links:
                yield _wrong(file, rule, "do", "'link' needs a codec for 'href'", "add it to api.toml")


def _wrong(file: str, rule: Rule, place: str, message: str, way_out: str) -> Finding:
    return Finding(FindingKind.ARGUMENT, file, place, rule.id, message, way_out)


def _arguments(file: str, rule: Rule) -> Iterator[Finding]:
    operation = _OPERATIONS[rule.do]
    if rule.at not in operation.at:
        others = sorted(name for name, one in _OPERATIONS.items() if rule.at in one.at)
        message = f"'{rule.do}' is not for {'queries' if rule.at == 'query' else rule.at}"
        yield _wrong(file, rule, "do", message, f"use {', '.join(others)}, or change `at`")
    given = {name for name in _ARGUMENTS if getattr(rule, name)} - {"value"}
    given |= {"value"} if rule.value is not None else set()
    for name in sorted(operation.needs - given):
        yield _wrong(file, rule, name, f"'{rule.do}' needs `{name}`", "add it")
    for name in sorted(given - operation.needs - operation.may):
        yield _wrong(file, rule, name, f"'{rule.do}' does not read `{name}`", "remove it")
    if rule.maximum < 0:
        yield _wrong(file, rule, "maximum", "a limit below zero lets nothing pass", "write a number above 0")
    if not rule.on:
        yield _wrong(file, rule, "on", "stands on no endpoint", "name one, or remove the rule")
    if not rule.place:
        yield _wrong(file, rule, "place", "names no place", "name one, or remove the rule")
    if rule.do == "one-of" and len(set(rule.place)) < 2:
        yield _wrong(file, rule, "place", "'one-of' needs at least two parameters", "name the others")
    if rule.prefer and rule.prefer not in rule.place:
        yield _wrong(file, rule, "prefer", f"'{rule.prefer}' is none of its places", nearest("", rule.place))


def rule_places(scope: Scope) -> Iterator[Finding]:
    """Places of this endpoint's rules that the contracts do not have, or where another kind of value stands."""
    for rule in scope.rules:
        if rule.at in _OPERATIONS[rule.do].at:
            yield from _query(scope, rule) if rule.at == "query" else _body(scope, rule)


def _absent(scope: Scope, rule: Rule, place: str, where: str, known: Iterable[str]) -> Finding:
    message = f"{scope.endpoint.id} has no such place in {where}"
    return Finding(FindingKind.PLACE, scope.file, place, rule.id, message, nearest(place, known))


def _kind(scope: Scope, rule: Rule, place: str) -> Finding:
    wanted = _OPERATIONS[rule.do].holds
    message = f"'{rule.do}' needs an {wanted}, and another kind of value stands there"
    return Finding(
        FindingKind.PLACE, scope.file, place, rule.id, message, "name another place, or another operation"
    )


def _query(scope: Scope, rule: Rule) -> Iterator[Finding]:
    known = scope.v2.query if scope.v2 else {}
    for name in rule.place:
        if name not in known:
            yield _absent(scope, rule, name, "v2's query", known)
        elif _OPERATIONS[rule.do].holds not in {"", *known[name].schema.types}:
            yield _kind(scope, rule, name)


def _body(scope: Scope, rule: Rule) -> Iterator[Finding]:
    operation = _OPERATIONS[rule.do]
    if operation.home == "all":
        if rule.place != ["*"]:
            yield _wrong(scope.file, rule, "place", f"'{rule.do}' is for a whole body", 'write place = ["*"]')
        return
    sides = _sides(scope, rule)
    known = {
        "v2": sides[0],
        "native": sides[1],
        "input": sides[0] if rule.at == "request" else sides[1],
        "either": {**sides[0], **sides[1]},
    }[operation.home]
    where = {"v2": "v2's document", "native": "v2.1's document"}.get(operation.home, "its document")
    for place in rule.place:
        if place not in known:
            yield _absent(scope, rule, place, where, known)
        elif operation.holds not in {"", *known[place].types}:
            yield _kind(scope, rule, place)
        else:
            yield from _members(scope, rule, place, sides)
            yield from _top(scope, rule, place, known[place])
    if rule.do == "rename" and rule.native not in sides[1]:
        yield _absent(scope, rule, rule.native, "v2.1's document", sides[1])


def _top(scope: Scope, rule: Rule, place: str, schema: Schema) -> Iterator[Finding]:
    if rule.do == "link" and not rule.suffix and "object" in schema.types:
        yield _wrong(scope.file, rule, "suffix", f"{place} would link to the record itself", "add `suffix`")
    if rule.do == "frozen" and place.count("/") > 1:
        message = "'frozen' looks at members at the top of a body only"
        yield Finding(FindingKind.PLACE, scope.file, place, rule.id, message, "name a member at the top")


def _sides(scope: Scope, rule: Rule) -> tuple[Mapping[str, Schema], Mapping[str, Schema]]:
    """The places of the documents that a rule is about: v2's and v2.1's."""
    both: list[tuple[Places, Places]] = []
    if rule.at in {"request", "both"}:
        both.append(scope.request)
    if rule.at in {"answer", "both"}:
        both.append((scope.answer_v2, scope.answer_native(scope.steps)))
        both.append((Places({}), scope.answer_native([])))
    v2: dict[str, Schema] = {}
    native: dict[str, Schema] = {}
    for ours, theirs in both:
        v2 |= ours.schemas
        native |= theirs.schemas
    return v2, native


def _members(
    scope: Scope, rule: Rule, place: str, sides: tuple[Mapping[str, Schema], Mapping[str, Schema]]
) -> Iterator[Finding]:
    if rule.do == "default":
        around, names, key = place.rpartition("/")[0], rule.sources, "sources"
    elif rule.do in {"keep-only", "collection"}:
        around, names, key = place + ("/*" if rule.do == "collection" else ""), rule.members, "members"
    else:
        return
    known = [name for side in sides if around in side for name in side[around].members]
    for name in names:
        if name not in known:
            message = f"{scope.endpoint.id} has no member '{name}' at {around or 'the top'}"
            yield Finding(
                FindingKind.PLACE, scope.file, f"{place} {key}", rule.id, message, nearest(name, known)
            )
