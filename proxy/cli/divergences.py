"""`crossfade divergences`: what differs between the two versions, what became of it, and a test for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proxy.cli.ending import DEFAULT_PATH, ConfigPath, Exit, loaded, told

if TYPE_CHECKING:
    from proxy.store import Store
    from proxy.store.rows import Group

app = typer.Typer(
    help="Show, judge and export kinds of divergence.", no_args_is_help=True, rich_markup_mode=None
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
GroupId = Annotated[str, typer.Argument(metavar="ID", help="The group, such as g-7k2maq.")]
Reason = Annotated[str | None, typer.Option(help="Why.")]
Owner = Annotated[str | None, typer.Option(help="Who answers for it.")]
Until = Annotated[str | None, typer.Option(metavar="DATE", help="The last day it counts: 2027-01-31.")]


@app.command("list")
def show_all(
    config: ConfigPath = DEFAULT_PATH,
    state: Annotated[
        list[str] | None, typer.Option(help="Only groups in this state; may be repeated.")
    ] = None,
    endpoint: Annotated[str | None, typer.Option(help="Only groups of this endpoint.")] = None,
    caller: Annotated[str | None, typer.Option(help="Only groups that this caller met: id or name.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the groups, the most recent first."""
    from proxy.cli.groups import chosen, print_groups  # noqa: PLC0415 - `--help` does not wait for it

    with told():
        settings = loaded(config).config
        with store_of(config) as store:
            found = chosen(store, settings, state or (), endpoint, caller)
    print_groups(found, as_json=as_json)


@app.command()
def show(group: GroupId, config: ConfigPath = DEFAULT_PATH, as_json: AsJson = False) -> None:
    """Show one group: what differs, who met it, and the shapes of a few comparisons."""
    from proxy.cli.groups import print_group  # noqa: PLC0415 - `--help` does not wait for it

    with told():
        settings = loaded(config).config
        with store_of(config) as store:
            found = _one(store, group)
            callers = store.callers_of(group)
    print_group(found, callers, settings, as_json=as_json)


@app.command()
def find(
    reference: Annotated[
        str, typer.Option(help="The record's key: what names it in a body, a query or a path.")
    ],
    config: ConfigPath = DEFAULT_PATH,
    as_json: AsJson = False,
) -> None:
    """List the groups that one record showed; exit 1 where it showed none."""
    from proxy.cli.groups import print_groups  # noqa: PLC0415 - `--help` does not wait for it
    from proxy.config.identity import load_key  # noqa: PLC0415 - see above
    from proxy.wire.credentials import record_name  # noqa: PLC0415 - see above

    with told():
        settings = loaded(config).config
        record = record_name(load_key(Path(settings.identity.key_file)), reference)
        with store_of(config) as store:
            found = store.groups(ids=[one.group for one in store.sightings(record)])
    print_groups(found, as_json=as_json)
    raise typer.Exit(Exit.OK if found else Exit.NO)


@app.command()
def accept(  # noqa: PLR0913, PLR0917 - each option of a command is an argument
    group: GroupId,
    reason: Reason = None,
    owner: Owner = None,
    until: Until = None,
    bug: Annotated[
        bool, typer.Option("--bug", help="It is a bug that will be mended, not something that may stay.")
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Forget what was said: the group is new again.")
    ] = False,
    config: ConfigPath = DEFAULT_PATH,
) -> None:
    """Say that a group is known: it may stay, or it is a bug. It still counts as unexpected."""
    from proxy.cli.groups import said  # noqa: PLC0415 - `--help` does not wait for it
    from proxy.store.rows import Triage  # noqa: PLC0415 - see above

    with told():
        triage = Triage() if undo else said("bug" if bug else "accepted", reason, owner, until)
        with store_of(config) as store:
            _one(store, group)
            store.triage(group, triage)
    typer.echo(f"{group} is {triage.state}")


@app.command()
def ignore(  # noqa: PLR0913, PLR0917 - each option of a command is an argument
    group: GroupId,
    reason: Reason = None,
    owner: Owner = None,
    until: Until = None,
    write: Annotated[
        bool, typer.Option("--write", help="Put the rule into the file, its comments kept.")
    ] = False,
    config: ConfigPath = DEFAULT_PATH,
) -> None:
    """Print the [[ignore]] rule for a group, or put it into the file: from then on the group counts as expected."""
    from proxy.cli.groups import rule_for, said  # noqa: PLC0415 - `--help` does not wait for it
    from proxy.config.edit import appended  # noqa: PLC0415 - see above
    from proxy.errors import ConfigError  # noqa: PLC0415 - see above

    with told():
        triage = said("ignored", reason, owner, until)
        if not triage.until:
            raise ConfigError("--until: an ignore rule needs the last day on which it counts; add it")
        with store_of(config) as store:
            rule = rule_for(_one(store, group), triage)
            text = appended(config, "ignore", rule, write=write)
            store.triage(group, triage)
    typer.echo(text.rstrip())
    typer.echo(f"# {'in' if write else 'put this into'} {config}", err=True)


@app.command()
def export(
    group: GroupId,
    config: ConfigPath = DEFAULT_PATH,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it there instead of printing it.")
    ] = None,
) -> None:
    """Write a test that fails while the divergence exists; exit 1, with the reason, where that cannot be."""
    from proxy.config.mapped import compiled  # noqa: PLC0415 - `--help` does not wait for it
    from proxy.evidence.export import NotExportable, exported  # noqa: PLC0415 - see above
    from proxy.mapping.api import SHIPPED, load  # noqa: PLC0415 - see above

    with told():
        settings = loaded(config).config
        with store_of(config) as store:
            found = _one(store, group)
        mapping = compiled(load(Path(settings.mappings) if settings.mappings else SHIPPED), settings)
        try:
            text = exported(found, mapping)
        except NotExportable as problem:
            typer.echo(f"{group} cannot be exported: {problem}", err=True)
            raise typer.Exit(Exit.NO) from None
        if output is not None:
            output.write_text(text, "utf-8")
    typer.echo(f"wrote {output}" if output else text.rstrip())


def store_of(config: Path) -> Store:
    """The store that a configuration names. Raises `ConfigError`."""
    from proxy.store import Store  # noqa: PLC0415 - `--help` does not wait for it

    return Store(loaded(config).config.store.url.get_secret_value())


def _one(store: Store, group: str) -> Group:
    found = store.groups(ids=[group])
    if not found:
        typer.echo(f"there is no group {group[:40]!a}; `crossfade divergences list` shows them", err=True)
        raise typer.Exit(Exit.NO)
    return found[0]
