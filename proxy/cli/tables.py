"""Tables and JSON for operators: a table fits a terminal, and has whole lines in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

_PIPED = 400
"""Columns of a line that no terminal shows."""


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows below their columns; nothing in a cell is read as markup."""
    table = Table(*columns, box=SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    width = None if sys.stdout.isatty() else _PIPED
    Console(width=width, highlight=False).print(table)


def print_json(value: object) -> None:
    """Print JSON for programs."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def moment(milliseconds: int) -> str:
    """A time as the log writes it, to the second."""
    return datetime.fromtimestamp(milliseconds // 1000, UTC).isoformat().replace("+00:00", "Z")


def counted(number: int, what: str) -> str:
    """`no groups`, `1 group`, `2 groups`."""
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"
