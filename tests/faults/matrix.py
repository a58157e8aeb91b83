"""Write `docs/faults.md` from the tables that the tests hold: `python -m tests.faults.matrix docs/faults.md`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.faults.gateway import CONNECT, LATE, READ, TOTAL
from tests.faults.habits import HABITS
from tests.faults.rows import CALLS, ENGINES, ROWS, STAGES, Row

_HEAD = f"""# What happens when something breaks

Made from the tables of `tests/faults/` (`make faults` writes it anew, a test compares): every fault below is committed
against the whole proxy over real sockets, for each call, in a stage where v2 answers and in one where v2.1 does, with both
engines. The codes have [pages of their own](errors.md).

Of each cell the tests hold that

* it ends as the table says, as JSON in v2's error shape with an integer `status` and `code`, with `X-Crossfade-Code`,
  `X-Crossfade-Outcome` and a request id; never in a bare 500, never as a shortened or a second answer;
* it ends within `total_timeout` and {LATE * 1000:.0f} ms (there: connecting {CONNECT} s, silence {READ} s, in all {TOTAL} s);
* a write reaches the platform once at most, and not at all where the outcome is `not_sent`; a read twice at most;
* a write is listed as [in doubt](at-most-once.md) exactly where its outcome is `unknown`;
* the log holds no mistake of crossfade's own, and a platform that has recovered is asked again and answers the right caller.

| outcome | may the caller send it again? |
|---|---|
| `not_sent` | yes, a write too: not one byte of it has left |
| `unknown` | a read yes; a write only after looking the record up: the platform may have acted |
| `answered` | a read yes, though it will end the same until the platform is mended |
| as usual, as it came | as the platform's answer says; `Retry-After` comes through |

`as usual` is what the platform answers when nothing is wrong. `as it came` is the platform's own answer: its status, its
fields and, where v2 answers, its very bytes; where v2.1 answers, an error's body is put into v2's shape. `200 as v2.1 said
it` is a write that went well with an answer that cannot be said in v2's words: it is handed on with
`X-Crossfade-Untranslated`, since an error would invite the caller to write again. A write whose further step failed is
answered as what stands, with `X-Crossfade-Partial` naming that step. `200, then a reset` is an answer larger than
`server.max_body`, [passed on as it comes](limits.md): when it breaks off, the caller's connection is reset, so that it never
looks whole; `read_timeout` then counts for each silence. A deletion counts as a write.

## The platform
"""

_CALLERS = """
## The caller

| | the caller … | its read | its write |
|---|---|---|---|
"""

_TAIL = """
A body has to be whole within `server.body_timeout`, a header section within `server.head_timeout`. Nothing is sent to the
platform before a body of up to `server.max_body` is there; a larger one that is passed on [crosses as it comes](limits.md).

Interim answers (1xx) and trailers do not cross, in either direction. Where v2.1 answers, a body is translated even under
`Cache-Control: no-transform`: that is what it is asked for.
"""


def page() -> str:
    """The whole page."""
    lines = [f"| | the platform … | {' | '.join(CALLS)} |", "|---|---" + "|---" * len(CALLS) + "|"]
    lines += [f"| {row.id} | {row.says} | {' | '.join(_cell(row, call) for call in CALLS)} |" for row in ROWS]
    callers = [f"| {one.id} | {one.says} | {one.read} | {one.write} |" for one in HABITS.values()]
    return _HEAD + "\n" + "\n".join(lines) + "\n" + _CALLERS + "\n".join(callers) + "\n" + _TAIL


def _cell(row: Row, call: str) -> str:
    """How a call ends: one ending where stage and engine do not matter, else one for each that does."""
    ends = {(engine, stage): row.ending(engine, stage, call) for engine in ENGINES for stage in STAGES}
    if len(set(ends.values())) == 1:
        return ends["native", "v2"]
    by_stage = {stage: {ends[engine, stage] for engine in ENGINES} for stage in STAGES}
    if all(len(said) == 1 for said in by_stage.values()):
        return "<br>".join(f"{stage}: {said.pop()}" for stage, said in by_stage.items())
    by_engine = {engine: {ends[engine, stage] for stage in STAGES} for engine in ENGINES}
    assert all(len(said) == 1 for said in by_engine.values()), (
        f"{row.id} depends on both; say so in another way"
    )
    return "<br>".join(f"{engine}: {said.pop()}" for engine, said in by_engine.items())


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), "utf-8")
