"""Compiling a resource: its endpoints, rules and steps, with the operator's switches, to plans.

Everything is decided here once, so that traffic only walks finished plans. The same function serves start-up, reload,
`check` and the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from proxy.errors import Fault, MappingError
from proxy.mapping import endpoint as ready
from proxy.mapping.check import Checker
from proxy.mapping.codecs import Codec, Href, Plain, Timestamp, ValueTable, Whole
from proxy.mapping.compile_steps import ReadySteps, Steps
from proxy.mapping.contract import Contract, Operation, Schema
from proxy.mapping.links import Links
from proxy.mapping.model import (
    Api,
    Claim,
    Endpoint,
    Resource,
    Rule,
    Setting,
    Values,
    chosen,
    holds,
)
from proxy.mapping.places import Planner
from proxy.mapping.query import Clamp, DropParameter, OneOf, QueryOperation, QueryPlan, Refuse

_OWN_LINK = "href"


@dataclass(frozen=True)
class Compiler:
    """What every resource is compiled with."""

    v2: Contract
    v2_1: Contract
    compat: Mapping[str, Setting]
    codecs: Mapping[str, Codec]
    words: frozenset[str] = frozenset()
    """Words of v2.1 that the mapping accepts by name."""

    def endpoints(self, resource: Resource) -> list[ready.Endpoint]:
        """All endpoints of a resource; raises `MappingError` for what does not hold together."""
        return [self._endpoint(resource, one) for one in resource.endpoint]

    def codec(self, leaf_type: str, forward: bool) -> Codec | None:
        """The codec for a leaf type where it has something to do in this direction."""
        found = self.codecs.get(leaf_type)
        if found is None or (isinstance(found, Timestamp) and forward):
            return None
        if isinstance(found, Whole) and not forward:
            return None
        if isinstance(found, ValueTable) and not found.speaks(forward=forward):
            return None
        return found

    def _endpoint(self, resource: Resource, spec: Endpoint) -> ready.Endpoint:
        v2 = None if spec.undocumented else self.v2.operation(spec.v2)
        v2_1 = self.v2_1.operation(spec.v2_1)
        method, _, path = spec.v2.partition(" ")
        rules = [one for one in resource.rule if spec.id in one.on and self._on(one)]
        steps = [one for one in resource.step if one.on == spec.id and self._on(one)]
        maker = Steps(resource.record, v2, self.v2_1, self.codecs)
        plans = {
            case: self._plans(
                [one for one in rules if _in_case(one, case)],
                maker.of_case([one for one in steps if _in_case(one, case)]),
                v2,
                v2_1,
            )
            for case in ("", *spec.cases)
        }
        return ready.Endpoint(
            id=spec.id,
            is_write=method != "GET",
            v2_method=method,
            v2_path=path,
            v2_1_method=v2_1.method,
            v2_1_path=v2_1.path,
            plans=plans,
            cases=[(one.query.encode(), one.equals.encode(), name) for name, one in spec.cases.items()],
            status={int(native): self._status(spec, status) for native, status in spec.status.items()},
            refusal=self._refusal(spec),
            check=_request_check(v2, rules),
            native_check=Checker(v2_1.request) if v2_1.request else None,
            answers={
                status: Checker(_relaxed(one, rules), telling=self.words)
                for status, one in _schemas(v2).items()
            },
            schemas=_schemas(v2),
            statuses=frozenset(v2.answers if v2 else ()),
            record=resource.record,
        )

    def _plans(
        self,
        rules: Sequence[Rule],
        steps: ReadySteps,
        v2: Operation | None,
        v2_1: Operation,
    ) -> ready.Plans:
        planner = Planner(self.codec, _OWN_LINK)
        schema = _request_schema(v2, rules)
        answers = [one for operation in (v2_1, v2) if operation for one in _successes(operation)]
        back = [one for one in rules if one.at in {"answer", "both"}]
        return ready.Plans(
            query=QueryPlan(
                {one.name.encode(): one for one in v2.query.values()} if v2 else {},
                [_query_operation(one, name) for one in rules if one.at == "query" for name in _names(one)],
            ),
            request=planner.request([one for one in rules if one.at in {"request", "both"}], schema)
            if schema
            else None,
            answer=planner.answer([one for one in back if one.do != "frozen"], answers),
            join=steps.join,
            look_up=steps.look_up,
            split=steps.split,
            gather=steps.gather,
            confirm=steps.confirm,
            frozen=[
                self._frozen(one.id, place.removeprefix("/"), answers)
                for one in back
                if one.do == "frozen"
                for place in one.place
            ],
        )

    def _frozen(self, rule: str, member: str, answers: Sequence[Schema]) -> ready.Frozen:
        leaf = next((one.members[member] for one in answers if member in one.members), Schema())
        return ready.Frozen(rule, member, self.codecs.get(leaf.codec, Plain()))

    def _on(self, claim: Claim) -> bool:
        return holds(self.compat, claim.when, claim.id)

    def _status(self, spec: Endpoint, status: Setting) -> int:
        return int(chosen(self.compat, status, spec.id)) if isinstance(status, str) else status

    def _refusal(self, spec: Endpoint) -> ready.Refusal | None:
        refuse = spec.refuse
        if refuse is None or not holds(self.compat, refuse.when, spec.id):
            return None
        fault = next((one for one in Fault if one.code == refuse.fault), None)
        if fault is None:
            raise MappingError(f"endpoint {spec.id}: '{refuse.fault}' is no code of docs/errors.md")
        return ready.Refusal(fault, refuse.message, refuse.detail, spec.id)


def codecs(api: Api, values: Values, links: Links, compat: Mapping[str, Setting]) -> dict[str, Codec]:
    """The codec of every leaf type, by the type's name; types without one pass token for token."""
    built_in: dict[str, Callable[[str], Codec]] = {
        "href": lambda rule: Href(rule, links=links),
        "timestamp": Timestamp,
        "whole": Whole,
    }
    found: dict[str, Codec] = {}
    for one in api.codec:
        if one.type not in built_in:
            raise MappingError(
                f"codec {one.id}: no codec is built in for '{one.type}'; there are {', '.join(built_in)}"
            )
        found[one.type] = built_in[one.type](one.id)
    for table in values.table:
        entries = [one for one in table.entry if holds(compat, one.when, one.id)]
        found[table.type] = ValueTable(f"values.{table.type}", entries)
    return found


def _request_schema(v2: Operation | None, rules: Sequence[Rule]) -> Schema | None:
    return None if v2 is None or v2.request is None else _relaxed(v2.request, rules)


def _relaxed(schema: Schema, rules: Sequence[Rule]) -> Schema:
    """A document of v2 without the requirements that the operator has lifted."""
    optional = {place.removeprefix("/") for one in rules if one.do == "optional" for place in one.place}
    return replace(schema, required=schema.required - optional)


def _request_check(v2: Operation | None, rules: Sequence[Rule]) -> Checker | None:
    schema = _request_schema(v2, rules)
    return Checker(schema, request=True) if schema else None


def _in_case(claim: Claim, case: str) -> bool:
    if claim.case.startswith("!"):
        return case != claim.case[1:]
    return claim.case in {"", case}


def _schemas(operation: Operation | None) -> dict[int, Schema]:
    return {} if operation is None else {status: one for status, one in operation.answers.items() if one}


def _successes(operation: Operation) -> list[Schema]:
    return [one for status, one in operation.answers.items() if one is not None and status < 300]


def _names(rule: Rule) -> Sequence[str]:
    """A rule about several parameters together stands once, any other once for each parameter."""
    return rule.place[:1] if rule.do == "one-of" else rule.place


def _query_operation(rule: Rule, name: str) -> QueryOperation:
    match rule.do:
        case "refuse":
            return Refuse(name.encode(), rule.id, rule.message, rule.says)
        case "drop":
            return DropParameter(name.encode(), rule.id)
        case "clamp":
            return Clamp(name.encode(), rule.id, rule.maximum)
        case "one-of":
            names = tuple(one.encode() for one in rule.place)
            return OneOf(names, rule.id, rule.message, rule.prefer.encode(), rule.says)
        case _:
            raise MappingError(
                f"rule {rule.id}: '{rule.do}' is not for queries; use refuse, drop, clamp or one-of"
            )
