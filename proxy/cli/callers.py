"""`crossfade callers`: who still calls v2, how much, and what stands in the way of each."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from proxy.cli.ending import DEFAULT_PATH, ConfigPath, loaded, told

if TYPE_CHECKING:
    from proxy.cutover.routes import Routes
    from proxy.store.rows import Activity

app = typer.Typer(rich_markup_mode=None)

_COLUMNS = ("caller", "name", "v2", "v2.1", "refused", "last seen", "what blocks it")
_DAY = 86_400


@app.callback(invoke_without_command=True)
def callers(
    context: typer.Context,
    config: ConfigPath = DEFAULT_PATH,
    days: Annotated[int, typer.Option(help="How far back to look.", min=1, max=3650)] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show who still calls v2, how much, and what blocks each caller."""
    if context.invoked_subcommand is not None:
        return
    from proxy.cli.divergences import store_of  # noqa: PLC0415 - `--help` does not wait for it
    from proxy.cli.groups import caller_names  # noqa: PLC0415 - see above
    from proxy.cli.tables import counted, moment, print_json, print_table  # noqa: PLC0415 - see above
    from proxy.cutover.routes import Routes  # noqa: PLC0415 - see above
    from proxy.mapping.api import SHIPPED, load  # noqa: PLC0415 - see above

    with told():
        settings = loaded(config).config
        source = load(Path(settings.mappings) if settings.mappings else SHIPPED)
        routes = Routes.compile(settings, source.writes)
        with store_of(config) as store:
            activity = store.callers(since=int(time.time()) - days * _DAY)
            still = store.open_groups()
    names = caller_names(settings)
    rows = [
        row(caller, names.get(caller), calls, still.get(caller, 0), routes)
        for caller, calls in by_caller(activity).items()
    ]
    rows.sort(key=lambda one: (-one["v2"], one["caller"]))
    if as_json:
        print_json(
            {"days": days, "callers": [{**one, "last_seen": moment(one["last_seen"])} for one in rows]}
        )
        return
    if rows:
        cells = [
            (one["caller"], one["name"], one["v2"], one["v2_1"], one["refused"], moment(one["last_seen"]))
            for one in rows
        ]
        blocks = ["; ".join(one["blocks"]) or "nothing" for one in rows]
        print_table(_COLUMNS, [(*cell, block) for cell, block in zip(cells, blocks, strict=True)])
    typer.echo(counted(len(rows), "caller"))


@app.command("id")
def identify(config: ConfigPath = DEFAULT_PATH) -> None:
    """Print the caller id of a user name that is read from standard input, so that it stands in no shell history."""
    from proxy.config.identity import load_key  # noqa: PLC0415 - `--help` does not wait for it
    from proxy.errors import ConfigError  # noqa: PLC0415 - see above
    from proxy.wire.credentials import CallerIds  # noqa: PLC0415 - see above

    with told():
        user = sys.stdin.buffer.readline().rstrip(b"\r\n")
        if not user or b":" in user:
            raise ConfigError("standard input: has to hold one user name, without a password")
        key = load_key(Path(loaded(config).config.identity.key_file))
    typer.echo(CallerIds(key).of_user(user))


def by_caller(activity: Iterable[Activity]) -> dict[str, list[Activity]]:
    """Calls by caller."""
    found: dict[str, list[Activity]] = {}
    for one in activity:
        found.setdefault(one.caller, []).append(one)
    return found


def row(
    caller: str, name: str | None, calls: Sequence[Activity], still: int, routes: Routes
) -> Mapping[str, Any]:
    """One caller: its calls by the version that answered, and what blocks it."""
    answered = {
        version: sum(one.calls for one in calls if one.version == version) for version in ("v2", "v2.1", "")
    }
    return {
        "caller": caller,
        "name": name,
        "v2": answered["v2"],
        "v2_1": answered["v2.1"],
        "refused": answered[""],
        "last_seen": max(one.last_seen for one in calls),
        "blocks": blocks(caller, calls, still, routes),
    }


def blocks(caller: str, calls: Sequence[Activity], still: int, routes: Routes) -> list[str]:
    """Why a caller still needs v2: calls that nothing maps, groups that are `still` open, stages before v2.1."""
    unmapped: dict[str, int] = {}
    for one in calls:
        if one.call:
            unmapped[one.call] = unmapped.get(one.call, 0) + one.calls
    found = [f"{call} is not mapped ({_many(count, 'call')})" for call, count in sorted(unmapped.items())]
    if still:
        found.append(_many(still, "open divergence group"))
    on_v2 = sorted({one.endpoint for one in calls if one.version == "v2" and not one.call})
    stages = {endpoint: routes.route_for(endpoint, caller).stage for endpoint in on_v2}
    found += [f"{endpoint} stands at {stage}" for endpoint, stage in stages.items() if stage != "v2.1"]
    return found


def _many(number: int, what: str) -> str:
    from proxy.cli.tables import counted  # noqa: PLC0415 - `--help` does not wait for it

    return counted(number, what)
