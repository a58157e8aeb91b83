"""Telling one story many times at once: in each stage and with each engine, every time in a gateway of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import product
from typing import Any, TypeAlias

import uvloop

from tests.faults.gateway import Gate, House, gate
from tests.faults.places import Place, plays
from tests.faults.platform import Play, right
from tests.faults.rows import ENGINES, STAGES

Story: TypeAlias = Callable[[Place, Gate, str], Awaitable[None]]
"""What happens between a platform, a gateway and a caller; the word names a call, where there are several."""


def told(
    where: House,
    story: Story,
    play: Play = right,
    *,
    calls: Sequence[str] = ("",),
    engines: Sequence[str] = ENGINES,
    stages: Sequence[str] = STAGES,
    keys: Mapping[str, Any] | None = None,
) -> None:
    """Tell a story with a platform that plays this; no mistake and no unheard exception may come of it."""
    complaints: list[str] = []
    logged = len(where.lines())

    async def one(engine: str, stage: str, call: str) -> None:
        async with plays(play)() as place, gate(where, place.url, engine, stage, keys) as front:
            try:
                async with asyncio.timeout(20):
                    await story(place, front, call)
            except AssertionError as error:
                error.add_note(f"{call} through {engine} at {stage}")
                raise

    async def everything() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, what: complaints.append(str(what)))
        cells = product(engines, stages, calls)
        for end in await asyncio.gather(*(one(*cell) for cell in cells), return_exceptions=True):
            if end is not None:
                raise end

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(everything())
    assert (complaints, where.mistakes(logged)) == ([], []), (complaints, where.mistakes(logged))
