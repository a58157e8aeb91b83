"""Everything that one configuration amounts to: what a request sees from its first byte to its last."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.config.model import Config
from proxy.cutover.decide import Decider
from proxy.evidence.engine import Evidence
from proxy.log import EventLog
from proxy.mapping.api import CompiledMapping
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
    log: EventLog
    allowed_hosts: frozenset[bytes]
