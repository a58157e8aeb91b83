"""v2's error body and the operations: what of both contracts the template, the endpoints and the steps claim."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import TYPE_CHECKING

from proxy.mapping.contract import Contract, Schema
from proxy.mapping.lint.coverage import Hole
from proxy.mapping.lint.finding import Finding, FindingKind, nearest
from proxy.mapping.lint.scope import called_operation
from proxy.mapping.model import ErrorMember, Setting

if TYPE_CHECKING:
    from proxy.mapping.api import Source

_API = "api.toml"


def error_members(contract: Contract) -> dict[str, bool]:
    """The members of a contract's error bodies, and whether each is required in all of them."""
    bodies = [
        body
        for one in contract.operations.values()
        for status, body in one.answers.items()
        if body and status >= 400
    ]
    return {name: _always(bodies, name) for body in bodies for name in body.members}


def _always(bodies: list[Schema], name: str) -> bool:
    return all(name in body.required for body in bodies)


def template(source: Source) -> Iterator[Finding]:
    """Members of the error template that no contract has, or that stand twice."""
    v2, native = error_members(source.v2), error_members(source.v2_1)
    members = source.api.error.member
    for number, one in enumerate(members):
        place = f"error.{one.name}"
        if v2 and one.name not in v2:
            message = "v2's error body has no such member"
            yield Finding(FindingKind.PLACE, _API, place, "", message, nearest(one.name, v2))
        for name in one.source:
            if (v2 or native) and name not in v2 and name not in native:
                message = f"no error body has the member '{name}'"
                yield Finding(FindingKind.PLACE, _API, place, "", message, nearest(name, native))
        for other in members[:number]:
            if other.name == one.name and _meet(one, other):
                message = "the member stands twice for one setting of the switches"
                yield Finding(FindingKind.OVERLAP, _API, place, "", message, "keep one of the two")


def _meet(one: ErrorMember, other: ErrorMember) -> bool:
    return all({*values} & {*other.when.get(name, values)} for name, values in one.when.items())


def error_holes(source: Source) -> Iterator[Hole]:
    """Error members that neither pass nor are made."""
    v2, native = error_members(source.v2), error_members(source.v2_1)
    members = source.api.error.member
    read = {name for one in members for name in (one.name, *one.source)}
    for name in native:
        if name not in read and name not in v2:
            yield _hole(f"v2.1 error /{name}", "no member of v2's error body takes it up")
    names = sorted({name for one in members for name in one.when})
    for values in product(*(source.api.compat[name].values for name in names)):
        setting = dict(zip(names, values, strict=True))
        made = {one.name for one in members if _made(one, setting)}
        chosen = " and ".join(f"compat.{name} = {value!r}" for name, value in setting.items())
        for name, required in v2.items():
            if required and name not in made:
                where = f" with {chosen}" if chosen else ""
                yield _hole(f"v2 error /{name}", f"v2 requires it and the template does not make it{where}")
    for name, required in v2.items():
        if not required and name not in {one.name for one in members} and name not in native:
            yield _hole(f"v2 error /{name}", "the template does not make it")


def _made(member: ErrorMember, setting: Mapping[str, Setting]) -> bool:
    return all(setting[name] in values for name, values in member.when.items())


def _hole(place: str, message: str) -> Hole:
    return Hole(place, _API, "", message, "add it to [[error.member]], or accept it with a reason")


def operation_holes(source: Source) -> Iterator[Hole]:
    """Operations of either contract that no endpoint and no step is about."""
    endpoints = [one for resource in source.resources for one in resource.endpoint]
    calls = [
        call
        for file in source.resources
        for one in file.step
        for call in (one.call, one.then, one.create)
        if call
    ]
    stepped = {found.name for call in calls if (found := called_operation(source.v2_1, call))}
    claimed = {"v2": {one.v2 for one in endpoints}, "v2.1": {one.v2_1 for one in endpoints} | stepped}
    for side, contract in (("v2", source.v2), ("v2.1", source.v2_1)):
        for name in contract.operations:
            if name not in claimed[side]:
                way_out = "declare an endpoint, or accept it with a reason in accepted.toml"
                yield Hole(f"{side} {name}", source.api.resources[0], "", "no endpoint is about it", way_out)
