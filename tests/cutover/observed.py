"""Observations as traffic hands them over, for tests of what hears of them."""

from __future__ import annotations

from typing import Any

from proxy.evidence.observation import Observation
from proxy.types import Answer
from tests.evidence.answers import MAPPING


def observation(kind: Any, *, endpoint: str = "orders.get", **more: Any) -> Observation:
    """One of this kind of evidence."""
    given = {"stage": "canary", "caller": "a1b2c3d4", "record": "f00d", "request_id": "r", **more}
    return Observation(evidence=kind, endpoint=MAPPING.endpoints[endpoint], answer=Answer(200, []), **given)
