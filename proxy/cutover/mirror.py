"""The store's copy of overrides and decisions: made in a thread after the local file, and never waited for.

Reports and other replicas read it. Where the store cannot be written, the recorder says so already, and nothing else happens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

from proxy.cutover.overrides import Keeping
from proxy.errors import StoreError
from proxy.store.rows import Decision, Override


class Mirror:
    """Belongs to one event loop."""

    def __init__(self, store: Keeping) -> None:
        self._store = store

    def decide(self, decision: Decision, override: Override | None) -> None:
        """Copy a decision, and its override where it is one."""
        if override is not None:
            self._later(lambda: self._store.override(override))
        self._later(lambda: self._store.decide(decision))

    def lift(self, routes: Iterable[str]) -> None:
        """Take the overrides of these entries away there too."""
        gone = list(routes)
        self._later(lambda: self._store.lift(gone))

    def _later(self, what: Callable[[], None]) -> None:
        def quietly() -> None:
            with suppress(StoreError, OSError):
                what()

        asyncio.get_running_loop().run_in_executor(None, quietly)
