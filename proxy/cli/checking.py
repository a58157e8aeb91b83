"""What `crossfade check` finds in a configuration: by itself, and together with the mappings. Pure but for reading files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

from proxy.config.load import Loaded, load
from proxy.config.model import Config
from proxy.cutover.routes import Routes
from proxy.cutover.stage import Stage
from proxy.errors import ConfigError
from proxy.mapping.api import SHIPPED, Source, read
from proxy.mapping.lint import findings
from proxy.mapping.lint.errors import error_members
from proxy.mapping.lint.finding import Finding, FindingKind, nearest
from proxy.mapping.lint.scope import scopes
from proxy.mapping.model import Setting, holds
from proxy.mapping.stored import lasting


def everything(config: Path | None, mappings: Path | None, today: date) -> tuple[Path, list[Finding]]:
    """Every finding in a configuration (`None`: there is none) and its mappings; also the folder they are in.

    Raises `ConfigError` when a file or folder that was named is not there.
    """
    found: list[Finding] = []
    loaded = None
    if config is not None:
        _must_be(config, config.is_file())
        loaded, found = _loaded(config)
    named = loaded.config.mappings if loaded else None
    folder = mappings or (Path(named) if named else SHIPPED)
    _must_be(folder, folder.is_dir())
    source = read(folder)
    if isinstance(source, list):
        return folder, found + source
    wrong = findings(source)
    if loaded is not None and not any(one.kind is FindingKind.REFERENCE for one in wrong):
        found += together(loaded.config, loaded.path.name, source, today)
    return folder, found + wrong


def _must_be(path: Path, there: bool) -> None:
    if not there:
        raise ConfigError(f"{path}: is not there; name another one")


def _loaded(path: Path) -> tuple[Loaded | None, list[Finding]]:
    try:
        return load(path, os.environ), []
    except ConfigError as problem:
        return None, [_from_line(line, "") for line in str(problem).splitlines()]


def together(config: Config, file: str, source: Source, today: date) -> Iterator[Finding]:
    """What does not go together in a configuration that is valid by itself."""
    switches = dict[str, Setting]()
    for name, value in config.compat.items():
        try:
            switches = source.switches({**switches, name: value})
        except ConfigError as problem:
            yield _from_line(str(problem), file)
    yield from _ignored(config, file, source, today)
    if not config.shadow.sample and any(one.stage != "v2" for one in config.route):
        message = "compares nothing, so that no stage gathers evidence"
        yield _finding(file, "shadow.sample", message, "set a share above 0, or stage everything v2")
    yield from _refused(config, file, source, source.switches({}) | switches)
    try:
        routes = Routes.compile(config, source.writes)
    except ConfigError as problem:
        for line in str(problem).splitlines():
            yield _from_line(line, file)
    else:
        yield from _writes_ahead(file, source, routes, source.switches({}) | switches)


def _finding(file: str, place: str, message: str, way_out: str) -> Finding:
    return Finding(FindingKind.CONFIG, file, place, "", message, way_out)


def _from_line(line: str, file: str) -> Finding:
    """A line of a `ConfigError` (`file: place: what; way out`) as a finding; without `file` it names its own."""
    if not file:
        file, _, line = line.partition(": ")
    place, _, sentence = line.partition(": ")
    message, _, way_out = sentence.partition("; ")
    return _finding(file, place, message, way_out)


def _ignored(config: Config, file: str, source: Source, today: date) -> Iterator[Finding]:
    """Ignore rules that are over, or about places that no answer has."""
    places: dict[str, set[str]] = {one.endpoint.id: {*one.answer_v2.schemas} for one in scopes(source)}
    errors = {f"/{name}" for name in error_members(source.v2)}
    for number, one in enumerate(config.ignore):
        if one.until < today:
            message = f"is over since {one.until.isoformat()}, so the difference counts again"
            yield _finding(file, f"ignore[{number}].until", message, "remove the entry, or set a later day")
        named = [places[name] for name in places if fnmatchcase(name, one.endpoint)]
        known = set[str]().union(*named, errors)
        if named and "{" not in one.path and one.path not in known:
            message = f"no answer of {one.endpoint} has {one.path}"
            yield _finding(file, f"ignore[{number}].path", message, nearest(one.path, sorted(known)))


def _refused(config: Config, file: str, source: Source, switches: Mapping[str, Setting]) -> Iterator[Finding]:
    """Routes that lead one endpoint to v2.1, where a switch refuses it."""
    refused = {
        one.id: one.refuse.when
        for resource in source.resources
        for one in resource.endpoint
        if one.refuse and holds(switches, one.refuse.when, one.id)
    }
    for number, route in enumerate(config.route):
        if route.endpoint in refused and Stage(route.stage).step >= Stage.CANARY.step:
            chosen = " and ".join(
                f"compat.{name} = {value!r}" for name, value in refused[route.endpoint].items()
            )
            message = f"every call of {route.endpoint} is refused while {chosen}"
            yield _finding(file, f"route[{number}]", message, "change the switch, or remove the route")


def _writes_ahead(
    file: str, source: Source, routes: Routes, switches: Mapping[str, Setting]
) -> Iterator[Finding]:
    """Writes that v2.1 answers before the reads do, where v2 would show raw what they leave."""
    for about in dict.fromkeys(one for one in lasting(source, switches).values() if one.raw):
        for caller in ("", *sorted(routes.callers)):
            stages = {name: routes.route_for(name, caller).stage for name in (*about.reads, *about.writes)}
            ahead = [name for name in about.writes if stages[name].step >= Stage.CANARY.step]
            behind = [name for name in about.reads if stages[name].step < Stage.LIVE.step]
            if ahead and behind:
                index = routes.route_for(ahead[0], caller).index
                message = f"{ahead[0]} writes values that {behind[0]} would read raw from v2"
                yield _finding(file, f"route[{index}]", message, f"bring {behind[0]} to live first")
                break
