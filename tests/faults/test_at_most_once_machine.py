"""At most once, in any order of calls, faults, flips of stages, changes of configuration, kills and restarts.

The gateway, the exchange and the journal are the real ones; the machine plays callers and platform around them. Whatever it
does: a write is executed once at most; a success was executed; what was called `not_sent` was not; what was executed, and
whose answer was not handed over, is in the journal, which lists exactly the writes in doubt.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from prometheus_client import CollectorRegistry

from proxy.answers import CODE
from proxy.assembly import build
from proxy.config.load import load
from proxy.errors import Fault
from proxy.evidence.engine import Evidence
from proxy.evidence.reads import Reads
from proxy.log import EventLog, open_log
from proxy.serve import LINE, RAW_TARGET, Gateway
from proxy.snapshot import Snapshot
from proxy.upstream.journal import Journal
from proxy.upstream.journals import survey
from tests.emulator.caller import FIRST_REF, order
from tests.endtoend.configured import configuration
from tests.faults.ledger import EXECUTED, NAME, Acting, Caller, Comparing, Fate, Ledger, Sent

CALLS = {
    "create": ("POST", "/v2/orders", True),
    "update": ("POST", f"/v2/orders/{FIRST_REF}", True),
    "unreadable": ("POST", "/v2/orders", False),
    "delete": ("DELETE", f"/v2/orders/{FIRST_REF}", False),
    "patch": ("PATCH", f"/v2/orders/{FIRST_REF}", True),
    "unmapped": ("POST", "/v2/guests", True),
    "native": ("POST", "/v2.1/orders", True),
    "read": ("GET", f"/v2/orders/{FIRST_REF}", False),
}
"""Method, target, and whether an order goes along."""
KINDS = [*CALLS, "create", "create", "create", "create"]
STAGES: list[dict[str, Any]] = [{"stage": one} for one in ("v2.1", "live", "shadow", "v2")]
STAGES.append({"stage": "canary", "percent": 50})
COMPATS: list[dict[str, Any]] = [{"compat.on_conflict": "update", "compat.order_delete": "forward"}, {}]
INTERNAL = Fault.INTERNAL.code
FATES: list[Fate] = ["done", "done", "done", "refused", "lost", "broken", "odd", "failed", "mistake"]
CREATES: list[Fate] = ["conflict", "conflict", "conflict", "conflict", "conflict", "conflict", *FATES]
configurations = st.tuples(st.sampled_from(range(len(STAGES))), st.sampled_from(range(len(COMPATS))))
_FOLDER = tempfile.TemporaryDirectory()


@cache
def log() -> EventLog:
    return open_log("/dev/null")


@cache
def compiled(stage: int, compat: int) -> Snapshot:
    """One configuration; compiled once for all runs, like a file that is loaded again."""
    routes = {"route": [STAGES[stage]]}
    keys = {"log.requests": "off", **COMPATS[compat]}
    path = configuration(Path(_FOLDER.name), "http://platform", routes, keys)
    return build(load(path, {}), CollectorRegistry(), log())


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "journal"
        self.loop = asyncio.new_event_loop()
        self.ledger = Ledger()
        self.callers: dict[str, Caller] = {}
        self.dead: list[Sent] = []
        self.number = 0

    # ------------------------------------------------------------------------------------------------ the process

    @initialize(chosen=configurations)
    def begin(self, chosen: tuple[int, int]) -> None:
        self.journal = Journal(self.path, log())
        self.journal.start()
        base = compiled(*chosen)
        comparing = Comparing(self.ledger)
        shadow = Reads(comparing, comparing)
        self.evidence = Evidence(
            base.config.shadow,
            base.mapping,
            shadow,
            log(),
            key=base.key,
            salt=b"s",
            registry=CollectorRegistry(),
        )
        self.gateway = Gateway(self.snapshot(chosen))
        self.loop.run_until_complete(self.started())

    async def started(self) -> None:
        self.evidence.start()

    def snapshot(self, chosen: tuple[int, int]) -> Snapshot:
        engine = Acting(self.ledger)
        mine = replace(compiled(*chosen), v2=engine, v2_1=engine)
        return replace(mine, evidence=self.evidence, journal=self.journal)

    @rule(chosen=configurations)
    def flip(self, chosen: tuple[int, int]) -> None:
        """Another stage, another configuration: those on their way keep what they began with."""
        self.gateway.snapshot = self.snapshot(chosen)

    @rule(chosen=configurations)
    def killed(self, chosen: tuple[int, int]) -> None:
        """SIGKILL: the kernel closes the journal and lets go of its lock; the next process takes it over."""
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, self.journal._descriptor)
        os.close(nowhere)
        self.dead += [one for one in self.ledger.sent if one.write and one.state == "flying"]
        for caller in self.callers.values():
            if caller.handed is None:
                self.dead += self.answered(caller)
                caller.handed = False
        self.loop.run_until_complete(self.gone())
        os.close(self.journal._descriptor)
        self.begin(chosen)

    @rule(chosen=configurations, fate=st.sampled_from(["done", "broken", "refused"]))
    def stopped(self, chosen: tuple[int, int], fate: Fate) -> None:
        """SIGTERM: what is in flight comes to its end, what callers do not take is cut."""
        while flying := self.ledger.flying():
            flying[0].ending.set_result(fate)
            self.turn()
        for caller in self.callers.values():
            if caller.waits:
                caller.take(handed=False)
        self.loop.run_until_complete(self.gone())
        self.journal.close()
        self.begin(chosen)

    async def gone(self) -> None:
        tasks = [one.task for one in self.callers.values() if one.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for one in self.ledger.flying():
            one.ending.cancel()
        await self.evidence.stop()

    # ---------------------------------------------------------------------------------------- callers and platform

    @rule(
        kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=4), data=st.data(), many=st.integers(0, 4)
    )
    def calls(self, kinds: list[str], data: st.DataObject, many: int) -> None:
        """Some calls come in, and the last of them is carried on at once."""
        for kind in kinds:
            self.call(kind)
        self.goes_on(f"w{self.number}", data, many)

    def call(self, kind: str) -> None:
        self.number += 1
        method, target, whole = CALLS[kind]
        caller = self.callers[f"w{self.number}"] = Caller(f"w{self.number}")
        body = json.dumps(order(referenceId=caller.name)).encode() if whole else b"{" * (method == "POST")
        headers = [(b"Host", b"proxy"), (b"Content-Length", b"%d" % len(body)), (NAME, caller.name.encode())]

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        scope: dict[str, Any] = {"type": "http", "method": method, "headers": headers}
        scope |= {RAW_TARGET: target.encode(), LINE: caller}
        caller.task = self.loop.create_task(self.gateway(scope, receive, None))  # type: ignore[arg-type] # answered is used
        self.turn()

    @precondition(lambda self: self.ledger.flying())
    @rule(data=st.data(), many=st.integers(1, 4))
    def ends(self, data: st.DataObject, many: int) -> None:
        name = data.draw(st.sampled_from([one.name for one in self.ledger.flying()]))
        self.goes_on(name, data, many)

    def goes_on(self, name: str, data: st.DataObject, many: int) -> None:
        """So many calls of one request end in some way, one after the other; only a create can run into a conflict."""
        for _ in range(many):
            mine = [one for one in self.ledger.flying() if one.name == name]
            if mine:
                create = mine[0].call.target == b"/v2.1/orders"
                mine[0].ending.set_result(data.draw(st.sampled_from(CREATES if create else FATES)))
                self.turn()

    @precondition(lambda self: any(not one.gone and one.handed is None for one in self.callers.values()))
    @rule(data=st.data())
    def leaves(self, data: st.DataObject) -> None:
        """A caller goes away, before or behind its answer."""
        here = [name for name, one in self.callers.items() if not one.gone and one.handed is None]
        caller = self.callers[data.draw(st.sampled_from(here))]
        caller.gone = True
        if caller.leaving is not None:
            caller.leaving()
        if caller.waits:
            caller.take(handed=False)
        self.turn()

    @precondition(lambda self: any(one.waits for one in self.callers.values()))
    @rule(data=st.data())
    def takes(self, data: st.DataObject) -> None:
        """The kernel takes all of an answer."""
        caller = self.callers[data.draw(st.sampled_from([n for n, one in self.callers.items() if one.waits]))]
        caller.take(handed=True)
        if caller.said(CODE) != INTERNAL:
            for one in self.answered(caller):
                one.state = "handed"

    def turn(self) -> None:
        """Let everything go as far as it can."""
        for _ in range(12):
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()

    def answered(self, caller: Caller) -> list[Sent]:
        mine = [one for one in self.ledger.sent if one.name == caller.name]
        return [one for one in mine if one.write and one.state == "answered"]

    # --------------------------------------------------------------------------------------------- what always holds

    @invariant()
    def no_write_is_executed_twice(self) -> None:
        assert max(self.ledger.executed.values(), default=0) <= 1, self.ledger.executed
        assert not self.ledger.broken

    @invariant()
    def what_callers_are_told_is_true(self) -> None:
        for name, caller in self.callers.items():
            if caller.heard is None or name.startswith("r"):
                continue
            times, outcome = self.ledger.executed[name], caller.said(b"x-crossfade-outcome")
            sent = [one for one in self.ledger.sent if one.name == name and one.write]
            if sent and caller.heard.status < 300:
                assert times == 1, (name, caller.heard)
            assert outcome != "not_sent" or times == 0, (name, caller.heard)
            unknown = any(one.state == "unknown" for one in sent)
            assert not unknown or outcome == "unknown" or caller.heard.status == 409, (name, caller.heard)

    @invariant()
    def the_journal_has_exactly_what_is_in_doubt(self) -> None:
        doubt = {one.key for one in self.dead} | {
            one.key for one in self.ledger.sent if one.write and one.state == "unknown"
        }
        flying = {one.key for one in self.ledger.flying() if one.write} - doubt
        for caller in self.callers.values():
            over = caller.task is not None and caller.task.done()
            keys = {one.key for one in self.answered(caller)}
            lost = caller.said(CODE) == INTERNAL or (over and not caller.waits and not caller.handed)
            doubt |= keys if lost else set()
            flying |= set() if lost else keys - doubt
        found = survey(self.path)
        assert {one.key for one in found.in_doubt} == doubt
        assert found.in_flight == len(flying)
        executed = {one.name for one in self.ledger.sent if self.ledger.executed[one.name]}
        told = {one.name for one in self.callers.values() if one.handed}
        assert executed - told <= {one.name for one in self.ledger.sent if one.key in doubt | flying}

    def teardown(self) -> None:
        with suppress(AttributeError):  # nothing was begun
            self.loop.run_until_complete(self.gone())
            self.journal.close()
        self.loop.close()
        self.folder.cleanup()


LONG = os.environ.get("CROSSFADE_AT_MOST_ONCE") == "long"
Machine.TestCase.settings = settings(
    max_examples=2000 if LONG else 200,
    stateful_step_count=50 if LONG else 25,
    deadline=None,
    phases=[Phase.generate],  # a failure is shown as it was found: to make it smaller takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestAtMostOnce = Machine.TestCase


def test_the_ends_of_a_call_are_told_apart() -> None:
    assert {"broken", "done", "odd", "mistake"} == EXECUTED
