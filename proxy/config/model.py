"""Every key of the configuration file: type, default, meaning. `docs/configuration.md` is made from it.

Endpoint ids and the switches of `[compat]` belong to the mappings: they are checked where both are known.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from proxy.config.network import Admin, Section, Server, Upstreams
from proxy.config.values import (
    Bytes,
    Count,
    Day,
    Flag,
    LocalPath,
    LogStream,
    Number,
    Pointer,
    Seconds,
    StoreAddress,
    Switch,
    Text,
)

STICKY_HEADER = "header:"
"""What a `sticky` value starts with when a header of the caller decides."""
_STICKY = re.compile(r"(record|caller|header:[!#$%&'*+.^_`|~0-9A-Za-z-]+)\Z")
_CALLER_ID = re.compile(r"([0-9a-f]{8,16}|anonymous)\Z")


def is_caller_id(text: str) -> bool:
    """Whether a text has the form of a caller id: 8 to 16 hexadecimal digits, or `anonymous`."""
    return _CALLER_ID.match(text) is not None


def _sticky(value: str) -> str:
    if _STICKY.match(value) is None:
        raise ValueError('is no way to stick; write "record", "caller" or "header:" with a header\'s name')
    if value.lower().removeprefix(STICKY_HEADER) in {"authorization", "proxy-authorization", "cookie"}:
        raise ValueError('names a header with credentials; write sticky = "caller" instead')
    return value


def _caller_id(value: str) -> str:
    if not is_caller_id(value):
        raise ValueError('is no caller id; write the 8 to 16 hexadecimal digits from the log, or "anonymous"')
    return value


Sticky: TypeAlias = Annotated[str, AfterValidator(_sticky)]
Endpoint: TypeAlias = Text
Stage: TypeAlias = Literal["v2", "shadow", "canary", "live", "v2.1"]


class Identity(Section):
    """The key behind caller ids, record names and bucket salts."""

    key_file: LocalPath = Field(default="identity.key", validate_default=True)
    """File with the key; made on first start when absent. Replicas share one."""


class Caller(Section):
    """A name for one caller."""

    id: Annotated[Text, AfterValidator(_caller_id)]
    """The caller id, as the log shows it."""
    name: Text
    """The name to use for it in routes and reports; unique."""


class Route(Section):
    """Which calls stand at which stage. The first entry that matches decides; where none does, v2 answers."""

    endpoint: Endpoint = "*"
    """An endpoint id from the mappings, `name.*` for all that start so, or `*`."""
    reads: Flag = False
    """Only endpoints that read."""
    writes: Flag = False
    """Only endpoints that write."""
    callers: tuple[Text, ...] | None = Field(default=None, min_length=1)
    """Only these callers, by id or name; without it, all."""
    stage: Stage
    """`v2`, `shadow`, `canary`, `live` or `v2.1`: who answers, and what is compared."""
    percent: Annotated[Number, Field(ge=1, le=100)] | None = None
    """The share of sticky keys that v2.1 answers; required in stage `canary`, refused elsewhere."""
    sticky: Sticky = "record"
    """What keeps a call on its version: `record`, `caller` or `header:` with a name."""
    slow_after: Seconds | None = None
    """From when on an answer of v2.1 counts as slow here; without it, `guard.slow_after`."""

    @model_validator(mode="after")
    def _check(self) -> Route:
        if self.reads and self.writes:
            raise ValueError("reads and writes exclude each other; remove both to match all endpoints")
        if self.stage == "canary" and self.percent is None:
            raise ValueError('stage "canary" needs a percent; add percent = 1 … 100')
        if self.stage != "canary" and self.percent is not None:
            raise ValueError('percent counts in stage "canary" only; remove it, or set stage = "canary"')
        return self


class Shadow(Section):
    """How much is compared, and what that may cost. The caller never waits for any of it."""

    sample: Annotated[Number, Field(ge=0, le=1)] = 0.1
    """Share of calls that are compared, 0 to 1."""
    max_calls_per_second: Annotated[Number, Field(ge=0)] = 5.0
    """Extra calls that comparing may make with one caller's credentials."""
    queue_items: Count = 1000
    """Comparisons that may wait; more are dropped and counted."""
    queue_bytes: Bytes = 16 << 20
    """Memory that waiting comparisons may hold."""
    workers: Count = 4
    """Comparisons at work at the same time."""
    max_body: Bytes = 64 << 10
    """Largest body that is compared."""
    timeout: Seconds = 10.0
    """How long the extra calls of one comparison may take."""
    max_lag: Seconds = 0.1
    """How late the event loop may be before comparing pauses for a second."""


class Guard(Section):
    """When traffic is taken back from v2.1."""

    budget: Annotated[Number, Field(gt=0, lt=1)] = 0.001
    """Share of unexpected divergences that is tolerated."""
    failure_budget: Annotated[Number, Field(gt=0, lt=1)] = 0.01
    """Share of calls that v2.1 may fail (5xx, no answer, an end that nobody knows)."""
    slow_budget: Annotated[Number, Field(gt=0, lt=1)] = 0.01
    """Share of answers of v2.1 that may take longer than `slow_after`."""
    slow_after: Seconds = 5.0
    """From when on an answer of v2.1 counts as slow, for routes without a `slow_after` of their own."""
    alpha: Annotated[Number, Field(gt=0, lt=1)] = 0.01
    """Chance of a false rollback over a route's whole life; all routes and tests share it."""
    action: Literal["rollback", "report"] = "rollback"
    """`rollback` acts, `report` only says so."""


class Ignore(Section):
    """A difference that somebody answers for until a date."""

    endpoint: Endpoint
    """An endpoint id, `name.*` or `*`."""
    path: Pointer
    """Contract pointer of the difference, array places as `*`."""
    reason: Text
    """Why it may be ignored."""
    owner: Text
    """Who answers for it."""
    until: Day
    """The last day it counts; later it is a warning."""


class Journal(Section):
    """The list of writes whose end is not known yet."""

    path: LocalPath = Field(default="crossfade.journal", validate_default=True)
    """The file, one per process."""
    fsync: Flag = False
    """Whether each entry also survives a loss of power; costs about 0.1 ms."""
    on_failure: Literal["send", "refuse"] = "send"
    """What happens to a write that cannot be entered."""


class Store(Section):
    """Where evidence is kept."""

    url: StoreAddress = Field(default="sqlite:///crossfade.db", validate_default=True)
    """`sqlite:///FILE`, or `postgresql://…` for several replicas. A password in it is never shown."""
    url_file: LocalPath | None = None
    """File that holds the address, so that a password stands in no configuration."""
    keep: Seconds = 30 * 86400.0
    """How long evidence is kept."""
    max_size: Bytes = 256 << 20
    """How much evidence is kept, about; what is oldest goes first."""


class Log(Section):
    """What is written down, and where to."""

    divergences: LogStream = "-"
    """Where the log goes, divergences first of all: `-` is standard output, anything else a file."""
    requests: Literal["off", "sampled", "all"] = "off"
    """Which requests get a line: none, a hundredth, all."""


class Config(Section):
    """The whole file."""

    unmapped: Literal["refuse", "v2"] = "refuse"
    """Calls no mapping covers, once a caller has left v2: refuse them, or still pass them to v2."""
    mappings: LocalPath | None = None
    """Folder of the mappings; without it, the ones that come with the program."""
    server: Server = Field(default_factory=dict, validate_default=True)
    admin: Admin = Field(default_factory=dict, validate_default=True)
    identity: Identity = Field(default_factory=dict, validate_default=True)
    upstream: Upstreams
    caller: tuple[Caller, ...] = ()
    route: tuple[Route, ...] = ()
    shadow: Shadow = Field(default_factory=dict, validate_default=True)
    guard: Guard = Field(default_factory=dict, validate_default=True)
    ignore: tuple[Ignore, ...] = ()
    journal: Journal = Field(default_factory=dict, validate_default=True)
    store: Store = Field(default_factory=dict, validate_default=True)
    log: Log = Field(default_factory=dict, validate_default=True)
    compat: dict[str, Switch] = Field(default_factory=dict)
    """Switches for open questions about the platform; the mappings declare them."""

    @model_validator(mode="after")
    def _check(self) -> Config:
        for what in ("id", "name"):
            counts = Counter(getattr(caller, what) for caller in self.caller)
            places = [f"caller[{n}]" for n, c in enumerate(self.caller) if counts[getattr(c, what)] > 1]
            if places:
                raise ValueError(f"{' and '.join(places)} have the same {what}; give each caller its own")
        same_listener = (self.server.host, self.server.port) == (self.admin.host, self.admin.port)
        if same_listener and self.server.port:
            raise ValueError("server and admin have the same host and port; give admin.port another one")
        return self
