"""Everything that one configuration amounts to: what a request sees from its first byte to its last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from proxy.config.model import Config
from proxy.cutover.decide import Decider
from proxy.evidence.engine import Evidence
from proxy.evidence.reads import Reads
from proxy.log import EventLog
from proxy.mapping.api import CompiledMapping
from proxy.mapping.stored import Lasting
from proxy.store import Recorder
from proxy.upstream import Engine
from proxy.upstream.attempts import Attempts
from proxy.upstream.journal import Journal
from proxy.wire.credentials import CallerIds


@dataclass(frozen=True)
class Snapshot:
    """One configuration in effect. Frozen and swapped whole, so that a request never sees two."""

    config: Config
    hash: str
    """Names the configuration, in the log and in decisions."""
    mapping: CompiledMapping
    lasting: Mapping[str, Lasting]
    """By endpoint: what writes through v2.1 leave that v2 knows otherwise."""
    decider: Decider
    callers: CallerIds
    key: bytes
    v2: Engine
    v2_1: Engine
    shadow: Reads
    """Both versions on connections of their own, for evidence only."""
    attempts: Mapping[str, Attempts]
    """How calls went, by upstream; outlives the engines."""
    evidence: Evidence
    journal: Journal
    recorder: Recorder
    """Where evidence and calls are counted; the process has one, whatever is reloaded."""
    log: EventLog
    allowed_hosts: frozenset[bytes]
    troubles: dict[str, str]
    """Further parts that do not work at the moment, each with a word for why; the process has one such list."""

    @property
    def degraded(self) -> tuple[str, ...]:
        """The parts that do not work at the moment, which costs nobody the traffic."""
        parts = (("journal", self.journal.failure), ("store", self.recorder.failure))
        return (*(part for part, failure in parts if failure), *self.troubles)
