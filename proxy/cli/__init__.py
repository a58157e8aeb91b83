"""The commands.

`--help` has to be there at once, so nothing but typer is imported before a command is known to run.
"""

from proxy.cli.app import main

__all__ = ["main"]
