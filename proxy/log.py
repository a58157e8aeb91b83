"""The log: one event, one line of JSON, and nothing in it that its event's table does not name.

A log is built from an allow-list, because a list of what must not be written is always one leak behind. So an
event has a table of fields, and everything else is dropped, whoever passes it. Lines are ASCII: a line break,
an escape sequence or U+2028 in a value is written as its JSON escape and stays inside its line.

Writing never raises and never blocks. A sink that is full, gone or broken costs lines, which are counted in
`EventLog.lost`, and nothing else. docs/log.md explains every event and field.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, TypeAlias

import structlog
from structlog.typing import WrappedLogger

from proxy.sink import Sink

Event: TypeAlias = Literal[
    "request",
    "refused",
    "divergence",
    "decision",
    "in_doubt",
    "config",
    "started",
    "draining",
    "stopped",
    "degraded",
    "reopened",
    "expired",
    "would_conflict",
    "internal_error",
    "runtime",
]


class Fields(NamedTuple):
    """The fields of an event, in the order in which they are written after `event`, `schema` and `time`."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


def _fields(required: str, optional: str = "") -> Fields:
    return Fields(tuple(required.split()), tuple(optional.split()))


EVENTS: Mapping[Event, Fields] = {
    "request": _fields(
        "request_id endpoint method status duration_ms caller",
        "stage version upstream_ms request_bytes answer_bytes calls outcome code rules",
    ),
    "refused": _fields("request_id status code"),
    "divergence": _fields(
        "request_id endpoint stage evidence class caller record groups differences", "reason"
    ),
    "decision": _fields(
        "endpoint route rule config old_stage new_stage",
        "reason comparisons unexpected old_percent new_percent",
    ),
    "in_doubt": _fields("request_id endpoint step caller outcome", "record code"),
    "config": _fields("outcome config", "findings"),
    "started": _fields("version config host port", "admin_host admin_port engine"),
    "draining": _fields("in_flight delay_ms"),
    "stopped": _fields("reason in_flight", "duration_ms"),
    "degraded": _fields("part state", "reason"),
    "reopened": _fields("endpoint group was owner"),
    "expired": _fields("ignore endpoint owner until"),
    "would_conflict": _fields("request_id endpoint stage caller record"),
    "internal_error": _fields("exception place", "request_id endpoint code"),
    "runtime": _fields("logger level exception"),
}
"""What each event may hold; the allow-list."""

SCHEMAS: Mapping[Event, int] = {"divergence": 1}
"""Events whose form is promised, with the number of that form."""

NESTED: Mapping[str, tuple[str, ...]] = {"differences": ("pointer", "kind", "v2", "v2_1", "rule")}
"""Fields that hold a list of tables, and what each of these may hold."""


class EventLog(structlog.BoundLoggerBase):
    """Where events are written to. `bind(request_id=…)` gives one that adds these fields to all it writes."""

    def write(self, event: Event, **fields: object) -> None:
        """Write one event. Never raises, but in strict mode."""
        self._logger.attempt(self, event, fields)

    @property
    def lost(self) -> int:
        """How many lines could not be written."""
        return int(self._logger.lost)

    def close(self) -> None:
        """Close the sink."""
        self._logger.sink.close()


class _Writer:
    """The end of the pipeline: counts what goes wrong and keeps it from the traffic."""

    def __init__(self, sink: Sink, *, strict: bool) -> None:
        self.sink = sink
        self.strict = strict
        self.lost = 0

    def attempt(self, log: EventLog, event: Event, fields: dict[str, Any]) -> None:
        try:
            log._proxy_to_logger("line", event, **fields)  # noqa: SLF001 - structlog's way to run the processors
        except Exception:  # whatever is wrong with a line of the log, traffic goes on
            self.lost += 1
            if self.strict:
                raise

    def line(self, line: str) -> None:
        self.sink.write(line)


def open_log(target: str, *, strict: bool = False) -> EventLog:
    """A log to standard output (`-`) or a file. Raises ConfigError when the file cannot be opened.

    In strict mode, for tests, an event that lacks a required field or holds a foreign one raises ValueError.
    """
    processors = [_checked] if strict else []
    writer = _Writer(Sink(target), strict=strict)
    return EventLog(writer, [*processors, _allowed, _rendered], {})


@contextmanager
def foreign_loggers(log: EventLog) -> Iterator[None]:
    """While it lasts, what libraries log at WARNING and above becomes an event `runtime`, without its text.

    Their texts quote requests, addresses and headers. Handlers that they have set up are put aside.
    """
    root = logging.getLogger()
    names = ("uvicorn", "uvicorn.error", "uvicorn.access", "httpx", "httpcore", "asyncio", "py.warnings")
    loggers = [root, *map(logging.getLogger, names)]
    before = [(logger, logger.handlers, logger.level, logger.propagate) for logger in loggers]
    logging.captureWarnings(True)
    for logger in loggers:
        logger.handlers, logger.propagate = [], logger is not root
        logger.setLevel(logging.WARNING)
    root.handlers = [_Runtime(log)]
    try:
        yield
    finally:
        logging.captureWarnings(False)
        for logger, handlers, level, propagate in before:
            logger.handlers, logger.propagate = handlers, propagate
            logger.setLevel(level)


class _Runtime(logging.Handler):
    def __init__(self, log: EventLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        kind = record.exc_info[0] if record.exc_info else None
        exception = None if kind is None else kind.__name__
        self._log.write("runtime", logger=record.name, level=record.levelname.lower(), exception=exception)


_Values: TypeAlias = MutableMapping[str, Any]


def _checked(_logger: WrappedLogger, _method: str, values: _Values) -> _Values:
    fields = EVENTS[values["event"]]
    missing = set(fields.required) - set(values)
    foreign = set(values) - {"event", *fields.required, *fields.optional}
    if missing or foreign:
        raise ValueError(f"event {values['event']}: missing {sorted(missing)}, not allowed {sorted(foreign)}")
    return values


def _allowed(_logger: WrappedLogger, _method: str, values: _Values) -> _Values:
    event = values["event"]
    fields = EVENTS[event]
    kept: _Values = {"event": event}
    if event in SCHEMAS:
        kept["schema"] = SCHEMAS[event]
    kept["time"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    for name in (*fields.required, *fields.optional):
        if name in values:
            kept[name] = _inner(values[name], NESTED[name]) if name in NESTED else values[name]
    return kept


def _inner(tables: list[Mapping[str, object]], names: tuple[str, ...]) -> list[dict[str, object]]:
    return [{name: table.get(name) for name in names} for table in tables]


def _rendered(_logger: WrappedLogger, _method: str, values: _Values) -> str:
    # A value that is not JSON's shows its type alone: its repr could quote a request.
    line = json.dumps(values, separators=(",", ":"), default=lambda value: type(value).__name__)
    return line.replace("\x7f", "\\u007f")
