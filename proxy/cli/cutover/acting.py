"""What `set` and `rollback` do: the file, the overrides beside the journal, and the decision that is kept."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping

from proxy.cli.cutover.change import Change, Wanted
from proxy.cli.cutover.situation import Situation
from proxy.config.edit import UnwritableError, replace
from proxy.config.places import quoted
from proxy.cutover.changed import shares
from proxy.cutover.chronicle import Ruling, keep
from proxy.cutover.overrides import TARGETS
from proxy.cutover.react import Reason
from proxy.cutover.routes import Route, Routes
from proxy.cutover.stage import Stage
from proxy.errors import ConfigError


def set_in_file(now: Situation, wanted: Wanted, change: Change) -> bool:
    """Write the change and lift what stands above it; says whether the file could be written. Raises ConfigError."""
    if change.after != change.before:
        try:
            replace(now.loaded.path, change.after)
        except UnwritableError:
            return False
    after = Routes.compile(change.config, now.source.writes)
    changed = [one for one in after.entries if now.filed.entry(one.key) is None]
    keys = {one.key for one in changed} | ({change.old.key} if change.old else set())
    lapsed = keys & {one.route for one in now.file.overrides()}
    if lapsed:
        now.file.lift(lapsed)
    before = now.routes.entry(change.current.key) or change.current
    for route in changed or [one for one in now.routes.entries if one.key in lapsed]:
        reason: Reason = "lapsed" if lapsed else "configured"
        old = dataclasses.replace(route, stage=before.stage, percent=before.percent)
        _keep(now, old, wanted.endpoint, "command.set", wanted.stage, reason, shares(old, route))
    return True


def take_back(now: Situation, endpoint: str, to: str, *, force: bool) -> tuple[list[str], list[str]]:
    """Override every entry that an endpoint's calls reach; gives those, and sentences on those that stay.

    Raises ConfigError for an endpoint or a stage that cannot be meant.
    """
    if to not in TARGETS:
        raise ConfigError(f"--to {quoted(to)}: only {' and '.join(TARGETS)} lead back; choose one of them")
    stage = Stage(to)
    taken, kept = [], []
    for filed in now.chosen(endpoint):
        route = now.routes.entry(filed.key) or filed
        if route.stage.step <= stage.step:
            continue
        name, crossed = f"route[{route.index}]", now.crossed(filed)
        if crossed and not force:
            kept.append(f"{name} stays at {route.stage}: {now.barred(crossed)}")
            continue
        _keep(now, route, endpoint, "command.rollback", stage, "by_hand")
        taken.append(name)
    return taken, kept


def _keep(  # noqa: PLR0913, PLR0917 - a decision
    now: Situation,
    route: Route,
    endpoint: str,
    rule: str,
    stage: Stage,
    reason: Reason,
    figures: Mapping[str, object] = {},
) -> None:
    ruling = Ruling(
        route=route,
        endpoint=endpoint,
        rule=rule,
        new_stage=stage,
        reason=reason,
        figures=figures,
        config=now.loaded.hash,
    )
    keep(now.file, ruling, ruling.row(time.time()))
