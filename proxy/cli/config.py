"""`crossfade config`: make a file, show what is in effect, print the schema."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from proxy.cli.ending import DEFAULT_PATH, ConfigPath, loaded, told

app = typer.Typer(
    help="Make, show and describe the configuration.", no_args_is_help=True, rich_markup_mode=None
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def init(
    config: ConfigPath = DEFAULT_PATH,
    base_url: Annotated[str, typer.Option(help="The platform's address.")] = "https://api.example.com",
) -> None:
    """Write a commented file to start from. An existing file is never overwritten."""
    from proxy.config.starter import write_starter  # noqa: PLC0415 - `--help` does not wait for it

    with told():
        write_starter(config, base_url)
    typer.echo(f"wrote {config}; look through it, then: crossfade serve --config {config}")


@app.command()
def show(
    config: ConfigPath = DEFAULT_PATH,
    origin: Annotated[bool, typer.Option("--origin", help="Tell where each value comes from.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print every value in effect. Passwords are masked."""
    with told():
        result = loaded(config)
    from proxy.config.places import leaves  # noqa: PLC0415 - `--help` does not wait for it

    values = result.config.model_dump(mode="json")
    rows = {place: (value, result.origins[place]) for place, value in leaves(values)}
    if as_json and origin:
        typer.echo(json.dumps({place: {"value": v, "origin": o} for place, (v, o) in rows.items()}, indent=2))
    elif as_json:
        typer.echo(json.dumps(values, indent=2))
    else:
        typer.echo(f"# {result.path}, hash {result.hash}")
        for place, (value, source) in rows.items():
            line = f"{place} = {json.dumps(value)}"
            typer.echo(f"{line:<60} # {source}" if origin else line)


@app.command()
def schema() -> None:
    """Print the JSON Schema of the file, for editors."""
    from proxy.config.reference import json_schema  # noqa: PLC0415 - `--help` does not wait for it

    typer.echo(json.dumps(json_schema(), indent=2))
