"""Comparing the two versions: what traffic hands over, how differences are found, named, counted and written."""

from proxy.evidence.engine import Evidence
from proxy.evidence.observation import Observation

__all__ = ["Evidence", "Observation"]
