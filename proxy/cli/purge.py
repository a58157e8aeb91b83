"""`crossfade purge`: evidence that has to go, at once and for good."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

import typer

from proxy.cli.ending import DEFAULT_PATH, ConfigPath, loaded, told


def purge(
    config: ConfigPath = DEFAULT_PATH,
    caller: Annotated[str | None, typer.Option(help="Everything that names this caller: id or name.")] = None,
    before: Annotated[
        str | None, typer.Option(metavar="DATE", help="Everything older than this day: 2027-01-31.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All evidence; overrides stay in force.")] = False,
) -> None:
    """Delete evidence from the store. The journal of writes in doubt and the log are not touched."""
    from proxy.cli.divergences import store_of  # noqa: PLC0415 - `--help` does not wait for it
    from proxy.cli.groups import caller_id  # noqa: PLC0415 - see above
    from proxy.cli.tables import counted  # noqa: PLC0415 - see above
    from proxy.errors import ConfigError  # noqa: PLC0415 - see above
    from proxy.store.keeping import purge_all, purge_before, purge_caller  # noqa: PLC0415 - see above

    with told():
        if sum((caller is not None, before is not None, everything)) != 1:
            raise ConfigError("say what has to go: one of --caller, --before and --all")
        settings = loaded(config).config
        moment = 0.0 if before is None else _begin(before)
        with store_of(config) as store, store.database.writing() as connection:
            if caller is not None:
                gone = purge_caller(connection, caller_id(settings, caller))
            else:
                gone = purge_all(connection) if everything else purge_before(connection, moment)
        with store_of(config) as store:
            store.database.compact()
    typer.echo(f"{counted(gone, 'row')} deleted")


def _begin(day: str) -> float:
    from proxy.errors import ConfigError  # noqa: PLC0415 - `--help` does not wait for it

    try:
        return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC).timestamp()
    except ValueError:
        raise ConfigError("--before: is not a date; write it as year-month-day, such as 2027-01-31") from None
