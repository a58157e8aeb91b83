"""Coverage: whether everything in both contracts is claimed, in both directions.

A place is claimed when the other version has it in a compatible kind, when a rule decides about it, or when an accepted
entry says why it may be left alone. What nothing claims is a hole; holes are judged in every case and under every setting
of the switches, and reported at the topmost place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from proxy.mapping.contract import Schema
from proxy.mapping.lint.matching import Matching
from proxy.mapping.lint.scope import Places, Scope, settings
from proxy.mapping.model import Setting, Switch


@dataclass(frozen=True)
class Hole:
    """Something that nothing claims; `place` is its name in accepted.toml."""

    place: str
    file: str
    rule: str
    message: str
    way_out: str
    setting: Mapping[str, Setting] = field(default_factory=dict)
    """The switches under which it is open, where that depends on them."""


def document_holes(one: Matching, speaking: frozenset[str]) -> Iterator[Hole]:
    """What one document leaves unclaimed; `speaking` are the leaf types that have a codec or a value table."""
    seen: list[str] = []
    for native in (True, False):
        places = one.native if native else one.v2
        for place in places.schemas:
            covered = any(place.startswith(f"{above}/") for above in seen)
            message = "" if covered or not place else _unclaimed(one, place, speaking, native=native)
            if message:
                seen.append(place)
                yield _hole(one, place, message, native=native)
        seen.clear()


def _hole(one: Matching, place: str, message: str, *, native: bool) -> Hole:
    scope = one.scope
    way_out = "write a rule for it, or accept it with a reason in accepted.toml"
    name = one.name(native=native, place=place)
    return Hole(name, scope.file, scope.endpoint.id, message + one.where, way_out, one.setting)


def _unclaimed(one: Matching, place: str, speaking: frozenset[str], *, native: bool) -> str:
    """What is wrong with a place of one side; empty when it is claimed."""
    ours = one.v2_of(place) if native else place
    if ours is None:
        return "a rename gives this name to another place"
    theirs = place if native else one.native_of(place)
    source_side = native != one.forward
    demanded = not source_side and _demanded(one, place, ours, theirs, native=native)
    if demanded:
        return demanded
    if one.claimed(ours) or one.made(ours):
        return ""
    mine, other = (one.native, one.v2) if native else (one.v2, one.native)
    counterpart = other.schemas.get(ours if native else theirs)
    side = "v2" if native else "v2.1"
    if counterpart is None and one.opened(place, native=native):
        return ""
    if counterpart is None:
        return f"{side} has no place for it" if source_side else f"nothing in {side} fills it"
    return misfit(mine.schemas[place], counterpart, speaking, side) if source_side else ""


def _demanded(one: Matching, place: str, ours: str, theirs: str, *, native: bool) -> str:
    """Whether the receiving side demands a member that may be missing there."""
    receiving, giving = (one.native, one.v2) if native else (one.v2, one.native)
    if place not in receiving.required or one.made(ours) or one.alone(place, native=native):
        return ""
    rule = one.claimed(ours)
    if rule is not None:
        lost = rule.do not in {"link", "constant"} and one.claimed(ours.rpartition("/")[0]) is None
        return f"it is required, and rule {rule.id} takes it away" if lost else ""
    source = ours if native else theirs
    if source not in giving.schemas or source in _certain(one, giving):
        return ""
    side = ("v2", "v2.1") if native else ("v2.1", "v2")
    return f"{side[1]} requires it, {side[0]} may leave it out"


def _certain(one: Matching, giving: Places) -> frozenset[str]:
    lifted = {place for rule in one.rules if rule.do == "optional" for place in rule.place}
    return giving.required - lifted


def misfit(mine: Schema, other: Schema, speaking: frozenset[str], side: str) -> str:
    """Why a value of one place cannot stand at another; empty when it can."""
    if mine.codec == other.codec and mine.codec in speaking:
        return ""  # the codec answers for the kind as well
    allowed = {*other.types, "integer"} if "number" in other.types else {*other.types}
    if other.types and not {*mine.types} <= allowed:
        stated = " or ".join(mine.types) or "anything"
        return f"{stated} here, {' or '.join(other.types)} in {side}"
    if mine.codec != other.codec and {mine.codec, other.codec} & speaking:
        return f"leaf type {mine.codec or 'none'} here, {other.codec or 'none'} in {side}"
    return ""


def query_holes(scope: Scope, compat: dict[str, Switch]) -> Iterator[Hole]:
    """Query parameters of one version that the other does not know and no rule decides about."""
    if scope.v2 is None:
        return
    rules = [one for one in scope.rules if one.at == "query"]
    for setting in settings(compat, rules):
        held = [one for one in rules if setting.items() >= one.when.items()]
        decided = {name for one in held if one.do in {"drop", "refuse"} for name in one.place}
        chosen = " and ".join(f"compat.{name} = {value!r}" for name, value in setting.items())
        where = f" with {chosen}" if chosen else ""
        for name in sorted(scope.v2.query.keys() - scope.v2_1.query.keys() - decided):
            hole = _parameter(scope, f"v2 {scope.v2.name} ?{name}", f"v2.1 does not know it{where}")
            yield replace(hole, setting=setting)
    for name in sorted(scope.v2_1.query.keys() - scope.v2.query.keys()):
        yield _parameter(scope, f"v2.1 {scope.v2_1.name} ?{name}", "no v2 caller can say it")


def status_holes(scope: Scope, compat: dict[str, Switch]) -> Iterator[Hole]:
    """v2.1's statuses that v2 does not know, and v2's successes that nothing gives. Other errors pass as they are."""
    if scope.v2 is None:
        return
    given: set[int] = set()
    for native in scope.v2_1.answers:
        status = scope.endpoint.status.get(str(native), native)
        given.update(compat[status].values if isinstance(status, str) else {status})  # type: ignore[arg-type] # checked by lint_references: numbers
        if native not in scope.v2.answers and str(native) not in scope.endpoint.status:
            yield _parameter(scope, f"v2.1 {scope.v2_1.name} {native}", "v2 does not know this status")
    for status in scope.v2.answers:
        if status < 300 and status not in given:
            yield _parameter(scope, f"v2 {scope.v2.name} {status}", "nothing in v2.1 leads to this status")


def _parameter(scope: Scope, place: str, message: str) -> Hole:
    way_out = "declare it at the endpoint, or accept it with a reason in accepted.toml"
    return Hole(place, scope.file, scope.endpoint.id, message, way_out)
