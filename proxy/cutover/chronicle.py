"""Writing down what was decided about routes, with the figures that it rests on: to the log first, then to the file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from proxy.cutover.memory import UnreadableError
from proxy.cutover.mirror import Mirror
from proxy.cutover.overrides import Keeping, OverrideFile
from proxy.cutover.react import Reason
from proxy.cutover.routes import Route
from proxy.cutover.stage import Stage
from proxy.errors import ConfigError
from proxy.log import EventLog
from proxy.store.rows import Decision, Override
from proxy.wire.request_id import new

_T = TypeVar("_T")


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """A decision as it is made."""

    route: Route
    """As it was in effect before."""
    endpoint: str
    """The endpoint whose call led to it; a pattern where a person decided."""
    rule: str
    """`guard.` and a test, `command.` and a command, `mapping` or `file`."""
    new_stage: Stage
    reason: Reason
    figures: Mapping[str, object] = {}
    config: str
    """Hash of the configuration in effect."""

    def row(self, at: float) -> Decision:
        """As it is kept; `at` is seconds since 1970."""
        return Decision(
            id=new(),
            at=round(at * 1000),
            route=self.route.key,
            endpoint=self.endpoint,
            old_stage=self.route.stage.value,
            new_stage=self.new_stage.value,
            rule=self.rule,
            evidence={**self.figures, "reason": self.reason, "place": self.route.index},
            config=self.config,
        )

    def override(self, row: Decision) -> Override | None:
        """The override that it sets, if the new stage stands above the file's from now on."""
        if self.reason not in {"rolled_back", "by_hand"}:
            return None
        return Override(route=row.route, stage=row.new_stage, rule=row.rule, at=row.at)


_COUNTED = ("comparisons", "unexpected", "old_percent", "new_percent")
"""Figures that the log has as well."""


class Chronicle:
    """Where rulings go. What cannot be written degrades this part and holds in memory all the same."""

    PART = "guard"
    """What `/readyz` calls this part."""

    def __init__(self, kept: OverrideFile, mirror: Mirror, log: EventLog, troubles: dict[str, str]) -> None:
        self.kept = kept
        self._mirror = mirror
        self._log = log
        self._troubles = troubles
        self._waiting: list[Callable[[], None]] = []
        self._failing: dict[Path, str] = {}

    def write(self, ruling: Ruling) -> None:
        """Write a ruling down, and its override where it is one."""
        self.tell(ruling)
        row = ruling.row(time.time())
        self._waiting.append(partial(keep, self.kept, ruling, row))
        self.flush()
        self._mirror.decide(row, ruling.override(row))

    def lift(self, routes: Iterable[str]) -> None:
        """Take the overrides of these entries away."""
        self._waiting.append(partial(self.kept.lift, list(routes)))
        self.flush()
        self._mirror.lift(routes)

    def flush(self) -> bool:
        """Keep what could not be kept before; says whether nothing is left."""
        if self._waiting:
            with self.guarded(self.kept.path):
                while self._waiting:
                    self._waiting[0]()
                    self._waiting.pop(0)
        return not self._waiting

    def tell(self, ruling: Ruling) -> None:
        """Say it in the log alone: it was kept by whoever made it."""
        counted = {name: ruling.figures[name] for name in _COUNTED if name in ruling.figures}
        self._log.write(
            "decision",
            endpoint=ruling.endpoint,
            route=ruling.route.index,
            rule=ruling.rule,
            config=ruling.config,
            old_stage=ruling.route.stage.value,
            new_stage=ruling.new_stage.value,
            reason=ruling.reason,
            **counted,
        )

    @property
    def failing(self) -> bool:
        """Whether one of the files cannot be read or written."""
        return bool(self._failing)

    def tried(self, path: Path, what: Callable[[], _T]) -> _T | None:
        """What it gives; `None` where this file cannot be read or written, which degrades the part."""
        found = []
        with self.guarded(path):
            found.append(what())
        return found[0] if found else None

    @contextmanager
    def guarded(self, path: Path) -> Iterator[None]:
        """A block whose failure to read or write this file degrades the part instead of being raised."""
        try:
            yield
        except UnreadableError:
            self._failing[path] = "unreadable"
        except (OSError, ConfigError):
            self._failing[path] = "unwritable"
        else:
            self._failing.pop(path, None)
        self._trouble(max(self._failing.values(), default=""))

    def _trouble(self, reason: str) -> None:
        """The part has failed for this reason, or works again (empty)."""
        if reason == self._troubles.get(self.PART, ""):
            return
        self._troubles.pop(self.PART, None)
        if reason:
            self._troubles[self.PART] = reason
            self._log.write("degraded", part=self.PART, state="degraded", reason=reason)
        else:
            self._log.write("degraded", part=self.PART, state="recovered")


def keep(kept: Keeping, ruling: Ruling, row: Decision) -> None:
    """Put a ruling into a place where decisions are kept."""
    override = ruling.override(row)
    if override is not None:
        kept.override(override)
    kept.decide(row)
