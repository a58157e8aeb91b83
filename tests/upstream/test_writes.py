"""What the journal says of a request that was carried in several writes, the last of which did not come about."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from proxy.errors import Fault, UpstreamFailed
from proxy.log import open_log
from proxy.types import Answer, Call, Outcome
from proxy.upstream.entries import Entry
from proxy.upstream.journal import Journal
from proxy.upstream.journals import survey
from proxy.upstream.writes import Writes

STEP = "things.part"


class Platform:
    """Ends each call as it was told to."""

    def __init__(self, endings: Sequence[Outcome]) -> None:
        self._endings = iter(endings)

    async def send(self, call: Call, *, room: int | None = None) -> Answer:
        ending = next(self._endings)
        if ending is Outcome.ANSWERED:
            return Answer(201, [])
        raise UpstreamFailed(ending, Fault.BROKEN, "http://platform")

    async def close(self) -> None:
        return


def written(
    folder: Path, endings: Sequence[Outcome], *, handed: bool, incomplete: bool
) -> dict[int, tuple[str, str]]:
    """What is in doubt after such writes: by the number of the step its state and code."""
    log = open_log("/dev/null")
    journal = Journal(folder / "journal", log)
    writes = Writes(journal, "refuse", Platform(endings), Entry("open", "r1", 0, 0, "things.make"))

    async def all_of_them() -> None:
        with suppress(UpstreamFailed):
            for _ in endings:
                await writes.send(Call("POST", b"/", []))
        if incomplete:
            writes.incomplete(STEP)
        writes.settle(handed)
        await asyncio.sleep(0)

    asyncio.run(all_of_them())
    found = {one.step: (str(one.state), one.code) for one in survey(folder / "journal").in_doubt}
    journal.close()
    log.close()
    return found


ANSWERED, NOT_SENT, UNKNOWN = Outcome.ANSWERED, Outcome.NOT_SENT, Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("endings", "handed", "in_doubt"),
    [
        ([ANSWERED], True, {1: ("answered", STEP)}),
        ([ANSWERED], False, {1: ("answered", STEP)}),
        ([ANSWERED, ANSWERED], True, {2: ("answered", STEP)}),
        ([ANSWERED, ANSWERED], False, {1: ("answered", ""), 2: ("answered", STEP)}),
        ([ANSWERED, NOT_SENT], True, {1: ("answered", STEP)}),
        ([ANSWERED, UNKNOWN], True, {2: ("unknown", Fault.BROKEN.code)}),
        ([NOT_SENT], True, {}),
    ],
)
def test_what_lacks_a_part_stays_in_doubt_once(
    tmp_path: Path, endings: list[Outcome], handed: bool, in_doubt: dict[int, tuple[str, str]]
) -> None:
    assert written(tmp_path, endings, handed=handed, incomplete=True) == in_doubt


@pytest.mark.parametrize(("handed", "in_doubt"), [(True, {}), (False, {1: ("answered", "")})])
def test_what_is_whole_is_in_doubt_only_while_its_caller_does_not_know(
    tmp_path: Path, handed: bool, in_doubt: dict[int, tuple[str, str]]
) -> None:
    assert written(tmp_path, [ANSWERED], handed=handed, incomplete=False) == in_doubt
