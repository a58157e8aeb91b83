"""Groups of divergences on the operator's screen, and what an operator says about one."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, get_args

import msgspec
import typer

from proxy.cli.tables import counted, moment, print_json, print_table
from proxy.config.model import Config
from proxy.errors import ConfigError
from proxy.store import Store
from proxy.store.rows import Group, Shape, State, Triage

_COLUMNS = (
    "group",
    "state",
    "endpoint",
    "status",
    "where",
    "kind",
    "v2",
    "v2.1",
    "count",
    "records",
    "callers",
    "last seen",
)


def chosen(
    store: Store, config: Config, states: Collection[str], endpoint: str | None, caller: str | None
) -> list[Group]:
    """The groups that the operator asks for. Raises `ConfigError` for a state that does not exist."""
    wrong = [state for state in states if state not in get_args(State)]
    if wrong:
        raise ConfigError(f"--state: {wrong[0]!a} is no state; write one of {', '.join(get_args(State))}")
    met = None if caller is None else store.groups_of(caller_id(config, caller))
    return [
        one
        for one in store.groups()
        if (not states or one.triage.state in states)
        and (endpoint is None or one.key.endpoint == endpoint)
        and (met is None or one.key.id in met)
    ]


def caller_id(config: Config, caller: str) -> str:
    """The id of a caller that the operator names by its id or by its name in the file."""
    return next((one.id for one in config.caller if one.name == caller), caller)


def caller_names(config: Config) -> dict[str, str]:
    """Names of callers by their ids."""
    return {one.id: one.name for one in config.caller}


def print_groups(groups: Sequence[Group], *, as_json: bool) -> None:
    """Print them as a table or as JSON."""
    if as_json:
        print_json({"groups": [as_dict(one) for one in groups]})
        return
    if groups:
        print_table(_COLUMNS, map(_row, groups))
    typer.echo(counted(len(groups), "group"))


def print_group(group: Group, callers: Mapping[str, int], config: Config, *, as_json: bool) -> None:
    """Print everything that is known of one group."""
    if as_json:
        print_json({**as_dict(group), "by_caller": callers})
        return
    print_table(_COLUMNS, [_row(group)])
    said = group.triage
    typer.echo(f"first seen {moment(group.first_seen)}")
    if said.state != "new":
        until = f" until {said.until}" if said.until else ""
        typer.echo(f"{said.state}{until} by {said.owner}: {said.reason}")
    names = caller_names(config)
    print_table(("caller", "name", "comparisons"), [(one, names.get(one), n) for one, n in callers.items()])
    for shape in group.examples:
        typer.echo(
            f"{moment(shape.at)}  request {shape.request_id}  {shape.evidence}  stage {shape.stage or 'v2'}"
        )
        print_table(("where", "kind", "v2", "v2.1", "rule"), shape.differences)


def as_dict(group: Group) -> dict[str, Any]:
    """A group as JSON has it; docs/divergences.md describes it."""
    return {
        **msgspec.to_builtins(group.key),
        "state": group.triage.state,
        "reason": group.triage.reason,
        "owner": group.triage.owner,
        "until": group.triage.until or None,
        "first_seen": moment(group.first_seen),
        "last_seen": moment(group.last_seen),
        "count": group.count,
        "records": group.records,
        "callers": group.callers,
        "examples": [_example(one) for one in group.examples],
    }


def said(state: State, reason: str | None, owner: str | None, until: str | None) -> Triage:
    """What the operator says about a group. Raises `ConfigError` where something is missing."""
    if not reason or not owner:
        missing = "--owner" if reason else "--reason"
        raise ConfigError(f"{missing}: is missing; whoever meets this later wants to know; add it")
    try:
        day = "" if until is None else date.fromisoformat(until).isoformat()
    except ValueError:
        raise ConfigError("--until: is not a date; write it as year-month-day, such as 2027-01-31") from None
    return Triage(state, reason, owner, day, int(time.time() * 1000))


def rule_for(group: Group, triage: Triage) -> dict[str, Any]:
    """The `[[ignore]]` entry for a group. Raises `ConfigError` for a divergence that no rule can name."""
    if not group.key.pointer.startswith("/") or group.key.kind == "untranslatable":
        raise ConfigError(
            f"{group.key.id}: a {group.key.kind} difference cannot be ignored, it has no value behind it; "
            "use `crossfade divergences accept` for it"
        )
    return {
        "endpoint": group.key.endpoint,
        "path": group.key.pointer,
        "reason": triage.reason,
        "owner": triage.owner,
        "until": date.fromisoformat(triage.until),
    }


def _row(group: Group) -> tuple[object, ...]:
    key = group.key
    return (
        key.id,
        group.triage.state,
        key.endpoint,
        f"{key.status_v2 or '-'}/{key.status_v2_1 or '-'}",
        key.pointer or "(status)",
        key.kind,
        key.v2,
        key.v2_1,
        group.count,
        group.records,
        group.callers,
        moment(group.last_seen),
    )


def _example(shape: Shape) -> dict[str, Any]:
    names = ("pointer", "kind", "v2", "v2_1", "rule")
    return {
        "time": moment(shape.at),
        "request_id": shape.request_id,
        "evidence": shape.evidence,
        "stage": shape.stage,
        "differences": [dict(zip(names, one, strict=True)) for one in shape.differences],
    }
