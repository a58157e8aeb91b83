"""Every fault of the platform (R§1.5) times stage, call and engine, through the whole proxy on real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest
import uvloop

from tests.faults.gateway import LATE, TOTAL, Gate, House, ask, asking, gate, house
from tests.faults.matrix import page
from tests.faults.places import Place
from tests.faults.platform import NEVER
from tests.faults.rows import CALLS, CUT, ENGINES, RIGHT, ROWS, STAGES, UNTRANSLATED, Row
from tests.raw import Heard

USUAL = dict(zip(CALLS, ("200", "201", "200", "204"), strict=True))
BY_ID = {row.id: row for row in ROWS}


@pytest.fixture(scope="module")
def where() -> Iterator[House]:
    with house() as made:
        yield made


@dataclass(frozen=True)
class Cell:
    """One fault against one call."""

    row: Row
    engine: str
    stage: str
    call: str

    @property
    def said(self) -> str:
        return self.row.ending(self.engine, self.stage, self.call)


class LateError(Exception):
    """An answer that came after its deadline, or that only time has made another than the documented one."""

    def __init__(self, cell: Cell, heard: Heard, took: float) -> None:
        super().__init__(cell.row.id, cell.engine, cell.stage, cell.call, heard.status, took)
        self.cell = cell


@pytest.mark.parametrize("name", BY_ID)
def test_every_call_ends_as_documented(name: str, where: House) -> None:
    complaints: list[str] = []
    logged = len(where.lines())

    async def all_cells() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, what: complaints.append(str(what)))
        cells = [Cell(BY_ID[name], *rest) for rest in product(ENGINES, STAGES, CALLS)]
        late = await _all(where, cells)
        for _ in range(2):  # a busy machine is late now and then, a fault without a bound always
            late = [one for end in late for one in await _all(where, [end.cell])]
        assert late == []

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(all_cells())
    assert (complaints, where.mistakes(logged)) == ([], [])


async def _all(where: House, cells: list[Cell]) -> list[LateError]:
    """Try these at the same time; gives the late ones. All gateways stand before one is asked: building takes time."""
    start = asyncio.Barrier(len(cells))
    ends = await asyncio.gather(*(_tried(where, cell, start) for cell in cells), return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, LateError):
            raise end
    return [end for end in ends if isinstance(end, LateError)]


async def _tried(where: House, cell: Cell, start: asyncio.Barrier) -> None:
    async with (
        cell.row.place() as place,
        gate(where, place.url, cell.engine, cell.stage, place.keys) as front,
    ):
        await start.wait()
        try:
            await _ends(cell, place, front)
        except AssertionError as error:
            error.add_note(f"{cell.row.id}: {cell.call} through {cell.engine} at {cell.stage}")
            raise


async def _ends(cell: Cell, place: Place, front: Gate) -> None:
    """Ask, and hold what the page promises of a cell."""
    if cell.row.warm:
        await ask(front.port, asking("GET"))
    before = len(place.seen.requests)
    heard, took = await ask(front.port, asking(cell.call))
    if took > TOTAL + LATE or (heard.status == 504 and not _in_time(heard, cell.said)):
        raise LateError(cell, heard, took)
    sent = len(place.seen.requests) - before
    _holds(heard, USUAL[cell.call] if cell.said == RIGHT else cell.said, cell.stage)
    assert heard.header(cell.row.keeps[0]) == (cell.row.keeps[1] or None)
    assert NEVER not in heard.body + repr(heard.headers).encode()
    assert sent <= (2 if cell.call == "GET" else 1), "a write is sent at most once, and a read twice"
    assert sent == 0 or not cell.said.endswith("not_sent")
    doubtful = cell.call != "GET" and (cell.said.endswith("unknown") or cell.said == CUT)
    assert front.in_doubt == doubtful, "what is in doubt is listed"
    await _goes_on(cell, place, front)


def _in_time(heard: Heard, said: str) -> bool:
    """Whether time was up where the page says so; after a stall the whole deadline can come before that of connecting."""
    stalled = said.endswith("not_sent") and heard.header("x-crossfade-outcome") == "unknown"
    return said.startswith("504") and not stalled


def _holds(heard: Heard, said: str, stage: str) -> None:
    """The answer is the one that was documented, in v2's shape."""
    status, _, rest = said.replace(",", "").partition(" ")
    code, outcome = heard.header("x-crossfade-code"), heard.header("x-crossfade-outcome")
    assert heard.status == int(status), (heard, said)
    assert _is_whole(heard) == (said != CUT)
    assert (heard.header("x-crossfade-untranslated") is not None) == (said == UNTRANSLATED)
    if not rest.startswith("`"):
        assert (code, outcome) == (None, None), said
    else:
        assert f"`{code}` {outcome}" == rest
        shown = json.loads(heard.body)
        assert shown["developerMessage"].startswith(f"{code} ")
        assert f"request {heard.header('x-request-id')}" in shown["developerMessage"]
    if heard.status >= 400 and (code or stage == "v2.1"):
        shown = json.loads(heard.body)
        assert (type(shown["status"]), shown["status"], shown["code"]) == (int, heard.status, heard.status)
        assert heard.header("content-type") == "application/json"


def _is_whole(heard: Heard) -> bool:
    if heard.header("transfer-encoding"):
        return heard.body.endswith(b"\r\n0\r\n\r\n")
    return len(heard.body) == int(heard.header("content-length") or 0)


async def _goes_on(cell: Cell, place: Place, front: Gate) -> None:
    """Whatever happened: a platform that does right again is asked again, and its answer goes to who asked."""
    if place.url.startswith(f"http://127.0.0.1:{place.seen.port}"):
        place.healed = True
        heard, took = await ask(front.port, asking("GET"))
        if heard.status == 504:
            raise LateError(cell, heard, took)
        assert heard.status == 200, heard
        assert json.loads(heard.body)["referenceId"] == "B94TXY-1"


def test_the_page_is_made_from_this_table() -> None:
    written = (Path(__file__).parents[2] / "docs" / "faults.md").read_text("utf-8")
    assert written == page(), "make faults writes it anew"
