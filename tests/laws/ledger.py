"""The declared losses that a run has met, and how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from proxy.mapping.api import CompiledMapping
from proxy.mapping.nodes import Firing
from tests.laws.trees import place


@dataclass
class Ledger:
    """Counts by `code rule`; what is counted here is all that may be lost."""

    seen: Counter[str] = field(default_factory=Counter)

    def declared(
        self, mapping: CompiledMapping, trace: Iterable[Firing], pointer: str, before: bytes | None
    ) -> bool:
        """Whether a rule that declares a loss took just this value from just this place; counts it."""
        for one in trace:
            if one.rule in mapping.losses and one.pointer == place(pointer) and one.before == before:
                self.note(mapping, one.rule)
                return True
        return False

    def note(self, mapping: CompiledMapping, rule: str) -> None:
        """Count a loss by its declaration."""
        self.seen[f"{mapping.losses[rule].loss} {rule}"] += 1

    def unmet(self, mappings: Iterable[CompiledMapping]) -> set[str]:
        """The declared losses that were never met."""
        return set(all_losses(mappings)) - self.seen.keys()


def all_losses(mappings: Iterable[CompiledMapping]) -> Iterator[str]:
    """Every declared loss as the ledger counts it."""
    for mapping in mappings:
        yield from (f"{claim.loss} {rule}" for rule, claim in mapping.losses.items())


def lines(seen: Mapping[str, int]) -> list[str]:
    """The list as it is printed at the end of a run."""
    return [f"{count:>8}  {what}" for what, count in sorted(seen.items())]
