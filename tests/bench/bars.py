"""The figures to reach, each beside its bar: as measured, and as it would be where the bars were set.

Bars in microseconds belong to the machine on which they were set. How much slower this one is shows in contestants that
were measured there too: a Starlette hello world, which took 63 µs of CPU, and nginx, which added 40 µs to the median of one
connection. Ratios need no such help.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.bench.rounds import DIRECT, HELLO, NAIVE, NGINX, PASSED, TRANSLATED, Round, over

_HELLO_CPU, _NGINX_ADDED = 63.0, 40.0


class Bar(NamedTuple):
    """One figure. `scale` is how many times slower this machine is in such things; 1 for ratios."""

    what: str
    measured: float
    sign: str
    bar: float
    form: str
    scale: float = 1.0

    def row(self) -> str:
        """Its row of the table."""
        there = self.measured / self.scale
        held = "held" if self._holds(self.measured) else "missed"
        if self.scale != 1 and held == "missed":
            held = "held, where it was set" if self._holds(there) else "missed"
        sign = "≥" if self.sign == ">=" else "≤"
        shown = f"{there:{self.form}}" if self.scale != 1 else ""
        return f"| {self.what} | {self.measured:{self.form}} | {shown} | {sign} {self.bar:g} | {held} |"

    def _holds(self, value: float) -> bool:
        return value >= self.bar if self.sign == ">=" else value <= self.bar


def bars(rounds: list[Round], rest: float) -> list[str]:
    """The table."""

    def ratio(name: str, other: str, connections: int) -> float:
        return over(
            rounds, lambda r: r[name, connections].measured.rate / r[other, connections].measured.rate
        )

    def by_cpu(name: str, other: str) -> float:
        return over(rounds, lambda r: r[other, 64].cpu / r[name, 64].cpu)

    def added(name: str, part: str) -> float:
        return over(
            rounds, lambda r: getattr(r[name, 1].measured, part) - getattr(r[DIRECT, 1].measured, part)
        )

    kept = over(rounds, lambda r: r[TRANSLATED, 256].measured.rate / r[TRANSLATED, 64].measured.rate)
    slower = over(rounds, lambda r: r[HELLO, 64].cpu) / _HELLO_CPU
    later = max(1.0, added(NGINX, "p50") / _NGINX_ADDED)
    of_nginx = "× nginx by CPU per request"
    table = (
        Bar("translated, 64 connections, × naive", ratio(TRANSLATED, NAIVE, 64), ">=", 20, ".1f"),
        Bar(f"translated, 64 connections, {of_nginx}", by_cpu(TRANSLATED, NGINX), ">=", 0.13, ".2f"),
        Bar("translated, 256 connections, × naive", ratio(TRANSLATED, NAIVE, 256), ">=", 50, ".1f"),
        Bar("translated, 256 connections, × its own figure at 64", kept, ">=", 0.65, ".2f"),
        Bar(f"passed through, {of_nginx}", by_cpu(PASSED, NGINX), ">=", 0.20, ".2f"),
        Bar("added latency, 1 connection, p50 µs", added(TRANSLATED, "p50"), "<=", 180, ".0f", later),
        Bar("added latency, 1 connection, p99 µs", added(TRANSLATED, "p99"), "<=", 500, ".0f", later),
        Bar(
            "CPU per translated request, µs",
            over(rounds, lambda r: r[TRANSLATED, 64].cpu),
            "<=",
            140,
            ".0f",
            slower,
        ),
        Bar("translated, × Starlette hello world by CPU", by_cpu(TRANSLATED, HELLO), ">=", 0.45, ".2f"),
        Bar("memory at rest, MiB", rest, "<=", 90, ".0f"),
    )
    head = ["| figure | measured | where the bars were set | bar | |", "|---|--:|--:|--:|---|"]
    return [*head, *(one.row() for one in table), ""]
