"""The overrides that a process knows, and what it holds back while it cannot know them.

A file of overrides that cannot be read at the start may have taken any route back. So every route that somebody or the guard
could have taken back stands where a rollback leads to, until the file is mended or moved away; but for those whose way back
is no way any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from proxy.cutover.react import BACK, guarded
from proxy.cutover.routes import Routes
from proxy.cutover.stage import Stage


class Holding:
    """Entry key → stage. `known` is false while the file cannot be read."""

    def __init__(self, stages: Mapping[str, Stage] | None) -> None:
        self.stages = dict(stages or {})
        self.known = stages is not None

    def in_effect(self, filed: Routes, unsafe: Callable[[str], bool]) -> dict[str, Stage]:
        """What stands above these routes; `unsafe` says which of them cannot go back."""
        if self.known:
            return self.stages
        held = (one.key for one in filed.entries if guarded(one.stage) and not unsafe(one.key))
        return dict.fromkeys(held, BACK) | self.stages

    def learn(self, stages: Mapping[str, Stage]) -> tuple[frozenset[str], frozenset[str]]:
        """Take over what the file says now; gives the entries that are held anew, and those that are held no more."""
        before, self.stages, self.known = self.stages, dict(stages), True
        return frozenset(stages.keys() - before.keys()), frozenset(before.keys() - stages.keys())

    def keep(self, keys: frozenset[str]) -> frozenset[str]:
        """Keep the overrides of these entries; gives those that have lapsed."""
        lapsed = frozenset(self.stages.keys() - keys)
        self.stages = {key: stage for key, stage in self.stages.items() if key in keys}
        return lapsed
