"""Trouble on demand: slow, failing, cut or drifting answers, by share and seed, per version; off at first."""

from __future__ import annotations

import difflib
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeAlias

from proxy.emulator.drifts import DRIFTS
from proxy.emulator.kinds import BY_PATH, CHILDREN, ORDER
from proxy.emulator.switches import SwitchError, Version

Failure: TypeAlias = Literal["error_500", "error_503", "too_many", "truncate", "close"]


@dataclass(frozen=True)
class Misbehaviour:
    """Shares of answers, 0 to 1, that go wrong in one version; the five failures add up to 1 at most."""

    slow: float = 0.0
    """Answers that wait `slow_seconds` first."""
    slow_seconds: float = 0.2
    """Seconds."""
    error_500: float = 0.0
    """500 with an HTML page; nothing is done."""
    error_503: float = 0.0
    """503 with an HTML page; nothing is done."""
    too_many: float = 0.0
    """429 with Retry-After; nothing is done."""
    truncate: float = 0.0
    """The call is done, its answer breaks off half way through the body."""
    close: float = 0.0
    """The call is done, the connection ends without an answer."""
    drift: float = 0.0
    """Answers that differ from the documentation in one of the ways of `DRIFTS`."""
    way: str = ""
    """The one drift that happens, by its name in `DRIFTS`; empty for any that applies."""
    only: str = ""
    """The one resource that misbehaves, as its path names it, such as orderItems; empty for all."""
    seed: int = 1
    """The same seed and the same requests give the same trouble."""

    def changed(self, values: Mapping[str, Any]) -> Misbehaviour:
        """A copy with some fields set, given as numbers or text; SwitchError for a wrong name or value."""
        names = [f.name for f in fields(self)]
        for name in values:
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1, cutoff=0.0)[0]
                raise SwitchError(f"there is no misbehaviour {name!r}; the nearest is {near!r}")
        for name, known in _WORDS.items():
            if values.get(name) and str(values[name]) not in known:
                raise SwitchError(f"{name} cannot be {values[name]!r}; it can be {', '.join(known)}")
        try:
            read = {name: _READ.get(name, float)(value) for name, value in values.items()}
        except (TypeError, ValueError):
            raise SwitchError(
                "a misbehaviour is a number: a share from 0 to 1, seconds, or a whole seed"
            ) from None
        changed = replace(self, **read)
        shares = [getattr(changed, name) for name in names if name not in {*_READ, "slow_seconds"}]
        if min(*shares, changed.slow_seconds) < 0 or max(*shares, sum(changed.failures().values())) > 1:
            raise SwitchError("shares lie between 0 and 1, and those of the failures add up to 1 at most")
        return changed

    def failures(self) -> dict[Failure, float]:
        """The share of each way to fail outright."""
        return {
            "error_500": self.error_500,
            "error_503": self.error_503,
            "too_many": self.too_many,
            "truncate": self.truncate,
            "close": self.close,
        }


_PATHS = {relation: kind.path for relation, kind in CHILDREN.items()}
_WORDS = {"way": tuple(DRIFTS), "only": (ORDER.path, *BY_PATH, "extensions")}
_READ: dict[str, Callable[[Any], Any]] = {"seed": int, "way": str, "only": str}


def parse_misbehaviour(settings: Iterable[str]) -> dict[Version, Misbehaviour]:
    """Misbehaviour per version from words like `v2.1:drift=0.1`; without a version, for both."""
    table: dict[Version, Misbehaviour] = {"v2": Misbehaviour(), "v2.1": Misbehaviour()}
    for setting in settings:
        where, mark, rest = setting.partition(":")
        name, equals, value = (rest if mark else where).partition("=")
        versions: tuple[Version, ...] = tuple(v for v in table if not mark or v == where)
        if not versions or not equals:
            raise SwitchError(f"{setting!r} is not of the form name=value or v2.1:name=value")
        for version in versions:
            table[version] = table[version].changed({name: value})
    return table


@dataclass(frozen=True)
class Mishap:
    """What happens to one answer."""

    delay: float = 0.0
    failure: Failure | None = None
    drift: float | None = None
    """Which drift, as a number from 0 up to 1; None for none."""
    way: str = ""
    """The one drift to happen; empty for any."""


class Mischief:
    """The dice: one `Misbehaviour` per version, thrown once per answer. `set` may be called at any time."""

    def __init__(self, table: Mapping[Version, Misbehaviour] | None = None) -> None:
        self.table: dict[Version, Misbehaviour] = {"v2": Misbehaviour(), "v2.1": Misbehaviour()}
        self._dice: dict[Version, random.Random] = {}
        for version, behaviour in {**self.table, **(table or {})}.items():
            self.set(version, behaviour)

    def set(self, version: Version, behaviour: Misbehaviour) -> None:
        """Change how one version misbehaves, and start its dice again from the seed."""
        self.table[version] = behaviour
        self._dice[version] = random.Random(behaviour.seed)  # noqa: S311 - repeatable trouble, not a secret

    def throw(self, version: Version, segments: Sequence[str] = ()) -> Mishap:
        """What happens to the next answer; always four throws, so that one share does not move another's.

        `segments` is the path below the version. A resource that is spared throws no dice.
        """
        behaviour = self.table[version]
        if behaviour.only and behaviour.only != resource_of(segments):
            return Mishap()
        slow, fail, drifts, which = (self._dice[version].random() for _ in range(4))
        failure: Failure | None = None
        for name, share in behaviour.failures().items():
            if failure is None and fail < share:
                failure = name
            fail -= share
        delay = behaviour.slow_seconds if slow < behaviour.slow else 0.0
        return Mishap(delay, failure, which if drifts < behaviour.drift else None, behaviour.way)


def resource_of(segments: Sequence[str]) -> str:
    """Whose answer a path asks for: what stands under an order, or the kind of a single one."""
    plain = [part for part in segments if part]
    if "extensions" in plain[2:] or (len(plain) > 2 and plain[2].startswith("ext")):
        return "extensions"
    return _PATHS.get(plain[2], plain[2]) if len(plain) > 2 else next(iter(plain), "")
