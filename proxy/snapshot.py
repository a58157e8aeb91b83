"""Everything that one configuration amounts to: what a request sees from its first byte to its last."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.config.model import Config
from proxy.cutover.decide import Decider
from proxy.evidence.engine import Evidence
from proxy.log import EventLog
from proxy.mapping.api import CompiledMapping
from proxy.store import Recorder
from proxy.upstream import Engine
from proxy.upstream.journal import Journal
from proxy.wire.credentials import CallerIds


@dataclass(frozen=True)
class Snapshot:
    """One configuration in effect. Frozen and swapped whole, so that a request never sees two."""

    config: Config
    mapping: CompiledMapping
    decider: Decider
    callers: CallerIds
    key: bytes
    v2: Engine
    v2_1: Engine
    shadow: Engine
    """v2.1 on connections of its own, for evidence only."""
    evidence: Evidence
    journal: Journal
    recorder: Recorder
    """Where evidence and calls are counted; the process has one, whatever is reloaded."""
    log: EventLog
    allowed_hosts: frozenset[bytes]

    @property
    def degraded(self) -> tuple[str, ...]:
        """The parts that do not work at the moment, which costs nobody the traffic."""
        parts = (("journal", self.journal.failure), ("store", self.recorder.failure))
        return tuple(part for part, failure in parts if failure)
