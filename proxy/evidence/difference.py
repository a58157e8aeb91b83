"""One difference between what v2 says and what v2.1 says, without any of their values."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from proxy.errors import CrossfadeError
from proxy.json import Token, kind

DifferenceKind: TypeAlias = Literal[
    "missing", "extra", "type", "value", "enum", "order", "length", "precision", "format",
    "status", "header", "untranslatable",
]  # fmt: skip
Side: TypeAlias = str | int | None
"""The JSON kind that stands on one side (or a status number); `None` where there is nothing."""


class Difference(msgspec.Struct, frozen=True):
    """Where and in what way the two answers differ, in the caller's dialect.

    `pointer` is a pointer into v2's contract: array places as `*`, a member that the contract does not know as
    `{unknown:…}` with a keyed hash. `rule` is the declared loss that explains it. `excuse` is `noise` where texts may
    change from answer to answer, and `race` inside a record whose stamp shows that it changed in between.
    """

    pointer: str
    kind: DifferenceKind
    v2: Side
    v2_1: Side
    rule: str | None = None
    excuse: Literal["", "noise", "race"] = ""

    @property
    def unexpected(self) -> bool:
        """Whether nothing accounts for it. What could not be translated is never accounted for."""
        return self.kind == "untranslatable" or (self.rule is None and not self.excuse)


def side(token: Token | None) -> Side:
    """How a token is named in a difference: by its JSON kind; what is no JSON (a query value) is a string."""
    if token is None:
        return None
    try:
        return kind(token).value
    except CrossfadeError:
        return "string"
