"""Which stage a call stands at: the first route entry that matches its endpoint and its caller.

An entry is a rectangle of endpoints × callers. Compiling lays them over each other once, so that a look-up is
two dictionary accesses, and so that an entry that nothing can reach is found before it misleads anybody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from hashlib import blake2b

from proxy.config.model import STICKY_HEADER, Config, is_caller_id
from proxy.config.model import Route as Entry
from proxy.config.places import did_you_mean, quoted
from proxy.cutover.stage import Stage
from proxy.errors import ConfigError


@dataclass(frozen=True)
class Route:
    """One route entry as calls see it."""

    index: int | None
    """Its place in the file, counted from 0; None for the default, which no entry states."""
    stage: Stage
    percent: float
    """The share of sticky keys that v2.1 answers: between 0 and 100 in `canary`, else 0 or 100."""
    sticky: str
    """`record`, `caller` or `header`."""
    sticky_header: bytes | None = None
    """The header that decides, in lower case, where `sticky` is `header`."""
    slow_after: float | None = None
    """Seconds from which on an answer of v2.1 counts as slow; `None` leaves it to the guard's settings."""
    key: str = ""
    """Names the entry by what it says, so that what was decided about it lapses when it is changed; empty for the default."""


DEFAULT = Route(index=None, stage=Stage.V2, percent=0.0, sticky="record")
"""Where no entry matches, v2 answers."""

_Table = dict[str, Route]


@dataclass(frozen=True)
class Routes:
    """All routes of one configuration. Frozen: a reload makes a new one."""

    entries: tuple[Route, ...]
    _by_caller: Mapping[str, _Table]
    """For each caller that some entry names: endpoint → route."""
    _others: _Table
    """For every other caller."""

    @classmethod
    def compile(cls, config: Config, endpoints: Mapping[str, bool]) -> Routes:
        """Compile the entries for the endpoints that the mappings declare (id → does it write).

        Raises ConfigError with one line for each entry that names an unknown endpoint or caller, or cannot be
        reached because earlier ones take all its calls; the endpoints of ignore rules are checked as well.
        """
        aliases = {caller.name: caller.id for caller in config.caller}
        ids = set(aliases.values())
        wanted: list[frozenset[str]] = []
        named: list[frozenset[str] | None] = []
        findings: list[str] = []
        for number, entry in enumerate(config.route):
            matching, problems = _endpoints_of(entry, endpoints)
            callers, more = _callers_of(entry, aliases, ids)
            wanted.append(matching)
            named.append(callers)
            findings += [f"route[{number}].{problem}" for problem in problems + more]
        for number, rule in enumerate(config.ignore):
            _, problem = _matching(rule.endpoint, endpoints)
            findings += [f"ignore[{number}].{problem}"] if problem else []
        if findings:
            raise ConfigError("\n".join(findings))
        entries = tuple(_compiled(number, entry) for number, entry in enumerate(config.route))
        everyone = {caller for callers in named if callers for caller in callers}
        by_caller = {caller: _table(entries, wanted, named, endpoints, caller) for caller in everyone}
        others = _table(entries, wanted, named, endpoints, None)
        _refuse_unreachable(entries, [others, *by_caller.values()])
        return cls(entries, by_caller, others)

    def route_for(self, endpoint_id: str, caller_id: str) -> Route:
        """The route of a call; stage `v2` where no entry matches or the endpoint is unknown."""
        return self._by_caller.get(caller_id, self._others).get(endpoint_id, DEFAULT)

    @property
    def callers(self) -> Collection[str]:
        """The callers that some entry names."""
        return self._by_caller.keys()

    def lowered(self, stages: Mapping[str, Stage]) -> Routes:
        """The same routes under overrides (entry key → stage): the lower of file and override is in effect."""
        if not any(entry.key in stages for entry in self.entries):
            return self
        below = {entry.index: _lowered(entry, stages.get(entry.key, entry.stage)) for entry in self.entries}

        def under(table: _Table) -> _Table:
            return {endpoint: below.get(route.index, route) for endpoint, route in table.items()}

        by_caller = {caller: under(table) for caller, table in self._by_caller.items()}
        return Routes(tuple(below.values()), by_caller, under(self._others))

    def endpoints_of(self, key: str) -> frozenset[str]:
        """The endpoints that some call reaches under the entry with this key."""
        tables = [self._others, *self._by_caller.values()]
        return frozenset(one for table in tables for one, route in table.items() if route.key == key)

    def entry(self, key: str) -> Route | None:
        """The entry with this key, or `None` where the file has none (any more)."""
        return next((entry for entry in self.entries if entry.key == key), None)

    def all_v2_1(self, caller_id: str, endpoints: Iterable[str]) -> bool:
        """Whether v2 is over for a caller: every one of these endpoints stands at `v2.1`. False for none."""
        stages = [self.route_for(endpoint, caller_id).stage for endpoint in endpoints]
        return bool(stages) and all(stage is Stage.V2_1 for stage in stages)


def _lowered(entry: Route, stage: Stage) -> Route:
    if stage.step >= entry.stage.step:
        return entry
    return replace(entry, stage=stage, percent=0.0 if stage.step < Stage.CANARY.step else entry.percent)


def _endpoints_of(entry: Entry, endpoints: Mapping[str, bool]) -> tuple[frozenset[str], list[str]]:
    matching, problem = _matching(entry.endpoint, endpoints)
    if problem:
        return frozenset(), [problem]
    kept = {
        endpoint
        for endpoint in matching
        if not (entry.reads and endpoints[endpoint]) and not (entry.writes and not endpoints[endpoint])
    }
    if not kept:
        kind = "reads" if entry.reads else "writes"
        what = f"no endpoint that {quoted(entry.endpoint)} matches {kind}"
        return frozenset(), [f"{kind}: {what}; remove {kind} = true"]
    return frozenset(kept), []


def _matching(pattern: str, endpoints: Iterable[str]) -> tuple[frozenset[str], str]:
    """The endpoints that a pattern names, or what is wrong with it."""
    if "*" in pattern.removesuffix("*") or any(sign in pattern for sign in "?["):
        hint = "a * stands alone or at the end of a pattern"
        return frozenset(), f"endpoint: {quoted(pattern)} is no pattern; {hint}; write an id, name.* or *"
    matching = frozenset(endpoint for endpoint in endpoints if fnmatchcase(endpoint, pattern))
    if matching:
        return matching, ""
    patterns = {f"{endpoint.rpartition('.')[0]}.*" for endpoint in endpoints if "." in endpoint}
    hint = did_you_mean(pattern, [*endpoints, *sorted(patterns), "*"])
    return frozenset(), f"endpoint: {quoted(pattern)} matches no endpoint; {hint}; correct it"


def _callers_of(
    entry: Entry, aliases: Mapping[str, str], ids: set[str]
) -> tuple[frozenset[str] | None, list[str]]:
    if entry.callers is None:
        return None, []
    unknown = [c for c in entry.callers if c not in aliases and c not in ids and not is_caller_id(c)]
    way_out = "add a [[caller]] with this name, or write a caller id"
    problems = [
        f"callers: {quoted(caller)} is no caller; {did_you_mean(caller, aliases)}; {way_out}"
        for caller in unknown
    ]
    return frozenset(aliases.get(caller, caller) for caller in entry.callers), problems


def _compiled(number: int, entry: Entry) -> Route:
    stage = Stage(entry.stage)
    percent = 100.0 if stage in {Stage.LIVE, Stage.V2_1} else 0.0
    kind, _, header = entry.sticky.partition(":")
    return Route(
        index=number,
        stage=stage,
        percent=percent if entry.percent is None else entry.percent,
        sticky=kind,
        sticky_header=header.lower().encode("ascii") if entry.sticky.startswith(STICKY_HEADER) else None,
        slow_after=entry.slow_after,
        # Without defaults, so that a key which the program learns later renames no entry.
        key=blake2b(entry.model_dump_json(exclude_defaults=True).encode(), digest_size=8).hexdigest(),
    )


def _table(
    entries: Sequence[Route],
    wanted: Sequence[frozenset[str]],
    named: Sequence[frozenset[str] | None],
    endpoints: Iterable[str],
    caller: str | None,
) -> _Table:
    """Endpoint → first entry that takes it, for one caller (None: one whom no entry names)."""
    rows = [
        (entry, matching)
        for entry, matching, callers in zip(entries, wanted, named, strict=True)
        if callers is None or caller in callers
    ]
    return {
        endpoint: next((entry for entry, matching in rows if endpoint in matching), DEFAULT)
        for endpoint in endpoints
    }


def _refuse_unreachable(entries: Iterable[Route], tables: Sequence[_Table]) -> None:
    reached = {route.index for table in tables for route in table.values()}
    lost = [entry.index for entry in entries if entry.index not in reached]
    if lost:
        raise ConfigError(
            "\n".join(
                f"route[{index}]: is never reached, entries above take all its calls; move it up or remove it"
                for index in lost
            )
        )
