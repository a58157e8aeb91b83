"""The picture of docs/statistics.md: how evidence grows. Run `python -m tests.cutover.picture` to draw it anew."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from pathlib import Path

from proxy.cutover.detector import Run, after, evidence
from proxy.cutover.events import Kind
from tests.cutover.rollouts import guard

PLACE = Path(__file__).parents[2] / "docs" / "statistics.svg"
CLEAN, LENGTH = 1_000, 2_400
"""Clean comparisons before the break, and all of them."""
CURVES = (
    ("10 % diverge", 0.1, "#c0392b"),
    ("1 % diverge", 0.01, "#d98200"),
    ("0.1 %: the budget", 0.001, "#2471a3"),
)
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 720, 360, 60, 20, 40
LOW, HIGH = -4.0, 4.0
"""The powers of ten that are shown."""


def curve(rate: float, seed: int) -> Iterator[tuple[int, float]]:
    """Evidence after each comparison; it ends where the guard fires."""
    test, run, chance = guard().tests[Kind.COMPARED], Run(), random.Random(seed)
    for number in range(LENGTH):
        run = after(test, run, bad=number >= CLEAN and chance.random() < rate)
        yield number + 1, evidence(run)
        if evidence(run) >= test.bar:
            return


def drawn() -> str:
    """The whole picture as SVG."""
    bar = guard().tests[Kind.COMPARED].bar
    rows = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        "<title>Evidence against a route, comparison by comparison</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
    ]
    for power in range(int(LOW), int(HIGH) + 1, 2):
        label = f"{10**power:g}"
        rows += [line(0, power, LENGTH, power, "#e5e5e5"), text(LEFT - 8, down(power) + 4, label, "end")]
    for number in range(0, LENGTH + 1, 400):
        rows.append(text(across(number), HEIGHT - 18, f"{number:,}", "middle"))
    rows += [
        line(CLEAN, LOW, CLEAN, HIGH, "#999999", "4 4"),
        text(across(CLEAN) - 6, TOP + 12, "the break", "end"),
        line(0, math.log10(bar), LENGTH, math.log10(bar), "#111111", "6 3"),
        text(LEFT + 8, down(math.log10(bar)) - 6, f"{bar:.0f}: rolled back", "start"),
        text((WIDTH + LEFT) / 2, HEIGHT - 3, "comparisons of distinct records", "middle"),
    ]
    for number, (name, rate, colour) in enumerate(CURVES):
        points = list(curve(rate, 4))
        path = " ".join(f"{across(x):.1f},{down(math.log10(y)):.1f}" for x, y in points[::4] + points[-1:])
        rows.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        rows.append(text(WIDTH - 8, TOP + 60 + 18 * number, name, "end", colour))
    return "\n".join([*rows, "</svg>", ""])


def across(comparisons: float) -> float:
    """The horizontal place of a number of comparisons."""
    return LEFT + comparisons / LENGTH * (WIDTH - LEFT - 10)


def down(power: float) -> float:
    """The vertical place of a power of ten."""
    part = (min(max(power, LOW), HIGH) - LOW) / (HIGH - LOW)
    return HEIGHT - BOTTOM - part * (HEIGHT - BOTTOM - TOP)


def line(x: float, y: float, to_x: float, to_y: float, colour: str, dashes: str = "") -> str:  # noqa: PLR0917, PLR0913, RUF100 - four coordinates
    """A straight line between two places in figures."""
    places = f'x1="{across(x):.1f}" y1="{down(y):.1f}" x2="{across(to_x):.1f}" y2="{down(to_y):.1f}"'
    return f'<line {places} stroke="{colour}" stroke-dasharray="{dashes or "none"}"/>'


def text(x: float, y: float, words: str, anchor: str, colour: str = "#333333") -> str:
    """Words at a place in pixels."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'


if __name__ == "__main__":
    PLACE.write_text(drawn(), "ascii")
