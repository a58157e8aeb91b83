"""`crossfade report`: is it safe to cut over? For a terminal, a program, a ticket or a browser; the exit code says it too."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proxy.cli.ending import DEFAULT_PATH, ConfigPath, Exit, loaded, told

if TYPE_CHECKING:
    from proxy.config.load import Loaded
    from proxy.report import Ground, Report

_ENDS = {"ready": Exit.OK, "not ready": Exit.NO, "inconclusive": Exit.INCONCLUSIVE}


class Form(StrEnum):
    """How the report is written."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"


def report(  # noqa: PLR0913, PLR0917 - a command line has as many
    config: ConfigPath = DEFAULT_PATH,
    endpoint: Annotated[
        list[str] | None, typer.Option(help="Only this endpoint, by id, name.* or *; may be repeated.")
    ] = None,
    caller: Annotated[str | None, typer.Option(help="Only what this caller calls, by id or name.")] = None,
    form: Annotated[Form, typer.Option("--format", help="How it is written.")] = Form.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it there instead of printing it.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="As of this time, such as 2027-01-31T12:00:00Z.")
    ] = None,
) -> None:
    """Say whether it is safe to cut over: exit 0 ready, 1 not ready, 3 inconclusive."""
    with told():
        result = loaded(config)
        made = _made(result, endpoint or [], caller, _moment(at))
        text = written(made, Form.JSON if as_json else form)
        if output is not None:
            output.write_text(text, "utf-8")
    typer.echo(f"{made.verdict}; wrote {output}" if output else text, nl=output is not None)
    raise typer.Exit(_ENDS[made.verdict])


def _made(result: Loaded, wanted: list[str], caller: str | None, at: int) -> Report:
    from proxy.cli.groups import caller_id  # noqa: PLC0415 - `--help` does not wait for it

    ground, settings = ground_of(result), result.config
    endpoints = _endpoints(wanted, list(ground.source.writes))
    one = None if caller is None else caller_id(settings, caller)
    return report_of(ground, settings.store.url.get_secret_value(), at, endpoints=endpoints, caller=one)


def ground_of(result: Loaded) -> Ground:
    """What the report is judged by besides the store. Raises ConfigError, MappingError and OSError."""
    from proxy.cli.cutover.situation import situation  # noqa: PLC0415 - `--help` does not wait for it
    from proxy.cli.groups import caller_names  # noqa: PLC0415 - see above
    from proxy.report import Ground  # noqa: PLC0415 - see above

    now = situation(result)
    if now.trouble:
        typer.echo(f"note: {now.trouble}", err=True)
    return Ground(
        source=now.source,
        routes=now.routes,
        guard=now.guard,
        names=caller_names(result.config),
        named={
            one.key: entry.callers
            for one in now.filed.entries
            if (entry := now.entry_of(one)) and entry.callers
        },
        conflicts=now.memory.conflicts,
        splits=now.memory.splits,
        decided="on_conflict" in result.config.compat,
        config=result.hash,
    )


def report_of(
    ground: Ground, store: str, at: int, *, endpoints: Sequence[str] = (), caller: str | None = None
) -> Report:
    """The report from a store, by its address. Raises StoreError."""
    from proxy.report import report as reported  # noqa: PLC0415 - `--help` does not wait for it
    from proxy.store.database import Database  # noqa: PLC0415 - see above
    from proxy.store.summary import summary  # noqa: PLC0415 - see above

    database = Database(store, patience=5.0)
    try:
        known = summary(database, at)
    finally:
        database.close()
    return reported(known, ground, at, endpoints=endpoints, caller=caller)


def _endpoints(wanted: list[str], known: list[str]) -> list[str]:
    from fnmatch import fnmatchcase  # noqa: PLC0415 - `--help` does not wait for it

    from proxy.config.places import did_you_mean, quoted  # noqa: PLC0415 - see above
    from proxy.errors import ConfigError  # noqa: PLC0415 - see above

    for pattern in wanted:
        if not any(fnmatchcase(one, pattern) for one in known):
            raise ConfigError(
                f"--endpoint {quoted(pattern)}: matches no endpoint; {did_you_mean(pattern, known)}; correct it"
            )
    return [one for one in known if any(fnmatchcase(one, pattern) for pattern in wanted)]


def _moment(text: str | None) -> int:
    from proxy.errors import ConfigError  # noqa: PLC0415 - `--help` does not wait for it

    if text is None:
        return int(time.time())
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError("--at: is not a time; write it like 2027-01-31T12:00:00Z") from None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())


def written(made: Report, form: Form) -> str:
    """The report in one of its forms."""
    import msgspec  # noqa: PLC0415 - `--help` does not wait for it

    from proxy.cli.reporting import screen  # noqa: PLC0415 - see above
    from proxy.report.rendering import html, markdown  # noqa: PLC0415 - see above

    match form:
        case Form.TEXT:
            return screen(made)
        case Form.JSON:
            return msgspec.json.format(msgspec.json.encode(made), indent=2).decode() + "\n"
        case Form.MARKDOWN:
            return markdown(made)
        case Form.HTML:
            return html(made)
