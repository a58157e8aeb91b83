"""The golden exchanges, judged by their own test over any mapping."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from proxy.mapping.api import CompiledMapping
from tests.laws.world import World
from tests.mapping import test_goldens
from tests.mapping.goldens import Golden


def read(folder: Path) -> list[Golden]:
    """Every golden exchange of a mapping folder."""
    files = sorted((folder / "examples").glob("*/*.toml"))
    return [Golden(one.parent.name, one.stem, tomllib.loads(one.read_text("utf-8"))) for one in files]


@contextmanager
def judged_over(world: World) -> Iterator[None]:
    """Let the test of the goldens replay them over this mapping instead of the shipped one."""

    def compiled(compat: dict[str, Any] | None = None) -> CompiledMapping:
        return world.mapping(tuple((compat or {}).items()))

    shipped = vars(test_goldens)["compiled"]
    vars(test_goldens)["compiled"] = compiled
    try:
        yield
    finally:
        vars(test_goldens)["compiled"] = shipped


def judge(golden: Golden) -> None:
    """Raise what the golden's test raises."""
    test_goldens.test_a_golden_exchange_is_carried_as_it_is_written(golden)
