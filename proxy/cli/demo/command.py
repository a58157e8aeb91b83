"""`crossfade demo`, as typed."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Annotated, NoReturn

import typer

from proxy.cli.ending import told

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def demo(
    seconds: Annotated[float, typer.Option(help="How long the traffic runs.", min=1, max=3600)] = 60,
    port: Annotated[int, typer.Option(help="Port of the proxy; 0 takes a free one.", min=0, max=65535)] = 0,
    traffic: Annotated[bool, typer.Option(help="Run mixed traffic after the examples.")] = True,
    hold: Annotated[bool, typer.Option(help="Keep everything up at the end, until Ctrl-C.")] = False,
) -> None:
    """Show everything on this machine: the platform's examples, traffic, divergences."""
    from proxy.cli.demo.run import demo as run  # noqa: PLC0415 - `--help` does not wait for it

    for number in _ENDINGS:
        signal.signal(number, _end)
    with told():
        try:
            run(seconds, port, with_traffic=traffic, hold=hold)
        except KeyboardInterrupt:
            typer.echo("\nstopped; everything that was started is gone")


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    # However it is told to end, it cleans up once; a second Ctrl-C must not get in the way of that.
    for one in _ENDINGS:
        signal.signal(one, signal.SIG_IGN)
    raise KeyboardInterrupt
