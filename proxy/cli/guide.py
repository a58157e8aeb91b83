"""`crossfade guide`: write the migration guide from the mapping files, or say that a written one is stale."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from proxy.cli.ending import Exit, told


def guide(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Where to; without it, standard output.")
    ] = None,
    mappings: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="The mappings, instead of those that are shipped.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 if FILE is not what would be written.")
    ] = False,
) -> None:
    """Write the migration guide: what an integration changes to call v2.1 itself."""
    from proxy.errors import ConfigError  # noqa: PLC0415 - `--help` does not wait for it
    from proxy.mapping.api import SHIPPED, load  # noqa: PLC0415 - see above
    from proxy.mapping.guide import guide as written  # noqa: PLC0415 - see above

    with told():
        if check and file is None:
            raise ConfigError("--check compares with a file; name it, such as docs/migration-guide.md")
        page = written(load(mappings or SHIPPED)).encode()
        if check and file is not None:
            fresh = file.exists() and file.read_bytes() == page
        elif file is not None:
            file.write_bytes(page)
    if check and not fresh:
        typer.echo(
            f"{file} is not what the mapping files say; write it anew: crossfade guide {file}", err=True
        )
        raise typer.Exit(Exit.NO)
    if file is None:
        sys.stdout.buffer.write(page)
