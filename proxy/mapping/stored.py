"""Values that the two versions store under different names: what makes a way back impossible.

A table entry that translates both ways says that v2.1 keeps another word than v2. Once such a word has been written through
v2.1, v2 reads it raw: reads must have moved before the writes do, and the writes cannot be taken back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from proxy.mapping.api import Source
from proxy.mapping.lint.scope import scopes
from proxy.mapping.model import Setting, holds


@dataclass(frozen=True)
class Renamed:
    """A resource whose stored values are renamed."""

    resource: str
    """The first of its endpoints' ids, up to the last dot: its name."""
    entries: tuple[str, ...]
    """Ids of the table entries."""
    reads: tuple[str, ...]
    """Ids of the endpoints that read."""
    writes: tuple[str, ...]
    """Ids of the endpoints that write."""


def renamed_values(source: Source, switches: Mapping[str, Setting]) -> dict[str, Renamed]:
    """Every endpoint of such a resource, under these `[compat]` switches."""
    tables: dict[str, list[str]] = {}
    for table in source.values.table:
        for entry in table.entry:
            if entry.direction == "both" and holds(switches, entry.when, entry.id):
                tables.setdefault(table.type, []).append(entry.id)
    found: dict[str, Renamed] = {}
    for resource in source.resources:
        written = [one.request[1] for one in scopes(source) if one.resource is resource]
        codecs = {leaf.codec for places in written for leaf in places.schemas.values()}
        entries = tuple(one for kind, ids in tables.items() if kind in codecs for one in ids)
        if entries:
            ids = {one.id: not one.v2.startswith("GET ") for one in resource.endpoint}
            reads = tuple(one for one, writes in ids.items() if not writes)
            writes = tuple(one for one, writes in ids.items() if writes)
            about = Renamed(next(iter(ids)).rpartition(".")[0], entries, reads, writes)
            found |= dict.fromkeys(ids, about)
    return found
