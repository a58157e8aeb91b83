"""Calling a version of the API: connections, deadlines, typed outcomes."""

from proxy.upstream.engine import Engine, EngineKind, make_engine
from proxy.upstream.settings import UpstreamSettings

__all__ = ["Engine", "EngineKind", "UpstreamSettings", "make_engine"]
