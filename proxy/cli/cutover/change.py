"""`cutover set`: one stage more or less in the operator's file, with every comment kept, and refused where it would hurt."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import tomlkit
from pydantic import BaseModel, ValidationError
from tomlkit.items import AoT, Table

from proxy.cli.checking import together
from proxy.cli.cutover.situation import Situation
from proxy.config.findings import findings
from proxy.config.lines import changed, difference
from proxy.config.model import Config
from proxy.config.model import Route as Entry
from proxy.cutover.routes import Route
from proxy.cutover.stage import Stage
from proxy.errors import ConfigError
from proxy.mapping.lint.finding import Finding
from proxy.mapping.stored import Lasting


class _Routes(BaseModel):
    """The routes of a file, and nothing else of it."""

    route: tuple[Entry, ...] = ()


_INHERITED = ("sticky", "slow_after")
"""Keys that a new entry takes from the one that decided so far: without them it would move keys, or judge otherwise."""


@dataclass(frozen=True)
class Wanted:
    """What the operator typed."""

    endpoint: str
    stage: Stage
    percent: float | None = None
    kind: str = ""
    """`reads`, `writes`, or empty."""
    callers: tuple[str, ...] = ()

    @property
    def settings(self) -> dict[str, Any]:
        """The keys of the entry that are about the stage."""
        found: dict[str, Any] = {"stage": self.stage.value}
        if self.percent is not None:
            found["percent"] = int(self.percent) if self.percent.is_integer() else self.percent
        return found

    def is_about(self, entry: Entry) -> bool:
        """Whether an entry is spelled just so."""
        kind = "reads" if entry.reads else "writes" if entry.writes else ""
        return (entry.endpoint, kind, set(entry.callers or ())) == (
            self.endpoint,
            self.kind,
            set(self.callers),
        )


@dataclass(frozen=True)
class Change:
    """A change of the file that may be made."""

    before: str
    after: str
    config: Config
    """The configuration as it would be."""
    old: Route | None
    """The entry that is changed; `None` where one is added."""
    current: Route
    """The entry that these calls stand under before."""
    warnings: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The change as a person reads it."""
        return difference(self.before, self.after)


def change(now: Situation, wanted: Wanted, *, force: bool) -> Change:
    """Work the change out. Raises ConfigError where it jumps (unless forced), or would not be accepted."""
    _check_endpoint(now, wanted)
    before = now.loaded.path.read_bytes().decode()
    if any(name.startswith("CROSSFADE__ROUTE") for name in now.loaded.origins.values()):
        raise ConfigError("CROSSFADE__ROUTE: the routes come from the environment; change them there")
    old = next((one for one in now.filed.entries if _spelled(now, one, wanted)), None)
    current = old or _above(now, wanted)
    if wanted.stage.step > current.stage.step + 1 and not force:
        way = list(Stage)[current.stage.step + 1]
        raise ConfigError(
            f"{wanted.endpoint}: {current.stage} to {wanted.stage} jumps over {way}, which would gather the evidence; "
            f"set {way} first, or add --force"
        )
    crossed = _behind(now, wanted) if wanted.stage.step < Stage.CANARY.step <= current.stage.step else []
    if crossed and not force:
        raise ConfigError(f"{wanted.endpoint}: {now.barred(crossed)}")
    after = changed(before, lambda text: _edited(text, wanted, old, current))
    config = _accepted(now, after)
    return Change(before, after, config, old, current, tuple(warnings(now, wanted, current)))


def warnings(now: Situation, wanted: Wanted, current: Route) -> Iterable[str]:
    """What the operator should know before."""
    found, says = now.readiness(current), {one.id: one.says for one in now.source.claims()}
    if wanted.stage.step > current.stage.step and current.stage is not Stage.V2 and found.verdict != "ready":
        yield f"{found.verdict}: {'; '.join(found.reasons)}"
    for one in _written(now, wanted):
        if one.raw and one.resource not in now.memory.crossed:
            yield (
                f"the point of no return: from the first write of {one.resource} through v2.1 on that one of these has "
                f"changed, v2 would show records raw or without what they hold ({', '.join(one.raw)}); after that the "
                f"guard only tells, and takes nothing back{_apart(now, wanted, one)}"
            )
        for declared in one.told:
            yield f"stays after a way back as well, {declared}: {says[declared]}"


def _apart(now: Situation, wanted: Wanted, about: Lasting) -> str:
    """What to do where other resources come under the same entry and would lose their way back as well."""
    others = [one for one in _matching(now, wanted.endpoint) if now.lasting.get(one) != about]
    return f", for the whole entry: set {about.resource}.* by itself" if others else ""


def _written(now: Situation, wanted: Wanted) -> list[Lasting]:
    """The resources that v2.1 would write from then on, and whose writes leave something that v2 knows otherwise."""
    if wanted.stage.step < Stage.CANARY.step or wanted.kind == "reads":
        return []
    matching = _matching(now, wanted.endpoint)
    return list(dict.fromkeys(one for one in now.lasting.values() if matching & set(one.writes)))


def _behind(now: Situation, wanted: Wanted) -> list[Lasting]:
    """The resources of these endpoints that are behind their point of no return."""
    return now.behind([one for one in _matching(now, wanted.endpoint) if _meant(now, one, wanted.kind)])


def _meant(now: Situation, endpoint: str, kind: str) -> bool:
    return not kind or now.source.writes[endpoint] is (kind == "writes")


def _matching(now: Situation, pattern: str) -> set[str]:
    start = pattern.removesuffix("*")
    return {
        one for one in now.source.writes if one == pattern or (start != pattern and one.startswith(start))
    }


def _check_endpoint(now: Situation, wanted: Wanted) -> None:
    if not _matching(now, wanted.endpoint):
        now.chosen(wanted.endpoint)


def _spelled(now: Situation, route: Route, wanted: Wanted) -> bool:
    entry = now.entry_of(route)
    return entry is not None and wanted.is_about(entry)


def _above(now: Situation, wanted: Wanted) -> Route:
    """The route that these calls stand under now: the furthest of them, since no call shall jump."""
    ids = [one for one in sorted(_matching(now, wanted.endpoint)) if _meant(now, one, wanted.kind)]
    names = {caller.name: caller.id for caller in now.loaded.config.caller}
    callers = [names.get(one, one) for one in wanted.callers] or [""]
    found = [now.filed.route_for(endpoint, caller) for endpoint in ids for caller in callers]
    if not found:
        raise ConfigError(
            f"{wanted.endpoint}: none of its endpoints {wanted.kind}; leave --{wanted.kind} out"
        )
    return min(found, key=lambda one: one.stage.step)


def _edited(text: str, wanted: Wanted, old: Route | None, current: Route) -> str:
    document = tomlkit.parse(text)
    routes = document.get("route")
    if routes is not None and not isinstance(routes, AoT):
        raise ConfigError("route is no list of tables; write [[route]] for each entry")
    if old is not None and old.index is not None and routes is not None:
        _set(routes[old.index], wanted)
        return tomlkit.dumps(document)
    table = tomlkit.table()
    table.add("endpoint", wanted.endpoint)
    if wanted.kind:
        table.add(wanted.kind, value=True)
    if wanted.callers:
        table.add("callers", list(wanted.callers))
    for key, value in wanted.settings.items():
        table.add(key, value)
    if routes is not None and current.index is not None:
        above = routes[current.index]
        for key in (one for one in _INHERITED if one in above):
            table.add(key, above[key].unwrap())
        table.add(tomlkit.nl())
    if routes is None:
        document.add(tomlkit.nl())
        document.add("route", AoT([table]))
    else:
        routes.insert(len(routes) if current.index is None else current.index, table)
    return tomlkit.dumps(document)


def _set(table: Table, wanted: Wanted) -> None:
    settings = wanted.settings
    if "percent" not in settings:
        table.pop("percent", None)
    for key, value in settings.items():
        table[key] = value


def _accepted(now: Situation, text: str) -> Config:
    """Whatever `crossfade check` would find in the new file and not in the old one stands in the way."""
    file, old = now.loaded.path.name, now.loaded.config
    new = old.model_copy(update={"route": _entries(file, text)})
    today = datetime.now(UTC).date()
    before = {_unnumbered(one) for one in together(old, file, now.source, today)}
    found = [one for one in together(new, file, now.source, today) if _unnumbered(one) not in before]
    if found:
        raise ConfigError("\n".join(str(one) for one in found))
    return new


def _unnumbered(finding: Finding) -> str:
    """A finding whatever the place of its entry, which a new entry in front of it moves."""
    return re.sub(r"\[\d+\]", "[]", str(finding))


def _entries(file: str, text: str) -> tuple[Entry, ...]:
    try:
        return _Routes.model_validate(tomllib.loads(text)).route
    except ValidationError as problem:
        raise ConfigError("\n".join(findings(problem, lambda _: file))) from None
