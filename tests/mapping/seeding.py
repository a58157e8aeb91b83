"""Mistakes, each made in a copy of the shipped mappings."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "mappings"
Edit = Callable[[dict[str, Any]], object]


@dataclass
class Seed:
    """One mistake: the file and what is changed in it; the finding's kind, file, rule or place, and words."""

    name: str
    file: str
    change: tuple[str, str] | str | Edit
    kind: str
    at: str
    words: str
    found_in: str = ""
    count: int = 1

    def __str__(self) -> str:
        return self.name


def copied(path: Path) -> Path:
    """A copy of the shipped mappings without the examples."""
    return Path(shutil.copytree(FOLDER, path / "mappings", ignore=shutil.ignore_patterns("examples", "__*")))


def seeded(path: Path, seed: Seed) -> Path:
    """A copy with the mistake in it."""
    folder = copied(path)
    file = folder / seed.file
    text = file.read_text("utf-8")
    if isinstance(seed.change, tuple):
        old, new = seed.change
        assert old in text, f"{seed.name}: nothing to change"
        text = text.replace(old, new, 1)
    elif isinstance(seed.change, str):
        text += seed.change
    else:
        tree = json.loads(text)
        seed.change(tree)
        text = json.dumps(tree)
    file.write_text(text, "utf-8")
    return folder


def rule(  # noqa: PLR0917 - in the order of the file
    id_: str, on: str, at: str, place: str, do: str, more: str = ""
) -> str:
    """A further rule as text, `place` and `on` without brackets."""
    listed = ", ".join(f'"{one}"' for one in place.split())
    return (
        f'\n[[rule]]\nid = "{id_}"\non = ["{on}"]\nat = "{at}"\nplace = [{listed}]\ndo = "{do}"\n'
        f'says = "Made up."\ngrade = "D"\n{more}\n'
    )


def operation(tree: dict[str, Any], path: str, method: str) -> dict[str, Any]:
    found: dict[str, Any] = tree["paths"][path][method]
    return found


def members(tree: dict[str, Any], schema: str) -> dict[str, Any]:
    found: dict[str, Any] = tree["components"]["schemas"][schema]["properties"]
    return found


LEAF = {"type": "string", "x-type": "plain", "x-grade": "A", "x-source": "S1"}
