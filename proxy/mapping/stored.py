"""What writes through v2.1 leave in a record that v2 knows otherwise: what makes a way back impossible, or not free.

    declaration                            what v2 shows of the record                        a way back
    a table entry that names both ways     v2.1's word, raw                                   breaks its readers
    a `split` step                         the record without these members                   breaks its readers
    a `default` rule                       what was made up, as if the caller had written it  is possible, and told
    an `optional` rule                     a record without what v2 demands of every write    is possible, and told
    a `drop` with a loss that is no quiet  a record without what v2 would have kept           is possible, and told

A quiet loss takes nothing that a v2 caller could miss, and a member of another name is one member to the platform. So
reads of what the first two leave have to move before the writes do, and those writes cannot be taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from proxy.mapping.api import Source
from proxy.mapping.lint.scope import Scope, scopes
from proxy.mapping.model import Claim, Resource, Rule, Setting, holds
from proxy.mapping.nodes import Firing

_MADE = frozenset({"default", "optional"})
_SENT = frozenset({"request", "query", "both"})


@dataclass(frozen=True)
class Lasting:
    """What writes of one resource leave."""

    resource: str
    """The first of its endpoints' ids, up to the last dot: its name."""
    raw: tuple[str, ...]
    """Ids of what breaks v2's readers: tables, their entries, steps. Empty: there is a way back."""
    told: tuple[str, ...]
    """Ids of what stays after a way back and breaks nobody."""
    reads: tuple[str, ...]
    """Ids of the endpoints that show `raw`: the resource's own, and others whose answers hold such records."""
    writes: tuple[str, ...]
    """Ids of the resource's endpoints that write."""

    def left(self, trace: Iterable[Firing]) -> tuple[str, ...]:
        """Which of `raw` one exchange has met, by what its translation changed: what the record holds from now on."""
        met = {one.rule for one in trace}
        return tuple(one for one in self.raw if one in met)


def lasting(source: Source, switches: Mapping[str, Setting]) -> dict[str, Lasting]:
    """By endpoint, for each resource whose writes leave something under these `[compat]` switches."""
    tables: dict[str, list[str]] = {}
    for table in source.values.table:
        for entry in table.entry:
            if entry.direction == "both" and holds(switches, entry.when, entry.id):
                tables.setdefault(table.type, [f"values.{table.type}"]).append(entry.id)
    known = list(scopes(source))
    found: dict[str, Lasting] = {}
    for resource in source.resources:
        about = _of(resource, known, tables, switches)
        if about.raw or about.told:
            found |= dict.fromkeys((one.id for one in resource.endpoint), about)
    return found


def _of(
    resource: Resource,
    known: Iterable[Scope],
    tables: Mapping[str, list[str]],
    switches: Mapping[str, Setting],
) -> Lasting:
    written = [one.request[1] for one in known if one.resource is resource]
    leaves = {leaf.codec for places in written for leaf in places.schemas.values()} & tables.keys()
    ids = {one.id: not one.v2.startswith("GET ") for one in resource.endpoint}
    splits = [one for one in resource.step if one.kind == "split" and ids[one.on] and _active(one, switches)]
    raw = [*(one for kind in tables if kind in leaves for one in tables[kind]), *(one.id for one in splits)]
    members = {name for one in splits for name in one.members}
    shown = [one for one in known if _shows(one, leaves, members)] if raw else []
    own = (one for one, writes in ids.items() if not writes)
    return Lasting(
        resource=next(iter(ids)).rpartition(".")[0],
        raw=tuple(raw),
        told=tuple(one.id for one in _told(resource, ids) if _active(one, switches)),
        reads=tuple(dict.fromkeys((*own, *(one.endpoint.id for one in shown)))),
        writes=tuple(one for one, writes in ids.items() if writes),
    )


def _active(claim: Claim, switches: Mapping[str, Setting]) -> bool:
    return holds(switches, claim.when, claim.id)


def _told(resource: Resource, writes: Mapping[str, bool]) -> Iterator[Rule]:
    """Rules on what is sent that v2 would not have followed."""
    for rule in resource.rule:
        lost = rule.do == "drop" and rule.loss and not rule.quiet
        if rule.at in _SENT and (rule.do in _MADE or lost) and any(writes[one] for one in rule.on):
            yield rule


def _shows(scope: Scope, leaves: Iterable[str], members: Iterable[str]) -> bool:
    """Whether a read of v2 has such words in its answer, or members that stand elsewhere in v2.1."""
    if not scope.endpoint.v2.startswith("GET "):
        return False
    gathered = {name for one in scope.steps if one.kind == "gather" for name in one.members}
    words = {leaf.codec for leaf in scope.answer_v2.schemas.values()}
    return not words.isdisjoint(leaves) or not gathered.isdisjoint(members)
