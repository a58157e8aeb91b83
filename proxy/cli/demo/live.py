"""The traffic as it runs: a picture that is redrawn on a terminal, plain lines everywhere else."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from proxy.cli.demo.findings import Finding, Findings, comparisons
from proxy.cli.demo.stage import Stage, fetched

_REDRAW = 0.5
_LINE_EVERY = 5.0
_SHOWN = 8
_STYLES = {
    "equal": "green",
    "expected": "cyan",
    "unexpected": "bold red",
    "failed": "yellow",
    "skipped": "dim",
}


def follow(console: Console, stage: Stage, findings: Findings, seconds: float) -> Counter[str]:
    """Show traffic for so long; the comparisons by class at its end. Raises `ConfigError` when the proxy ends."""
    return (
        _drawn(console, stage, findings, seconds)
        if console.is_terminal
        else _told(console, stage, findings, seconds)
    )


def _drawn(console: Console, stage: Stage, findings: Findings, seconds: float) -> Counter[str]:
    begin = time.monotonic()
    with Live(console=console, auto_refresh=False, transient=True) as live:

        def draw(_: list[Finding], counts: Counter[str], passed: float) -> None:
            heading = f"Traffic: {passed:.0f} of {seconds:g} s. Ctrl-C ends it."
            live.update(summary(stage, findings, counts, heading, rows=_SHOWN), refresh=True)

        return _watched(stage, findings, begin, seconds, draw)


def _told(console: Console, stage: Stage, findings: Findings, seconds: float) -> Counter[str]:
    begin, last = time.monotonic(), 0.0

    def tell(new: list[Finding], counts: Counter[str], passed: float) -> None:
        nonlocal last
        for one in sorted(new, key=lambda finding: finding.rank):
            console.print(sentence(one, f"{passed:4.0f} s  new divergence: "))
        if passed - last >= _LINE_EVERY:
            last = passed
            calls = sum(sum(row.statuses.values()) for row in findings.rows.values())
            console.print(Text(f"{passed:4.0f} s  {calls} calls answered; {spelled(counts)}"))

    return _watched(stage, findings, begin, seconds, tell)


def _watched(
    stage: Stage,
    findings: Findings,
    begin: float,
    seconds: float,
    step: Callable[[list[Finding], Counter[str], float], None],
) -> Counter[str]:
    while True:
        passed = time.monotonic() - begin
        counts = comparisons(fetched(stage.admin_port, "/metrics"))
        step(findings.read(), counts, min(passed, seconds))
        if passed >= seconds:
            return counts
        stage.check()
        time.sleep(min(_REDRAW, max(0.0, seconds - passed)))


def summary(
    stage: Stage, findings: Findings, counts: Counter[str], heading: str, rows: int | None = None
) -> RenderableType:
    """Calls by caller, comparisons by class, divergences by kind (`rows` of them, or all)."""
    parts: list[RenderableType] = [Text(heading, style="bold"), _callers(stage, findings)]
    parts.append(Text("comparisons: " + spelled(counts)))
    ranked = findings.ranked()
    if ranked:
        parts.append(_divergences(ranked[:rows]))
        if rows is not None and len(ranked) > rows:
            parts.append(Text(f"and {len(ranked) - rows} more kinds", style="dim"))
    return Group(*parts)


def _callers(stage: Stage, findings: Findings) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("caller", "stage", "calls", "by v2", "by v2.1", "2xx", "4xx", "5xx", "median ms"):
        table.add_column(heading, justify="left" if heading in {"caller", "stage"} else "right", no_wrap=True)
    stages = {one.name: one.stage for one in stage.callers.values()}
    for name in sorted(
        findings.rows, key=lambda one: (list(stages).index(one) if one in stages else 99, one)
    ):
        row = findings.rows[name]
        hundreds = Counter({h: sum(n for s, n in row.statuses.items() if s // 100 == h) for h in (2, 4, 5)})
        table.add_row(
            name,
            stages.get(name, "shadow"),
            *(str(sum(row.statuses.values())), str(row.versions["v2"]), str(row.versions["v2.1"])),
            *(str(hundreds[h]) for h in (2, 4, 5)),
            f"{row.typical:.1f}",
        )
    return table


def _divergences(ranked: list[tuple[Finding, int]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("times", justify="right")
    table.add_column("class", no_wrap=True)
    table.add_column("endpoint", no_wrap=True)
    table.add_column("divergence", overflow="fold")
    for one, times in ranked:
        table.add_row(str(times), Text(one.kind, style=_STYLES.get(one.kind, "")), one.endpoint, one.says)
    return table


def sentence(one: Finding, before: str) -> Text:
    """A finding in one line, with `before` in front."""
    return Text.assemble(before, (one.kind, _STYLES.get(one.kind, "")), f", {one.endpoint}: {one.says}")


def spelled(counts: Counter[str]) -> str:
    """Comparisons by class, in words, the most frequent first."""
    return ", ".join(f"{count} {kind}" for kind, count in counts.most_common()) or "none yet"
