"""Overrides and decisions in a local file: no database stands between a verdict and a rollback.

An override is a stage above the file's for one route entry, named by what the entry says. Effective is the lower of the two,
so an override only ever takes traffic back. It lapses when its entry is changed. The store keeps the same rows for other
replicas (`Keeping`); this file is what survives without it.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from proxy.cutover.memory import Formed, decoded, replace_file, stamp
from proxy.cutover.stage import Stage
from proxy.errors import ConfigError
from proxy.store.rows import Decision, Override

KEPT = 200
"""Decisions that are kept; the oldest go."""
_PAUSE = 0.002
"""Seconds between two tries for the lock."""
TARGETS = (Stage.V2, Stage.SHADOW)
"""Stages that an override may name: the two in which v2 answers."""


class Keeping(Protocol):
    """A place for overrides and decisions: this module's file, or the store."""

    def decisions(self, *, limit: int = 100) -> list[Decision]:
        """What was decided about routes, the last first."""
        ...

    def decide(self, decision: Decision) -> None:
        """Keep a decision."""
        ...

    def overrides(self) -> list[Override]:
        """The overrides in effect."""
        ...

    def override(self, override: Override) -> None:
        """Set one; it takes the place of an older one for the same entry."""
        ...

    def lift(self, routes: Iterable[str]) -> None:
        """Take the overrides of these entries away."""
        ...


class _Whole(Formed):
    overrides: dict[str, Override] = msgspec.field(default_factory=dict)
    decisions: list[Decision] = msgspec.field(default_factory=list)


def overrides_path(journal: Path) -> Path:
    """Where the file is, for the configured journal."""
    return journal.with_name(f"{journal.name}.overrides")


class OverrideFile:
    """The local file, a `Keeping`. All processes of one folder share it; writers wait for each other, `patience` seconds.

    Methods raise OSError, ConfigError where it stays locked, and `UnreadableError` where it holds something else.
    """

    def __init__(self, path: Path, *, patience: float = 5.0) -> None:
        self.path = path
        self._patience = patience

    def stamp(self) -> tuple[int, int]:
        """Changes whenever the file does."""
        return stamp(self.path)

    def decisions(self, *, limit: int = 100) -> list[Decision]:
        """See `Keeping`."""
        return self._read().decisions[::-1][:limit]

    def decide(self, decision: Decision) -> None:
        """See `Keeping`."""
        with self._changing() as whole:
            whole.decisions = [*whole.decisions, decision][-KEPT:]

    def overrides(self) -> list[Override]:
        """See `Keeping`."""
        return list(self._read().overrides.values())

    def override(self, override: Override) -> None:
        """See `Keeping`."""
        with self._changing() as whole:
            whole.overrides[override.route] = override

    def lift(self, routes: Iterable[str]) -> None:
        """See `Keeping`."""
        gone = set(routes)
        with self._changing() as whole:
            whole.overrides = {key: one for key, one in whole.overrides.items() if key not in gone}

    def _read(self) -> _Whole:
        try:
            return decoded(self.path, _Whole, "no overrides; move it away (routes then stand as in the file)")
        except FileNotFoundError:
            return _Whole()

    @contextmanager
    def _changing(self) -> Iterator[_Whole]:
        """What the file holds, to be changed and written back; nobody else changes it meanwhile."""
        descriptor = os.open(self.path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._lock(descriptor)
            whole = self._read()
            yield whole
            replace_file(self.path, msgspec.json.encode(whole), lasting=True)
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int) -> None:
        end = time.monotonic() + self._patience
        while True:
            try:
                return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > end:
                    raise ConfigError(
                        f"{self.path.parent}: another process keeps it locked; end that one, or try again"
                    ) from None
                time.sleep(_PAUSE)


def stages_of(overrides: Iterable[Override]) -> dict[str, Stage]:
    """Entry key → stage, as `Routes.lowered` takes it; what names no stage of an override is left out."""
    known = {stage.value: stage for stage in TARGETS}
    return {one.route: known[one.stage] for one in overrides if one.stage in known}
