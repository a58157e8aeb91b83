"""`crossfade indoubt`: which writes may or may not have been done, and what the platform has of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proxy.cli.ending import DEFAULT_PATH, ConfigPath, Exit, loaded, told

if TYPE_CHECKING:
    from proxy.config.model import Config
    from proxy.upstream.entries import Entry

app = typer.Typer(
    help="Show and settle the writes whose end nobody knows.", no_args_is_help=True, rich_markup_mode=None
)

_COLUMNS = ("time", "request", "step", "endpoint", "method", "version", "outcome", "code", "caller", "record")


@app.command("list")
def show(
    config: ConfigPath = DEFAULT_PATH,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the writes in doubt, oldest first. It reads files only: whether the proxy runs makes no difference."""
    import msgspec  # noqa: PLC0415 - `--help` does not wait for it

    from proxy.upstream.journals import survey  # noqa: PLC0415 - see above

    with told():
        found = survey(Path(loaded(config).config.journal.path))
    if as_json:
        rows = [dict(zip(_COLUMNS, _row(one), strict=True)) for one in found.in_doubt]
        whole = msgspec.json.encode({"in_doubt": rows, "in_flight": found.in_flight})
        typer.echo(msgspec.json.format(whole, indent=2).decode())
        return
    _print(found.in_doubt)
    if found.in_flight:
        typer.echo(f"{_writes(found.in_flight)} in flight")


@app.command()
def resolve(
    config: ConfigPath = DEFAULT_PATH,
    reference: Annotated[
        str | None, typer.Option(help="The record's key: what names it in a body, a query or a path.")
    ] = None,
    credentials_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Holds user:password, or what goes into Authorization."),
    ] = None,
    request: Annotated[
        str | None, typer.Option(metavar="ID", help="Instead of a record: the writes of one request.")
    ] = None,
    close: Annotated[bool, typer.Option("--close", help="Take these writes off the list.")] = False,
) -> None:
    """Look up what the platform has of a record in doubt; with --close, take its writes off the list."""
    from proxy.errors import ConfigError  # noqa: PLC0415 - `--help` does not wait for it
    from proxy.upstream.journals import resolve as close_all  # noqa: PLC0415 - see above
    from proxy.upstream.journals import survey  # noqa: PLC0415 - see above

    with told():
        if (reference is None) == (request is None):
            raise ConfigError("name the writes either with --reference or with --request")
        if reference is not None and credentials_file is None:
            raise ConfigError("--reference is looked up on the platform: add --credentials-file")
        settings = loaded(config).config
        path = Path(settings.journal.path)
        record = _record(settings, reference)
        meant = [
            one
            for one in survey(path).in_doubt
            if one.request == request or (record and one.record == record)
        ]
        if not meant:
            typer.echo("no write in doubt is about that", err=True)
            raise typer.Exit(Exit.NO)
        _print(meant)
        if reference is not None and credentials_file is not None:
            _look(settings, meant, reference, credentials_file)
        if close:
            close_all(path, [one.key for one in meant])
    typer.echo(f"{_writes(len(meant))} off the list" if close else "add --close to take this off the list")


def _record(config: Config, reference: str | None) -> str:
    from proxy.config.identity import load_key  # noqa: PLC0415 - `--help` does not wait for it
    from proxy.wire.credentials import record_name  # noqa: PLC0415 - see above

    return "" if reference is None else record_name(load_key(Path(config.identity.key_file)), reference)


def _look(config: Config, meant: list[Entry], key: str, credentials_file: Path) -> None:
    """Print what each version that was written to has of the record; exit 1 where that cannot be learnt."""
    from proxy.cli.looking_up import (  # noqa: PLC0415 - `--help` does not wait for it
        Unread,
        authorization,
        look_up,
    )
    from proxy.config.mapped import compiled  # noqa: PLC0415 - see above
    from proxy.errors import Untranslatable, UpstreamFailed  # noqa: PLC0415 - see above
    from proxy.mapping.api import SHIPPED, load  # noqa: PLC0415 - see above

    credentials = authorization(credentials_file)
    mapping = compiled(load(Path(config.mappings) if config.mappings else SHIPPED), config)
    for one in {(one.version, one.endpoint): one for one in meant}.values():
        try:
            found = look_up(config, mapping, one, key, credentials)
        except (Unread, UpstreamFailed, Untranslatable) as problem:
            typer.echo(f"{one.version}: {problem}; nothing was closed", err=True)
            raise typer.Exit(Exit.NO) from None
        typer.echo(
            f"{one.version} has {len(found) or 'no'} record{'' if len(found) == 1 else 's'} with this key"
        )
        for times in found:
            typer.echo("  " + "  ".join(f"{name} {time}" for name, time in times.items()))


def _print(entries: list[Entry]) -> None:
    rows = [_COLUMNS, *map(_row, entries)]
    widths = [max(len(str(row[number])) for row in rows) for number in range(len(_COLUMNS))]
    for row in rows if entries else []:
        typer.echo("  ".join(f"{cell!s:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
    typer.echo(f"{_writes(len(entries))} in doubt")


def _row(entry: Entry) -> tuple[str | int, ...]:
    when = datetime.fromtimestamp(entry.at / 1000, UTC).isoformat(timespec="milliseconds")
    return (
        when.replace("+00:00", "Z"),
        entry.request,
        entry.step,
        entry.endpoint,
        entry.method,
        entry.version,
        entry.state,
        entry.code,
        entry.caller,
        entry.record,
    )


def _writes(count: int) -> str:
    return f"{count or 'no'} write{'' if count == 1 else 's'}"
