"""The store of evidence: what was compared, what diverged, who called; on SQLite or PostgreSQL, and disposable."""

from proxy.store.fold import CallKey
from proxy.store.keeping import Keep
from proxy.store.reading import Store
from proxy.store.recorder import Recorder

__all__ = ["CallKey", "Keep", "Recorder", "Store"]
