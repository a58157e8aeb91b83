"""The places of v2's contract as one walk meets them: what is known of a place is worked out once for all elements."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from proxy.json import child
from proxy.mapping.contract import Schema

ANYTHING = Schema()
"""What v2 promises where it promises nothing."""


class Point(msgspec.Struct):
    """One place of the contract: its pointer, the last step of it, and what v2 promises there.

    `optional` is a member that the contract knows and does not demand.
    """

    pointer: str
    step: str
    schema: Schema
    member_name: Callable[[str], str]
    optional: bool = False
    below: dict[str, Point] = {}

    def member(self, name: str) -> Point:
        """The member with this name. One that the contract does not know is named by its hash: it can be personal data."""
        return self.below.get(name) or self._met(name)

    def element(self) -> Point:
        """Any element of an array."""
        return Point(f"{self.pointer}/*", "/*", self.schema.items or ANYTHING, self.member_name)

    @property
    def free_text(self) -> bool:
        """Whether v2 may say there what it likes."""
        return self.schema.types == ("string",) and not self.schema.enum

    def _met(self, name: str) -> Point:
        schema = self.schema.members.get(name)
        if schema is None:
            step = f"/{{unknown:{self.member_name(name)}}}"
            met = Point(self.pointer + step, step, ANYTHING, self.member_name)
        else:
            step = child("", name)
            optional = name not in self.schema.required
            met = Point(self.pointer + step, step, schema, self.member_name, optional)
        self.below[name] = met
        return met
