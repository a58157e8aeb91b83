"""How a command ends: its exit code, and what it says when something is wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from proxy.config.load import Loaded


class Exit(IntEnum):
    """Exit codes. They are part of the interface (docs/configuration.md) and do not change."""

    OK = 0
    """It is done."""
    NO = 1
    """The answer is no: not alive, not ready, findings, a request that is refused."""
    USAGE = 2
    """The command line, the configuration or a mapping is wrong; nothing was started."""
    START = 3
    """The system refused: a port in use, a file not to be opened."""
    INCONCLUSIVE = 3
    """Of `crossfade report`: nothing can be said yet. It names what is missing; without a store nothing is known either."""


ConfigPath: TypeAlias = Annotated[
    Path, typer.Option("--config", "-c", help="The configuration file.", metavar="FILE")
]
"""The option that every command with a configuration takes."""

DEFAULT_PATH = Path("crossfade.toml")


@contextmanager
def told() -> Iterator[None]:
    """Turn what the operator can mend into lines on standard error and an exit code."""
    from proxy.errors import ConfigError, MappingError, StoreError  # noqa: PLC0415 - `--help` does not wait for it

    try:
        yield
    except (ConfigError, MappingError) as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(Exit.USAGE) from None
    except StoreError as problem:
        typer.echo(f"crossfade: {problem}", err=True)
        raise typer.Exit(Exit.START) from None
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        place = f" ({problem.filename})" if problem.filename else ""
        typer.echo(
            f"crossfade: cannot start: {reason}{place}; free what is in use, or configure another", err=True
        )
        raise typer.Exit(Exit.START) from None


def loaded(path: Path) -> Loaded:
    """The configuration in effect. Raises ConfigError."""
    from proxy.config.load import load  # noqa: PLC0415 - `--help` does not wait for it

    return load(path, os.environ)
