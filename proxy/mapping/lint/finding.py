"""A finding of `crossfade check`: what is wrong, where, and the way out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class FindingKind(StrEnum):
    """What sort of mistake it is; part of the `--json` interface (docs/check.md)."""

    FORM = "form"
    """A file is missing, cannot be read, or holds a key or value that does not belong there."""
    REFERENCE = "reference"
    """A name that leads nowhere, or a name given twice."""
    ARGUMENT = "argument"
    """An operation that does not fit its document, or an argument that is missing, wrong or not for it."""
    PLACE = "place"
    """A place that the contracts do not have, or that is of the wrong kind for the operation."""
    OVERLAP = "overlap"
    """Two declarations for one place in one case."""
    UNREACHABLE = "unreachable"
    """A declaration that can never have anything to do."""
    LOSS = "loss"
    """A loss without a reason, or a reason without a loss."""
    VALUE = "value"
    """A value table or codec that does not fit the contracts, or cannot be reversed."""
    COMPILE = "compile"
    """What only compiling the endpoint shows."""
    UNCOVERED = "uncovered"
    """A leaf, parameter, status, error, value, operation or switch that nothing claims."""
    ACCEPTED = "accepted"
    """An accepted entry that accepts nothing."""
    CONFIG = "config"
    """The configuration is wrong by itself, or does not go with the mappings."""


@dataclass(frozen=True)
class Finding:
    """One mistake. `rule` is the id of the declaration, `place` the key, pointer or operation; either may be empty."""

    kind: FindingKind
    file: str
    place: str
    rule: str
    message: str
    way_out: str

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.file, self.line)))

    @property
    def line(self) -> str:
        """The finding without its file: `rule: place: what; way out`."""
        return ": ".join(filter(None, (self.rule, self.place, f"{self.message}; {self.way_out}")))


def nearest(wrong: str, known: Iterable[str]) -> str:
    """The way out for a name that does not exist: the nearest one, else some of those that do."""
    names = [one for one in known if one]
    near = difflib.get_close_matches(wrong, names, 1)
    if near:
        return f"did you mean '{near[0]}'?"
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    return f"there are: {shown}" if names else "there are none"
