"""`crossfade demo`, as typed."""

from __future__ import annotations

import signal
from typing import Annotated

import typer

from proxy.cli.ending import told


def demo(
    seconds: Annotated[float, typer.Option(help="How long the traffic runs.", min=1, max=3600)] = 60,
    port: Annotated[int, typer.Option(help="Port of the proxy; 0 takes a free one.", min=0, max=65535)] = 0,
    traffic: Annotated[bool, typer.Option(help="Run mixed traffic after the examples.")] = True,
    hold: Annotated[bool, typer.Option(help="Keep everything up at the end, until Ctrl-C.")] = False,
) -> None:
    """Show everything on this machine: the platform's examples, traffic, divergences."""
    from proxy.cli.demo.run import demo as run  # noqa: PLC0415 - `--help` does not wait for it

    # A polite end by the system is the same as Ctrl-C; a shell that started us in the background ignores SIGINT.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    with told():
        try:
            run(seconds, port, with_traffic=traffic, hold=hold)
        except KeyboardInterrupt:
            typer.echo("\nstopped; everything that was started is gone")
