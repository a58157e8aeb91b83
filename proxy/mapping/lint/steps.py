"""Whether each step calls what v2.1 has, with everything in the call filled, and looks at places that are there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from proxy.mapping.contract import Operation, Schema
from proxy.mapping.lint.finding import Finding, FindingKind, nearest
from proxy.mapping.lint.scope import Scope, called_operation, cases_of, compatible, placeholders, successes
from proxy.mapping.model import Step

_NEEDS: Mapping[str, Sequence[str]] = {
    "join": ("call", "place"),
    "look-up": ("call", "after", "nearest", "within", "then", "status"),
    "split": ("members", "only", "create", "pairs", "message"),
    "gather": ("call", "members", "only"),
    "confirm": ("place", "status", "message"),
}
_MAY: Mapping[str, Sequence[str]] = {"split": ("call", "then"), "gather": ("place",), "confirm": ("call",)}
_FOUND = "ref"
"""What a look-up found fills this placeholder of its second call (compile.py)."""


def step_details(scope: Scope) -> Iterator[Finding]:
    """Everything about this endpoint's steps that does not hold."""
    for number, step in enumerate(scope.steps):
        yield from _arguments(scope, step)
        yield from _DETAILS[step.kind](scope, step)
        for other in scope.steps[:number]:
            meet = cases_of(step, scope.cases) & cases_of(other, scope.cases)
            if other.kind == step.kind and meet and compatible(step, other):
                message = f"{other.id} is a {step.kind} of the same endpoint in the same case"
                yield Finding(FindingKind.OVERLAP, scope.file, "kind", step.id, message, "keep one of them")


def _arguments(scope: Scope, step: Step) -> Iterator[Finding]:
    needed, allowed = _NEEDS[step.kind], _MAY.get(step.kind, ())
    for name in dict.fromkeys(name for names in (*_NEEDS.values(), *_MAY.values()) for name in names):
        given = bool(getattr(step, name))
        if (name in needed and not given) or (given and name not in needed and name not in allowed):
            what = "does not read" if given else "needs"
            message = f"'{step.kind}' {what} `{name}`"
            way_out = "remove it" if given else "add it"
            yield Finding(FindingKind.ARGUMENT, scope.file, name, step.id, message, way_out)
    if step.kind == "split" and bool(step.call) != bool(step.then):
        message = "`call` and `then` belong together: what is there is read, then replaced"
        yield Finding(FindingKind.ARGUMENT, scope.file, "then", step.id, message, "give both, or none")


def _join(scope: Scope, step: Step) -> Iterator[Finding]:
    yield from _call(scope, step, "call", placeholders(scope.endpoint.v2))
    if step.place and (step.place not in scope.answer_v2.schemas or step.place.count("/") != 1):
        known = [one for one in scope.answer_v2.schemas if one.count("/") == 1]
        message = f"{scope.endpoint.id} has no such member at the top of v2's answer"
        yield Finding(FindingKind.PLACE, scope.file, step.place, step.id, message, nearest(step.place, known))


def _look_up(scope: Scope, step: Step) -> Iterator[Finding]:
    yield from _call(scope, step, "call", [scope.resource.record.query])
    if step.then:
        yield from _call(scope, step, "then", [_FOUND])
    for key in ("after", "status"):
        value, known = getattr(step, key), scope.v2_1.answers
        if value and value not in known:
            message = f"{scope.v2_1.name} has no status {value}"
            way_out = nearest(str(value), [str(one) for one in known])
            yield Finding(FindingKind.REFERENCE, scope.file, key, step.id, message, way_out)
    members = scope.v2_1.request.members if scope.v2_1.request else {}
    if step.nearest and step.nearest not in members:
        message = f"{scope.v2_1.name} takes no member '{step.nearest}'"
        way_out = nearest(step.nearest, members)
        yield Finding(FindingKind.PLACE, scope.file, "nearest", step.id, message, way_out)


def _split(scope: Scope, step: Step) -> Iterator[Finding]:
    held = [*placeholders(scope.endpoint.v2), _FOUND]
    for key in ("call", "then", "create"):
        if getattr(step, key):
            yield from _call(scope, step, key, held)
    yield from _part(scope, step, scope.request[0].schemas, "")


def _gather(scope: Scope, step: Step) -> Iterator[Finding]:
    yield from _call(scope, step, "call", [*placeholders(scope.endpoint.v2), _FOUND])
    yield from _part(scope, step, scope.answer_v2.schemas, f"{step.place}/*" if step.place else "")


def _confirm(scope: Scope, step: Step) -> Iterator[Finding]:
    """Before a write what is there is read; a read is its own confirmation. Both answer the caller's path."""
    reads, path = scope.endpoint.v2.startswith("GET "), scope.resource.record.path
    if reads is bool(step.call):
        message = "a read confirms itself" if reads else "nothing is read before the write"
        way_out = "remove `call`" if reads else "name in `call` what reads the record"
        yield Finding(FindingKind.ARGUMENT, scope.file, "call", step.id, message, way_out)
    if path not in placeholders(scope.endpoint.v2):
        message = f"v2's path has no {{{path}}} to hold against the answer"
        yield Finding(FindingKind.REFERENCE, scope.file, "on", step.id, message, "remove the step")
    called = called_operation(scope.contract, step.call) if step.call else scope.v2_1
    if step.call:
        yield from _call(scope, step, "call", placeholders(scope.endpoint.v2))
    known = [f"/{name}" for one in successes(called) if one for name in one.members]
    if step.place and called and step.place not in known:
        message = f"{called.name} has no such member at the top of its answer"
        yield Finding(FindingKind.PLACE, scope.file, step.place, step.id, message, nearest(step.place, known))
    if step.status and scope.v2 and step.status not in scope.v2.answers:
        message = f"v2 has no status {step.status} there"
        way_out = nearest(str(step.status), [*map(str, scope.v2.answers)])
        yield Finding(FindingKind.REFERENCE, scope.file, "status", step.id, message, way_out)


def _part(scope: Scope, step: Step, places: Mapping[str, Schema], around: str) -> Iterator[Finding]:
    """Members that v2 does not have there, and words that are none of a member's."""
    known = [one[len(around) + 1 :] for one in places if one.rpartition("/")[0] == around and one]
    for name in (*step.members, *step.only):
        if name not in known:
            message = f"{scope.endpoint.id} has no member '{name}' there in v2"
            yield Finding(FindingKind.REFERENCE, scope.file, name, step.id, message, nearest(name, known))
    for name, words in step.only.items():
        listed = places[f"{around}/{name}"].enum if name in known else ()
        for word in words:
            if listed and word not in listed:
                message = f"'{word}' is no value of {name} in v2"
                yield Finding(
                    FindingKind.ARGUMENT, scope.file, "only", step.id, message, nearest(word, listed)
                )


_DETAILS: Mapping[str, Callable[[Scope, Step], Iterator[Finding]]] = {
    "join": _join,
    "look-up": _look_up,
    "split": _split,
    "gather": _gather,
    "confirm": _confirm,
}


def _call(scope: Scope, step: Step, key: str, filled: Sequence[str]) -> Iterator[Finding]:
    template: str = getattr(step, key)
    operation = called_operation(scope.contract, template)
    if operation is None:
        call, known = template.partition("?")[0], scope.contract.operations
        message = f"the v2.1 contract has no operation '{call}'"
        yield Finding(FindingKind.REFERENCE, scope.file, key, step.id, message, nearest(call, known))
    else:
        yield from _query(scope, step, key, operation)
    for name in placeholders(template):
        if name not in filled:
            message = f"nothing fills {{{name}}}"
            yield Finding(FindingKind.REFERENCE, scope.file, key, step.id, message, nearest(name, filled))


def _query(scope: Scope, step: Step, key: str, operation: Operation) -> Iterator[Finding]:
    template: str = getattr(step, key)
    pairs = template.partition("?")[2]
    for pair in pairs.split("&") if pairs else []:
        name = pair.partition("=")[0]
        if name not in operation.query:
            message = f"{operation.name} has no query parameter '{name}'"
            way_out = nearest(name, operation.query)
            yield Finding(FindingKind.REFERENCE, scope.file, key, step.id, message, way_out)
