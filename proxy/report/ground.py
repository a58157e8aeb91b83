"""What a report is judged by besides the store: routes, mappings, and what the guard has learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from proxy.cutover.guard import Guard
from proxy.cutover.routes import Routes
from proxy.mapping.api import Source
from proxy.mapping.contract import Operation
from proxy.mapping.model import Endpoint


@dataclass(frozen=True)
class Ground:
    """The configuration at one moment."""

    source: Source
    routes: Routes
    """In effect, overrides counted."""
    guard: Guard
    names: Mapping[str, str]
    """Names of callers by their ids."""
    named: Mapping[str, Sequence[str]]
    """By route key: the callers that its entry names, as they stand there."""
    conflicts: Mapping[str, int]
    """By endpoint: creates that v2.1 would have refused."""
    splits: Mapping[str, tuple[int, float]]
    """By route key: distinct sticky keys, and the percentage of them that v2.1 answered."""
    decided: bool
    """Whether the operator has said what becomes of such creates."""
    config: str
    """The hash of the configuration."""

    def written(self, endpoint: str) -> bool:
        """Whether an endpoint writes."""
        return self.source.writes[endpoint]

    def operation(self, endpoint: str) -> Operation | None:
        """What v2's contract promises of an endpoint; `None` where it does not know it."""
        return self.source.v2.operations.get(self._declared(endpoint).v2)

    def refusal(self, endpoint: str) -> str:
        """Why an endpoint is never carried to v2.1; empty where it is."""
        declared = self._declared(endpoint)
        return declared.says if declared.refuse is not None else ""

    def _declared(self, endpoint: str) -> Endpoint:
        return next(one for file in self.source.resources for one in file.endpoint if one.id == endpoint)

    @property
    def losses(self) -> Mapping[str, str]:
        """Every declaration that loses something: its id, and what it says."""
        return {one.id: one.says for one in self.source.claims() if one.loss}
