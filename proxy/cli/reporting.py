"""The report on a terminal: the endpoints that are called, the evidence of each, the callers."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from proxy.report import Report
from proxy.report.document import EndpointReport
from proxy.report.rendering import called, classes, covered, delta, quiet, share, state

_COLOURS = {"ready": "bold green", "not ready": "bold red", "inconclusive": "bold yellow"}
_PIPED = 200
"""Columns where no terminal says how many it has."""
_CALLERS = 30
"""Callers that a screen lists."""


def screen(report: Report) -> str:
    """The report as text, in colour where a terminal shows it."""
    shown = sys.stdout.isatty()
    held = io.StringIO()
    width = None if shown else _PIPED
    to = Console(
        file=held, force_terminal=shown, width=width, highlight=False, no_color="NO_COLOR" in os.environ
    )
    to.print(Text.assemble("Is it safe to cut over?  ", _verdict(report.verdict), f"  at {report.at}"))
    for text in report.reasons:
        to.print(Text(text))
    for one in called(report):
        _endpoint(to, one)
    if quiet(report):
        to.print(Text(f"\nNobody has called: {', '.join(quiet(report))}", style="dim"))
    people = [
        (one.caller, one.name, _verdict(one.verdict), one.calls, "; ".join(one.reasons))
        for one in report.callers[:_CALLERS]
    ]
    if people:
        to.print(Text("\nCallers", style="bold"))
        _table(to, ("caller", "name", "verdict", "calls", "why"), people)
    if len(report.callers) > _CALLERS:
        to.print(Text(f"{len(report.callers) - _CALLERS} more callers: crossfade report --json"))
    return held.getvalue()


def _endpoint(to: Console, one: EndpointReport) -> None:
    to.print(
        Text.assemble(
            "\n", (one.endpoint, "bold"), "  ", _verdict(one.verdict), f"  stage {', '.join(one.stages)}"
        )
    )
    for text in one.reasons:
        to.print(Text(f"  - {text}"))
    if one.next:
        to.print(Text(f"  type next: {one.next}"))
    _table(
        to,
        ("evidence", "ended", "records", "unexpected", "95 % below", "last", "state"),
        [
            (k.evidence, classes(k), k.records, k.unexpected, share(k.upper), k.last, state(k))
            for k in one.kinds
        ],
    )
    to.print(Text(f"  {one.calls} calls of {one.callers} callers; {delta(one)}"))
    to.print(Text(f"  covered: {covered(one.coverage)}"))
    for loss in one.losses:
        to.print(Text(f"  lost: {loss.says} ({loss.comparisons} comparisons, {loss.rule})"))
    for group in one.blockers:
        to.print(
            Text(
                f"  open: {group.group}  {group.pointer or '(status)'}  {group.kind}  {group.count} comparisons"
            )
        )


def _verdict(word: str) -> Text:
    return Text(word, style=_COLOURS[word])


def _table(to: Console, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    table = Table(*columns, box=SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(
            *(one if isinstance(one, Text) else Text("" if one is None else str(one)) for one in row)
        )
    to.print(table)
