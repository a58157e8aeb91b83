"""Steering: the guard at work in a running process. It hears of verdicts, swaps what requests see, and writes down why.

A rollback is one assignment in memory; then the file, then the store. What is told elsewhere is never waited for. The file of
overrides is watched, so a command in another process takes effect within a quarter of a second.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from msgspec.structs import replace as replaced
from prometheus_client import CollectorRegistry

from proxy.cutover.changed import changed, shares
from proxy.cutover.chronicle import Chronicle, Ruling
from proxy.cutover.events import events, unit
from proxy.cutover.gauges import Gauges
from proxy.cutover.guard import Fired, Guard
from proxy.cutover.holding import Holding
from proxy.cutover.learnt import Learnt
from proxy.cutover.memory import memory_path
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
        """Take over what an earlier process has left; what cannot be read is believed to say what is safe."""
        snapshot = gateway.snapshot
        journal = Path(snapshot.config.journal.path)
        self._gateway = gateway
        self.file = OverrideFile(overrides_path(journal), patience=_PATIENCE)
        self._mirror = Mirror(Store(snapshot.config.store.url.get_secret_value()))
        self._chronicle = Chronicle(self.file, self._mirror, snapshot.log, snapshot.troubles)
        self._learnt = Learnt(memory_path(journal), self._chronicle)
        self.guard = Guard(snapshot.config.guard, 1, self._learnt.watched)
        self._stamp = self.file.stamp()
        self._holding = Holding(self._read_overrides())
        self._filed = snapshot.decider.routes
        self._retired = Retired()
        self._see(snapshot)
        self.adopt(snapshot)
        snapshot.evidence.listen(self.told)
        splitter = snapshot.decider.splitter
        registry.register(
            Gauges(
                self.guard,
                splitter,
                lambda: self._routes,
                lambda: len(self._held),
                lambda: self._chronicle.failing,
            )
        )

    def adopt(self, snapshot: Snapshot) -> None:
        """Let requests see another configuration from now on, under the overrides that still stand."""
        old = self._gateway.snapshot
        before = old.decider.routes
        self._filed = snapshot.decider.routes
        self._keys = keys = frozenset(entry.key for entry in self._filed.entries)
        usual = snapshot.config.guard.slow_after
        self._slow_after = {entry.key: entry.slow_after or usual for entry in self._filed.entries}
        lapsed = self._holding.keep(keys)
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
        try:
            self._cross(observation)
            if observation.route in self._slow_after:
                self._hear(observation, verdict)
        except Exception as error:  # noqa: BLE001 - see above; the log names the place
            log_mistake(self._gateway.snapshot.log, error, observation.request_id)

    def _hear(self, observation: Observation, verdict: Verdict) -> None:
        found = events(observation, verdict, self._slow_after[observation.route])
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
        found = self._read_overrides()
        if found is not None:
            self._take_over(found)

    def _read_overrides(self) -> dict[str, Stage] | None:
        return self._chronicle.tried(self.file.path, lambda: stages_of(self.file.overrides()))

    def _take_over(self, stages: Mapping[str, Stage]) -> None:
        found = {key: stage for key, stage in stages.items() if key in self._keys}
        before, blind = self._routes, not self._holding.known
        taken, lifted = self._holding.learn(found)
        for key in lifted:
            self.guard.forget(key)
        if lifted:
            self._mirror.lift(lifted)
        self._see(self._gateway.snapshot)
        for key in taken:
            self._told_elsewhere(key, before)
        if blind:
            self._begin_anew()

    def save(self) -> None:
        """Write down what the guard has learnt, if it is something new, and learn what other processes know."""
        snapshot = self._gateway.snapshot
        splits = {key: snapshot.decider.splitter.share(key) for key in self._keys}
        self._learnt.save(self.guard.watched, snapshot.evidence.met, splits)

    async def end(self) -> None:
        """The process ends: keep what was learnt, close what is left over."""
        self.save()
        await self._retired.close_all()

    def unsafe(self, key: str) -> bool:
        """Whether traffic of an entry cannot go back: records that v2 would show raw have been written."""
        return self._learnt.crossing.behind(self._gateway.snapshot.lasting, self._filed.endpoints_of(key))

    @property
    def _held(self) -> dict[str, Stage]:
        return self._holding.in_effect(self._filed, self.unsafe)

    @property
    def _routes(self) -> Routes:
        return self._gateway.snapshot.decider.routes

    def _see(self, snapshot: Snapshot) -> None:
        routes: Routes = self._filed.lowered(self._held)
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
            self._holding.stages[fired.route] = new_stage
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

    def _told_elsewhere(self, key: str, before: Routes) -> None:
        route, stage = before.entry(key), self._holding.stages[key]
        if route is not None and stage.step < route.stage.step:
            endpoint = min(self._filed.endpoints_of(key), default="")
            self._chronicle.tell(self._ruling(route, endpoint, "command.rollback", "by_hand", stage))

    def _cross(self, observation: Observation) -> None:
        """Write down the first write through v2.1 after which there is no way back."""
        left = self._learnt.crossing.passed(self._gateway.snapshot.lasting, observation, time.time())
        if not left:
            return
        endpoint = observation.endpoint.id
        route = self._filed.entry(observation.route) or self._filed.route_for(endpoint, observation.caller)
        ruling = self._ruling(route, endpoint, "mapping", "crossed", route.stage)
        self._chronicle.write(replaced(ruling, figures={"left": list(left)}))
        self.save()

    def _configured(self, before: Routes) -> None:
        """Tell which stages and shares another configuration has changed."""
        for endpoint, old, new in changed(before, self._routes, self._gateway.snapshot.mapping.endpoints):
            ruling = self._ruling(old, endpoint, "file", "configured", new.stage)
            self._chronicle.write(replaced(ruling, figures=shares(old, new)))
