"""The evidence engine: takes observations after the caller has been answered, and never makes a caller wait."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from proxy.config.model import Shadow
from proxy.evidence.observation import Observation, wants
from proxy.log import EventLog
from proxy.mapping.api import CompiledMapping
from proxy.upstream.engine import Engine


class Evidence:
    """Compares what traffic offers. Belongs to one event loop; `engine` calls v2.1 on connections of its own.

    `mapping` may be replaced on reload; an observation is compared with the mapping that was there when it was offered.
    """

    def __init__(
        self,
        settings: Shadow,
        mapping: CompiledMapping,
        engine: Engine,
        log: EventLog,
        *,
        key: bytes,
        salt: bytes,
        registry: CollectorRegistry,
    ) -> None:
        self.mapping = mapping
        self._settings = settings
        self._salt = salt

    def wants(self, name: str) -> bool:
        """Whether the call with this record name (or request id) is in the sample; ask before copying anything."""
        return wants(self._salt, name, self._settings.sample)

    def start(self) -> None:
        """Start the workers on the running event loop."""

    def offer(self, observation: Observation) -> None:
        """Take a snapshot to compare it later, or drop it and count that. Never blocks, never raises."""

    async def drain(self, timeout: float) -> bool:  # noqa: ASYNC109 - an upper bound, not a cancellation
        """Wait until all that was offered is compared, at most so many seconds; says whether it is."""
        return True

    async def stop(self) -> None:
        """End the workers; what still waits is counted as skipped."""
