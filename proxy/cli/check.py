"""`crossfade check`: everything that is wrong with a configuration and its mappings, at once."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proxy.cli.ending import DEFAULT_PATH, Exit, told

if TYPE_CHECKING:
    from proxy.mapping.lint.finding import Finding

FORMAT = 1
"""Version of the `--json` document; it grows when a member changes its meaning."""


def check(
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="FILE", help="The configuration file, if there is one."),
    ] = None,
    mappings: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="The mappings, instead of those that the configuration names."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find everything that is wrong with configuration and mappings: exit 0 or 1. Nothing is started."""
    from proxy.cli.checking import everything  # noqa: PLC0415 - `--help` does not wait for it

    path = config or (DEFAULT_PATH if DEFAULT_PATH.exists() else None)
    with told():
        folder, found = everything(path, mappings, datetime.now(UTC).date())
    if as_json:
        typer.echo(json.dumps(_document(path, folder, found), indent=2, ensure_ascii=False))
    else:
        _print(path, found)
    raise typer.Exit(Exit.NO if found else Exit.OK)


def _document(path: Path | None, folder: Path, found: list[Finding]) -> dict[str, object]:
    return {
        "format": FORMAT,
        "ok": not found,
        "config": str(path) if path else None,
        "mappings": str(folder),
        "findings": [
            {
                "kind": one.kind.value,
                "file": one.file,
                "place": one.place,
                "rule": one.rule,
                "message": one.message,
                "way_out": one.way_out,
            }
            for one in found
        ],
    }


def _print(path: Path | None, found: list[Finding]) -> None:
    for file in dict.fromkeys(one.file for one in found):
        typer.echo(_coloured(file, typer.colors.CYAN))
        for one in found:
            if one.file == file:
                typer.echo(f"  {one.line}")
    looked = f"{path} and its mappings" if path else "the mappings (no configuration here)"
    if found:
        files = len({one.file for one in found})
        number = f"{len(found)} finding{'s' * (len(found) > 1)} in {files} file{'s' * (files > 1)}"
        typer.echo(_coloured(f"{looked}: {number}", typer.colors.RED))
    else:
        typer.echo(_coloured(f"{looked}: no findings", typer.colors.GREEN))


def _coloured(text: str, colour: str) -> str:
    """The text in a colour, which typer leaves out where no terminal is."""
    return text if os.environ.get("NO_COLOR") else typer.style(text, fg=colour, bold=True)
