"""Everything that the mapping files declare, by its id: what explain, the guide and the divergence log name.

One record serves all three, so an id that one of them prints can be looked up in the others and in the files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import msgspec

from proxy.errors import MappingError
from proxy.mapping.api import Source
from proxy.mapping.lint.accepted import Accept
from proxy.mapping.model import Claim, ErrorMember


class Declared(msgspec.Struct, frozen=True):
    """One declaration: its id, what it does, how sure we are (F§0), and what it loses, if anything.

    `native` is v2.1's pointer for a place that has another name there; empty for everything but a rename.
    """

    id: str
    says: str
    grade: str = ""
    loss: str = ""
    reason: str = ""
    native: str = ""


Catalogue: TypeAlias = Mapping[str, Declared]

_ERRORS = {
    "status": "An error carries the answer's status here, as a whole number.",
    "message": "An error carries a short reason here.",
    "detail": "An error carries the whole reason here.",
    "link": "An error carries a link to help here.",
}


def catalogue(source: Source) -> dict[str, Declared]:
    """All declarations by id; raises `MappingError` for an id that stands twice."""
    found: dict[str, Declared] = {}
    for one in _declared(source):
        if one.id in found:
            raise MappingError(f"{one.id}: two declarations have this id; rename one of them")
        found[one.id] = one
    return found


def error_id(member: ErrorMember) -> str:
    """The id of a member of v2's error body."""
    return f"error.{member.name}"


def _declared(source: Source) -> Iterator[Declared]:
    yield from map(_claim, source.api.codec)
    for member in source.api.error.member:
        yield Declared(error_id(member), _ERRORS[member.value])
    for table in source.values.table:
        yield Declared(f"values.{table.type}", table.says)
        yield from map(_claim, table.entry)
    for file in source.resources:
        yield from (Declared(one.id, one.says, one.grade) for one in file.endpoint)
        yield from (
            msgspec.structs.replace(_claim(one), native=one.native if one.do == "rename" else "")
            for one in file.rule
        )
        yield from map(_claim, file.step)
    yield from map(_accepted, source.accepted)


def _accepted(one: Accept) -> Declared:
    return Declared(one.id, one.says, one.grade, reason=one.reason)


def _claim(one: Claim) -> Declared:
    return Declared(one.id, one.says, one.grade, one.loss, one.reason)
