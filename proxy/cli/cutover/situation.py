"""What the commands know: the configuration, its mappings, and the files that the process keeps beside the journal."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from proxy.config.load import Loaded
from proxy.config.model import Route as Entry
from proxy.config.places import did_you_mean, quoted
from proxy.cutover.guard import Guard
from proxy.cutover.memory import Memory, memory_path, recall
from proxy.cutover.overrides import OverrideFile, overrides_path, stages_of
from proxy.cutover.react import guarded
from proxy.cutover.readiness import Readiness, obstacles, standing
from proxy.cutover.routes import Route, Routes
from proxy.errors import ConfigError
from proxy.mapping.api import SHIPPED, Source, load
from proxy.mapping.stored import Lasting, lasting
from proxy.store.rows import Decision


@dataclass(frozen=True)
class Situation:
    """Everything about the routes at one moment."""

    loaded: Loaded
    source: Source
    filed: Routes
    """As the file has them."""
    routes: Routes
    """As they are in effect, overrides counted."""
    file: OverrideFile
    memory: Memory
    guard: Guard
    lasting: Mapping[str, Lasting]
    """By endpoint: what writes through v2.1 leave that v2 knows otherwise."""
    trouble: str = ""
    """Why what the guard has learnt cannot be read; then every resource counts as behind its point of no return."""

    def entry_of(self, route: Route) -> Entry | None:
        """What the file says, word for word."""
        return None if route.index is None else self.loaded.config.route[route.index]

    def readiness(self, route: Route) -> Readiness:
        """What the guard can say of it."""
        ids = self.filed.endpoints_of(route.key)
        blocked = obstacles(
            {one: count for one, count in self.memory.conflicts.items() if one in ids},
            self.memory.splits.get(route.key, (0, 0.0)),
            (self.routes.entry(route.key) or route).percent,
            decided="on_conflict" in self.loaded.config.compat,
        )
        return standing(self.guard, route.key, time.time(), blocked)

    def crossed(self, route: Route) -> list[Lasting]:
        """Resources of the route that are behind their point of no return."""
        return self.behind(self.filed.endpoints_of(route.key))

    def behind(self, endpoints: Collection[str]) -> list[Lasting]:
        """Resources of these endpoints that are behind their point of no return."""
        found = {one.resource: one for name, one in self.lasting.items() if name in endpoints and one.raw}
        return [one for name, one in found.items() if name in self.memory.crossed]

    @staticmethod
    def barred(crossed: Sequence[Lasting]) -> str:
        """Why these have no way back, and how to go it all the same."""
        about = ", ".join(one.resource for one in crossed)
        return (
            f"{about} is behind its point of no return, and v2 would show records raw or without what they hold; "
            "add --force if that is what you want"
        )

    def last_decision(self, endpoint: str | None) -> Decision | None:
        """The last decision about the routes of an endpoint (or a pattern); about any where it is `None`."""
        keys = {one.key for one in self.chosen(endpoint)} if endpoint is not None else None
        found = self.file.decisions(limit=1000)
        return next(
            (one for one in found if keys is None or one.route in keys or one.endpoint == endpoint), None
        )

    def chosen(self, pattern: str) -> Sequence[Route]:
        """The entries that some call of an endpoint reaches, or those whose pattern is spelled just so.

        Raises ConfigError where there is neither.
        """
        exact = [one for one in self.filed.entries if getattr(self.entry_of(one), "endpoint", "") == pattern]
        reached = [one for one in self.filed.entries if pattern in self.filed.endpoints_of(one.key)]
        found = reached or exact
        if not found and pattern not in self.source.writes:
            patterns = [entry.endpoint for entry in self.loaded.config.route]
            hint = did_you_mean(pattern, [*self.source.writes, *patterns])
            raise ConfigError(
                f"{quoted(pattern)} is no endpoint and no pattern of a route; {hint}; correct it"
            )
        return found


def situation(loaded: Loaded) -> Situation:
    """Read everything. Raises ConfigError, MappingError, and OSError."""
    config = loaded.config
    source = load(Path(config.mappings) if config.mappings else SHIPPED)
    filed = Routes.compile(config, source.writes)
    journal = Path(config.journal.path)
    file = OverrideFile(overrides_path(journal))
    about = lasting(source, source.switches(config.compat))
    memory, trouble = _memory(memory_path(journal), about)
    shared = sum(guarded(entry.stage) for entry in filed.entries)
    return Situation(
        loaded=loaded,
        source=source,
        filed=filed,
        routes=filed.lowered(stages_of(file.overrides())),
        file=file,
        memory=memory,
        guard=Guard(config.guard, shared, memory.watched),
        lasting=about,
        trouble=trouble,
    )


def _memory(path: Path, about: Mapping[str, Lasting]) -> tuple[Memory, str]:
    """What the guard has learnt; where that cannot be read, what it would be safe to believe, and why."""
    try:
        return recall(path), ""
    except (ConfigError, OSError) as problem:
        crossed = {one.resource: 0.0 for one in about.values() if one.raw}
        return Memory(crossed=crossed), f"{problem}; until then every point of no return counts as passed"
