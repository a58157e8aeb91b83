"""The journal against a model of it: writes, crashes, restarts, operators, torn files, in any order."""

from __future__ import annotations

import asyncio
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from proxy.errors import Fault, UpstreamFailed
from proxy.log import open_log
from proxy.types import Answer, Call, Outcome
from proxy.upstream.entries import Entry
from proxy.upstream.journal import Journal
from proxy.upstream.journals import resolve, survey
from proxy.upstream.writes import Writes

ENDINGS = [Outcome.ANSWERED, Outcome.NOT_SENT, Outcome.UNKNOWN]


class Platform:
    """Says what it is told to say; counts what reaches it, and looks whether the journal knew before."""

    def __init__(self, path: Path, ending: Outcome, *, stays: bool) -> None:
        self.path, self.ending, self.stays = path, ending, stays
        self.executed = 0

    async def send(self, call: Call, *, room: int | None = None) -> Answer:
        assert survey(self.path).in_flight > 0, "it is entered before it leaves"
        self.executed += self.ending is not Outcome.NOT_SENT
        if self.stays:
            raise asyncio.CancelledError
        if self.ending is Outcome.ANSWERED:
            return Answer(201, [])
        raise UpstreamFailed(self.ending, Fault.BROKEN, f"http://platform: {call.method}")

    async def close(self) -> None:
        return


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "journal"
        self.log = open_log("/dev/null")
        self.journal = Journal(self.path, self.log)
        self.number = 0
        self.flying: set[str] = set()
        self.doubtful: set[str] = set()

    @rule(
        steps=st.lists(st.sampled_from(ENDINGS), min_size=1, max_size=3),
        stays=st.booleans(),
        handed=st.booleans(),
    )
    def request(self, steps: list[Outcome], stays: bool, handed: bool) -> None:
        """One request of several steps, each after the one before was answered; the last may be cut with the process."""
        self.number += 1
        name = f"r{self.number}"
        platform = Platform(self.path, steps[0], stays=False)
        writes = Writes(self.journal, "send", platform, Entry("open", name, 0, 0, "things.make"))

        async def all_steps() -> None:
            with suppress(UpstreamFailed):
                for number, one in enumerate(steps):
                    platform.ending, platform.stays = one, stays and number == len(steps) - 1
                    await writes.send(Call("POST", b"/", []))
            writes.settle(handed)
            await asyncio.sleep(0)

        cut = False
        try:
            asyncio.run(all_steps())
        except asyncio.CancelledError:
            cut = True
        reached = steps[
            : next((n + 1 for n, one in enumerate(steps) if one is not Outcome.ANSWERED), len(steps))
        ]
        assert platform.executed == sum(one is not Outcome.NOT_SENT for one in reached)
        last = len(reached)
        if cut:
            self.flying.add(f"{name}.{last}")
        elif reached[-1] is Outcome.UNKNOWN:
            self.doubtful.add(f"{name}.{last}")
        answered = [
            n for n, one in enumerate(reached, 1) if one is Outcome.ANSWERED and not (cut and n == last)
        ]
        if cut:
            self.flying |= {f"{name}.{n}" for n in answered}
        else:
            self.doubtful |= set() if handed else {f"{name}.{n}" for n in answered}

    @rule()
    def crash(self) -> None:
        """The process is gone: the kernel closes its file and lets go of the lock."""
        if self.journal._descriptor >= 0:
            os.close(self.journal._descriptor)
        self.start()

    @rule()
    def crash_in_a_line(self) -> None:
        if self.journal._descriptor >= 0:
            os.write(self.journal._descriptor, b'{"state":"open","request":"never","ste')
            os.close(self.journal._descriptor)
        self.start()

    @rule()
    def stop(self) -> None:
        self.journal.close()
        self.start()

    def start(self) -> None:
        self.doubtful |= self.flying
        self.flying = set()
        self.journal = Journal(self.path, self.log)
        self.journal.start()

    @rule()
    def grow(self) -> None:
        self.journal._due = 0.0

    @precondition(lambda self: self.doubtful)
    @rule(data=st.data())
    def operator(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(sorted(self.doubtful)))
        name, _, step = one.partition(".")
        resolve(self.path, [(name, int(step))])
        self.doubtful.discard(one)

    @invariant()
    def exactly_what_is_in_doubt_is_listed(self) -> None:
        found = survey(self.path)
        assert {f"{one.request}.{one.step}" for one in found.in_doubt} == self.doubtful
        assert found.in_flight == len(self.flying)
        assert self.journal.in_doubt() == len(self.doubtful)

    def teardown(self) -> None:
        self.journal.close()
        self.log.close()
        self.folder.cleanup()


Machine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestJournal = Machine.TestCase
