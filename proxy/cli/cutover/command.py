"""The commands: thin, so that `--help` waits for nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from proxy.cli.ending import DEFAULT_PATH, ConfigPath, Exit, loaded, told

if TYPE_CHECKING:
    from proxy.cli.cutover.change import Change, Wanted
    from proxy.cli.cutover.situation import Situation

app = typer.Typer(
    help="Show, plan and change the stages of routes.", no_args_is_help=True, rich_markup_mode=None
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Endpoint = Annotated[str, typer.Argument(help="An endpoint id, name.* or *.")]
StageName = Annotated[str, typer.Argument(metavar="STAGE", help="v2, shadow, canary, live or v2.1.")]
Percent = Annotated[float | None, typer.Argument(help="In canary: the share that v2.1 answers.")]
Reads = Annotated[bool, typer.Option("--reads", help="Only endpoints that read.")]
Writes = Annotated[bool, typer.Option("--writes", help="Only endpoints that write.")]
Callers = Annotated[
    list[str] | None, typer.Option("--caller", help="Only this caller, by id or name; may be repeated.")
]
Force = Annotated[
    bool, typer.Option("--force", help="Although it jumps over a stage, or v2 cannot show what records hold.")
]

Told: TypeAlias = tuple[dict[str, Any], list[str], Exit]
"""What a command has to say: for a program, for a person, and its exit code."""


@app.command()
def show(config: ConfigPath = DEFAULT_PATH, as_json: AsJson = False) -> None:
    """Show each route: the file's stage, the one in effect, and whether it is ready to go on."""
    from proxy.cli.cutover.showing import rows, table  # noqa: PLC0415 - `--help` does not wait for it

    with told():
        now = _situation(config)
        found = rows(now)
    document = {"config": now.loaded.hash, "routes": found}
    _print(document, table(found), as_json=as_json)


def _changing(act: Callable[[Situation, Wanted, Change], Told]) -> Callable[..., None]:
    """The command line of a change, for what shows one and for what makes it."""

    def command(  # noqa: PLR0913, PLR0917 - a command line has as many
        endpoint: Endpoint,
        stage: StageName,
        percent: Percent = None,
        config: ConfigPath = DEFAULT_PATH,
        reads: Reads = False,
        writes: Writes = False,
        caller: Callers = None,
        force: Force = False,
        as_json: AsJson = False,
    ) -> None:
        from proxy.cli.cutover.change import change  # noqa: PLC0415 - `--help` does not wait for it

        with told():
            now = _situation(config)
            wanted = _wanted(endpoint, stage, percent, reads=reads, writes=writes, callers=caller)
            document, said, code = act(now, wanted, change(now, wanted, force=force))
        _print(document, said, as_json=as_json)
        raise typer.Exit(code)

    command.__doc__ = act.__doc__
    return command


@app.command("plan")
@_changing
def plan_stage(now: Situation, wanted: Wanted, made: Change) -> Told:
    """Show what a change would do: the text, who moves, what it costs in extra calls, what cannot be undone."""
    from proxy.cli.cutover.plan import lines  # noqa: PLC0415 - `--help` does not wait for it
    from proxy.cli.cutover.plan import plan as planned  # noqa: PLC0415 - see above

    found = planned(now, wanted, made)
    return found, lines(found), Exit.OK


@app.command("set")
@_changing
def set_stage(now: Situation, wanted: Wanted, made: Change) -> Told:
    """Set the stage of a route in the file; comments stay. Exit 1 where the file cannot be written: make the change there."""
    from proxy.cli.cutover.acting import set_in_file  # noqa: PLC0415 - `--help` does not wait for it

    written = set_in_file(now, wanted, made)
    said = [made.shown.rstrip() or "the file says so already", *(f"note: {one}" for one in made.warnings)]
    if not written:
        said.append("the file cannot be written here; make this change where it comes from")
    document = {"written": written, "change": made.shown, "warnings": list(made.warnings)}
    return document, said, Exit.OK if written else Exit.NO


@app.command()
def rollback(
    endpoint: Endpoint,
    config: ConfigPath = DEFAULT_PATH,
    to: Annotated[str, typer.Option("--to", help="shadow or v2.")] = "shadow",
    force: Annotated[bool, typer.Option("--force", help="Although records hold what v2 cannot say.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take the routes of an endpoint back to v2 at once; the running process follows within a second. The file stays."""
    from proxy.cli.cutover.acting import take_back  # noqa: PLC0415 - `--help` does not wait for it

    with told():
        taken, kept = take_back(_situation(config), endpoint, to, force=force)
    document = {"taken_back": taken, "kept": kept}
    said = [f"{one} stands at {to} now" for one in taken] + kept
    _print(document, said or [f"{endpoint} stands at v2 already"], as_json=as_json)
    raise typer.Exit(Exit.NO if kept else Exit.OK)


@app.command()
def why(
    endpoint: Annotated[str | None, typer.Argument(help="Only decisions about this endpoint.")] = None,
    config: ConfigPath = DEFAULT_PATH,
    as_json: AsJson = False,
) -> None:
    """Print the last decision about a route, and what it rests on. Exit 1 where there was none."""
    from proxy.cli.cutover.showing import document, reason  # noqa: PLC0415 - `--help` does not wait for it

    with told():
        made = _situation(config).last_decision(endpoint)
    if made is None:
        _print({"decision": None}, ["nothing was decided yet"], as_json=as_json)
        raise typer.Exit(Exit.NO)
    _print({"decision": document(made)}, reason(made), as_json=as_json)


def _situation(path: Any) -> Situation:
    from proxy.cli.cutover.situation import situation  # noqa: PLC0415 - `--help` does not wait for it

    found = situation(loaded(path))
    if found.trouble:
        typer.echo(f"note: {found.trouble}", err=True)
    return found


def _wanted(  # noqa: PLR0913 - what a command line names
    endpoint: str, stage: str, percent: float | None, *, reads: bool, writes: bool, callers: list[str] | None
) -> Wanted:
    from proxy.cli.cutover.change import Wanted  # noqa: PLC0415 - `--help` does not wait for it
    from proxy.cutover.stage import Stage  # noqa: PLC0415 - see above
    from proxy.errors import ConfigError  # noqa: PLC0415 - see above

    if reads and writes:
        raise ConfigError("--reads and --writes exclude each other; leave both out for all endpoints")
    if stage not in list(Stage):
        raise ConfigError(f"{stage!r} is no stage; write one of {', '.join(Stage)}")
    kind = "reads" if reads else "writes" if writes else ""
    return Wanted(endpoint, Stage(stage), percent, kind, tuple(callers or ()))


def _print(document: dict[str, Any], lines: list[str], *, as_json: bool) -> None:
    text = (
        json.dumps({"format": 1, **document}, indent=2, ensure_ascii=False) if as_json else "\n".join(lines)
    )
    typer.echo(text)
