"""`crossfade`: the top of the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from proxy.cli import callers, config, divergences, health, indoubt
from proxy.cli.check import check
from proxy.cli.cutover import command as cutover
from proxy.cli.demo import command as demo_command
from proxy.cli.ending import DEFAULT_PATH, ConfigPath, Exit, loaded, told
from proxy.cli.explain import explain
from proxy.cli.guide import guide
from proxy.cli.purge import purge
from proxy.cli.report import report

app = typer.Typer(
    name="crossfade",
    help="Carry callers of API version v2 over to v2.1, without touching them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def serve(config: ConfigPath = DEFAULT_PATH) -> None:
    """Run the proxy until it is told to stop."""
    with told():
        result = loaded(config)
        from proxy.app import serve as run  # noqa: PLC0415 - `--help` does not wait for it

        run(result)


@app.command()
def emulator(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 9000,
    base_url: Annotated[str | None, typer.Option(help="The address that links in answers carry.")] = None,
    switch: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Change a behaviour; may be repeated.")
    ] = None,
    misbehave: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[VERSION:]NAME=SHARE", help="Let answers go wrong, such as v2:slow=0.1; may be repeated."
        ),
    ] = None,
) -> None:
    """Run a stand-in for the platform."""
    from proxy.emulator.misbehave import parse_misbehaviour  # noqa: PLC0415 - a deployment never loads it
    from proxy.emulator.serve import run  # noqa: PLC0415 - a deployment never loads it
    from proxy.emulator.switches import parse_switches  # noqa: PLC0415 - a deployment never loads it

    try:
        switches = parse_switches(switch or [])
        misbehaviour = parse_misbehaviour(misbehave or [])
    except ValueError as problem:
        typer.echo(f"crossfade emulator: {problem}", err=True)
        raise typer.Exit(Exit.USAGE) from None
    with told():
        run(host, port, switches, base_url=base_url, misbehaviour=misbehaviour)


@app.command()
def version() -> None:
    """Print the version."""
    from proxy import __version__  # noqa: PLC0415 - it stands where it is used

    typer.echo(f"crossfade {__version__}")


app.command("explain")(explain)
app.command("guide")(guide)
app.command("check")(check)
app.command("healthcheck")(health.healthcheck)
app.command("demo")(demo_command.demo)
app.add_typer(config.app, name="config")
app.command("purge")(purge)
app.command("report")(report)
app.add_typer(indoubt.app, name="indoubt")
app.add_typer(divergences.app, name="divergences")
app.add_typer(callers.app, name="callers")
app.add_typer(cutover.app, name="cutover")


def main() -> None:
    """The console script."""
    app(prog_name="crossfade")
