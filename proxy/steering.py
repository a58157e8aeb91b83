"""Steering: the guard at work in a running process. It hears of verdicts, swaps what requests see, and writes down why.

A rollback is one assignment in memory; then the file, then the store. What is told elsewhere is never waited for. The file of
overrides is watched, so a command in another process takes effect within a quarter of a second.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import replace
from itertools import product
from pathlib import Path

from msgspec.structs import replace as replaced
from prometheus_client import CollectorRegistry

from proxy.cutover.chronicle import Chronicle, Ruling
from proxy.cutover.events import events, unit
from proxy.cutover.gauges import Gauges
from proxy.cutover.guard import Fired, Guard
from proxy.cutover.memory import Memory, MemoryFile, memory_path, recall
from proxy.cutover.mirror import Mirror
from proxy.cutover.overrides import OverrideFile, overrides_path, stages_of
from proxy.cutover.react import BACK, Reason, guarded, reaction
from proxy.cutover.routes import Route, Routes
from proxy.cutover.stage import Stage
from proxy.evidence.classify import Verdict
from proxy.evidence.observation import Observation
from proxy.recorded import log_mistake
from proxy.retired import Retired
from proxy.serve import Gateway
from proxy.snapshot import Snapshot
from proxy.store import Store

POLL = 0.25
"""Seconds between two looks at the file of overrides."""
_SAVE = 0.5
"""Seconds after which what the guard has learnt is written down."""
_PATIENCE = 0.01
"""Seconds for which requests may wait until another process has written the file of overrides; later it is tried again."""


class Steering:
    """Belongs to one gateway and one event loop."""

    def __init__(self, gateway: Gateway, registry: CollectorRegistry) -> None:
        """Take over what an earlier process has left. Raises ConfigError for a file that holds something else."""
        snapshot = gateway.snapshot
        journal = Path(snapshot.config.journal.path)
        self._gateway = gateway
        self._memory = MemoryFile(memory_path(journal))
        memory = recall(self._memory.path)
        self._crossed = memory.crossed
        self._met = Counter(memory.conflicts)
        self.guard = Guard(snapshot.config.guard, 1, memory.watched)
        self.file = OverrideFile(overrides_path(journal), patience=_PATIENCE)
        self._mirror = Mirror(Store(snapshot.config.store.url.get_secret_value()))
        self._chronicle = Chronicle(self.file, self._mirror, snapshot.log, snapshot.troubles)
        self._stamp = self.file.stamp()
        self._overrides = stages_of(self.file.overrides())
        self._filed = snapshot.decider.routes
        self._retired = Retired()
        self._see(snapshot)
        self.adopt(snapshot)
        snapshot.evidence.listen(self.told)
        splitter = snapshot.decider.splitter
        registry.register(Gauges(self.guard, splitter, lambda: self._routes, lambda: len(self._overrides)))

    def adopt(self, snapshot: Snapshot) -> None:
        """Let requests see another configuration from now on, under the overrides that still stand."""
        old = self._gateway.snapshot
        before = old.decider.routes
        self._filed = snapshot.decider.routes
        self._keys = keys = frozenset(entry.key for entry in self._filed.entries)
        lapsed = self._overrides.keys() - keys
        self._overrides = {key: stage for key, stage in self._overrides.items() if key in keys}
        self._see(snapshot)
        snapshot.evidence.settle(
            snapshot.config.shadow, snapshot.mapping, snapshot.shadow, snapshot.config.ignore
        )
        self.guard.keep(keys)
        snapshot.decider.splitter.keep(keys)
        self.guard.settle(snapshot.config.guard, sum(guarded(entry.stage) for entry in self._filed.entries))
        self._begin_anew()
        self._retired.replaced(old, snapshot)
        self._configured(before)
        if lapsed:
            self._chronicle.lift(lapsed)

    def told(self, observation: Observation, verdict: Verdict) -> None:
        """Hear of a verdict. A mistake of the guard's own costs this verdict, not the one who tells it."""
        if observation.route not in self._keys:
            return
        try:
            self._hear(observation, verdict)
        except Exception as error:  # noqa: BLE001 - see above; the log names the place
            log_mistake(self._gateway.snapshot.log, error, observation.request_id)

    def _hear(self, observation: Observation, verdict: Verdict) -> None:
        self._cross(observation)
        settings = self._gateway.snapshot.config.guard
        found = events(observation, verdict, settings.slow_after)
        fired = self.guard.hear(observation.route, found, unit(observation), time.time())
        if fired is not None:
            self._act(fired, observation.endpoint.id)

    async def run(self) -> None:
        """Watch the file, keep what was learnt, close what nobody uses any more; until it is cancelled."""
        saved = time.monotonic()
        while True:
            await asyncio.sleep(POLL)
            try:
                self.look()
                await self._retired.close()
                if time.monotonic() - saved > _SAVE:
                    saved = time.monotonic()
                    self.save()
            except Exception as error:  # noqa: BLE001 - a mistake of ours must not end the watching
                log_mistake(self._gateway.snapshot.log, error, "")

    def look(self) -> None:
        """Take over what a command has written into the file of overrides."""
        stamp = self.file.stamp()
        if not self._chronicle.flush() or stamp == self._stamp:
            return
        self._stamp = stamp
        found = self._overrides
        with self._chronicle.guarded(self.file.path):
            found = stages_of(self.file.overrides())
        lifted = self._overrides.keys() - found.keys()
        for key in lifted:
            self.guard.forget(key)
        if lifted:
            self._mirror.lift(lifted)
        for key in (found.keys() & self._keys) - self._overrides.keys():
            self._told_elsewhere(key, found[key])
        self._overrides = {key: stage for key, stage in found.items() if key in self._keys}
        self._see(self._gateway.snapshot)

    def save(self) -> None:
        """Write down what the guard has learnt, if it is something new, and learn what other processes know."""
        snapshot = self._gateway.snapshot
        memory = Memory(
            watched=self.guard.watched,
            crossed=self._crossed,
            conflicts=dict(self._met + Counter(snapshot.evidence.met)),
            splits={key: snapshot.decider.splitter.share(key) for key in self._keys},
        )
        with self._chronicle.guarded(self._memory.path):
            self._crossed = self._memory.keep(memory).crossed

    async def end(self) -> None:
        """The process ends: keep what was learnt, close what is left over."""
        self.save()
        await self._retired.close_all()

    def unsafe(self, key: str) -> bool:
        """Whether traffic of an entry cannot go back: records that v2 would read raw have been written."""
        renamed = self._gateway.snapshot.renamed
        return any(
            renamed[one].resource in self._crossed for one in self._filed.endpoints_of(key) if one in renamed
        )

    @property
    def _routes(self) -> Routes:
        return self._gateway.snapshot.decider.routes

    def _see(self, snapshot: Snapshot) -> None:
        routes: Routes = self._filed.lowered(self._overrides)
        decider = replaced(snapshot.decider, routes=routes)
        self._gateway.snapshot = seen = replace(snapshot, decider=decider)
        self._retired.seen(seen)

    def _begin_anew(self) -> None:
        """Judge afresh what stands where it would be taken back, though a test has said no already.

        Somebody has set it again while nothing ran, or the override is lost, or only now may the guard act.
        """
        action = self._gateway.snapshot.config.guard.action
        for entry in self._routes.entries:
            watched = self.guard.watched.get(entry.key)
            if watched is None or watched.fired is None:
                continue
            if reaction(entry.stage, action, unsafe=self.unsafe(entry.key)) == "rolled_back":
                self.guard.forget(entry.key)

    def _act(self, fired: Fired, endpoint: str) -> None:
        snapshot = self._gateway.snapshot
        route = snapshot.decider.routes.entry(fired.route)
        if route is None:
            return  # the entry was changed while the comparison was at work
        reason = reaction(route.stage, snapshot.config.guard.action, unsafe=self.unsafe(fired.route))
        new_stage = BACK if reason == "rolled_back" else route.stage
        if reason == "rolled_back":
            self._overrides[fired.route] = new_stage
            self._see(snapshot)
        figures = {
            "test": fired.kind.value,
            "comparisons": fired.comparisons,
            "unexpected": fired.bad,
            "evidence": round(fired.evidence, 3),
            "bar": round(fired.bar, 3),
            "budget": self.guard.budgets[fired.kind],
        }
        ruling = self._ruling(route, endpoint, f"guard.{fired.kind}", reason, new_stage)
        self._chronicle.write(replaced(ruling, figures=figures))

    def _ruling(self, route: Route, endpoint: str, rule: str, reason: Reason, stage: Stage) -> Ruling:
        config = self._gateway.snapshot.hash
        return Ruling(
            route=route, endpoint=endpoint, rule=rule, new_stage=stage, reason=reason, config=config
        )

    def _told_elsewhere(self, key: str, stage: Stage) -> None:
        route = self._routes.entry(key)
        if route is not None and stage.step < route.stage.step:
            endpoint = min(self._filed.endpoints_of(key), default="")
            self._chronicle.tell(self._ruling(route, endpoint, "command.rollback", "by_hand", stage))

    def _cross(self, observation: Observation) -> None:
        """The first write through v2.1 whose values v2 would read raw: from here on there is no way back."""
        renamed = self._gateway.snapshot.renamed.get(observation.endpoint.id)
        if renamed is None or not observation.endpoint.is_write or observation.evidence != "contract":
            return
        if renamed.resource in self._crossed or observation.answer.status >= 300:
            return
        self._crossed[renamed.resource] = time.time()
        route = self._filed.entry(observation.route)
        if route is not None:
            ruling = self._ruling(route, observation.endpoint.id, "mapping", "crossed", route.stage)
            self._chronicle.write(replaced(ruling, figures={"renamed": list(renamed.entries)}))
        self.save()

    def _configured(self, before: Routes) -> None:
        """Tell which stages another configuration has changed, once for each pair of entries."""
        told = set()
        callers = sorted({"", *before.callers, *self._routes.callers})
        for endpoint, caller in product(self._gateway.snapshot.mapping.endpoints, callers):
            old, new = (routes.route_for(endpoint, caller) for routes in (before, self._routes))
            if old.stage is not new.stage and (old.key, new.key) not in told:
                told.add((old.key, new.key))
                self._chronicle.write(self._ruling(old, endpoint, "file", "configured", new.stage))
