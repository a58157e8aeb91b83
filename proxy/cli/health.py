"""`crossfade healthcheck`: ask the running process how it is, as a container's health check does."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import ip_address
from typing import Annotated

import typer

from proxy.cli.ending import DEFAULT_PATH, ConfigPath, Exit, loaded, told

_SECONDS = 3.0


class Question(StrEnum):
    """What is asked."""

    LIVE = "live"
    """Does the process turn?"""
    READY = "ready"
    """Should it get traffic?"""


_PATHS = {Question.LIVE: "/livez", Question.READY: "/readyz"}


def healthcheck(
    config: ConfigPath = DEFAULT_PATH,
    question: Annotated[Question, typer.Option("--is", help="What to ask.")] = Question.READY,
) -> None:
    """Ask a running process how it is: exit 0 or 1."""
    with told():
        admin = loaded(config).config.admin
    answer = _status(admin.host, admin.port, _PATHS[question])
    yes = answer == "200"
    typer.echo(f"{question}: {'yes' if yes else f'no ({answer})'}", err=not yes)
    raise typer.Exit(Exit.OK if yes else Exit.NO)


def _status(host: str, port: int, path: str) -> str:
    from http.client import HTTPConnection, HTTPException  # noqa: PLC0415 - `--help` does not wait for it

    connection = HTTPConnection(_reachable(host), port, timeout=_SECONDS)
    try:
        connection.request("GET", path)
        return str(connection.getresponse().status)
    except TimeoutError:
        return f"no answer on port {port} within {_SECONDS:g} s"
    except (OSError, HTTPException) as problem:
        return f"port {port}: {type(problem).__name__}; is `crossfade serve` running with this file?"
    finally:
        connection.close()


def _reachable(host: str) -> str:
    """An address to call for an address to listen on: `0.0.0.0` listens everywhere, but is nowhere."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"
