"""The kinds of value that keys take: durations, sizes, addresses, paths. Each says what it wants.

No message holds the value that was refused: it can be a secret that stands in the wrong place.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, TypeAlias
from urllib.parse import SplitResult, urlsplit, urlunsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    SecretStr,
    Strict,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
)

_SQLITE = "sqlite:///"
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)\Z")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = re.compile(r"(\d+)(B|KiB|MiB|GiB)\Z")
_BYTES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def _seconds(value: object) -> float:
    match = _DURATION.match(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('is not a duration; write a number with its unit, such as "500ms", "5s" or "2m"')
    return float(match[1]) * _SECONDS[match[2]]


def duration_text(seconds: float) -> str:
    """Seconds as the file writes them: `"5s"`, `"500ms"`, `"2m"`, `"30d"`."""
    for unit in ("d", "h", "m"):
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{seconds / _SECONDS[unit]:g}{unit}"
    return f"{seconds:g}s" if seconds >= 1 or not seconds else f"{seconds * 1000:g}ms"


def _size(value: object) -> int:
    match = _SIZE.match(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(
            'is not a size; write a whole number with its unit, such as "512B", "64KiB" or "1MiB"'
        )
    return int(match[1]) * _BYTES[match[2]]


def size_text(count: int) -> str:
    """Bytes as the file writes them: `"64KiB"`."""
    unit = next(unit for unit in ("GiB", "MiB", "KiB", "B") if count % _BYTES[unit] == 0)
    return f"{count // _BYTES[unit]}{unit}"


def _split(value: str) -> SplitResult | None:
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        return None
    return parts


def _web_address(value: str) -> str:
    parts = _split(value)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError('is not an absolute http(s) address; write it like "https://host.example"')
    if parts.username is not None or parts.password is not None:
        raise ValueError("holds a user name or password; remove it, callers bring their own credentials")
    if "?" in value or "#" in value:
        raise ValueError("has a query or fragment; remove everything from the ? or #")
    if not value.isascii() or any(c.isspace() or not c.isprintable() for c in value):
        raise ValueError("holds white space or a character outside ASCII; write the host in its ASCII form")
    return value.rstrip("/")


def _proxy_address(value: SecretStr) -> SecretStr:
    parts = _split(value.get_secret_value())
    if parts is None or parts.scheme not in {"http", "https", "socks5", "socks5h"} or not parts.hostname:
        raise ValueError(
            'is not a proxy address; write it like "http://proxy.example:3128" or "socks5://host:1080"'
        )
    return value


def _local(value: Path, info: ValidationInfo) -> Path:
    folder: Path = (info.context or {}).get("folder", Path())
    return folder / value


def _log_stream(value: str, info: ValidationInfo) -> str:
    return value if value == "-" else str(_local(Path(value), info))


def _store_address(value: SecretStr, info: ValidationInfo) -> SecretStr:
    text = value.get_secret_value()
    if text.startswith(_SQLITE):
        return SecretStr(f"{_SQLITE}{_local(Path(text.removeprefix(_SQLITE)), info)}")
    parts = _split(text)
    if parts is None or parts.scheme not in {"postgresql", "postgres"} or not parts.hostname:
        raise ValueError('is no store; write "sqlite:///crossfade.db" or "postgresql://user@host/database"')
    return value


def without_password(secret: SecretStr) -> str:
    """An address as it may be shown: the password, and any query, masked."""
    text = secret.get_secret_value()
    if text.startswith(_SQLITE):
        return text
    parts = _split(text)
    if parts is None:
        return "**********"
    user, at, host = parts.netloc.rpartition("@")
    masked = user.partition(":")[0] + ":***" if ":" in user else user
    return urlunsplit((parts.scheme, masked + at + host, parts.path, "***" if parts.query else "", ""))


def _pointer(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError('is not a contract pointer; write it like "/field" or "/list/*/field"')
    return value


def _day(value: object) -> object:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("is not a date; write it as year-month-day, such as 2027-01-31") from None


def _switch(value: object) -> object:
    if isinstance(value, bool | int | str):
        return value
    raise ValueError("is neither a word, a whole number nor true/false; write one of these")


_SHOWN = PlainSerializer(without_password, return_type=str)
_PLAIN = WithJsonSchema({"type": "string"})

Seconds: TypeAlias = Annotated[
    float,
    BeforeValidator(_seconds),
    PlainSerializer(duration_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?(ms|s|m|h|d)$", "title": "duration"}),
]
"""A duration in seconds; the file writes it with its unit."""

Bytes: TypeAlias = Annotated[
    int,
    BeforeValidator(_size),
    PlainSerializer(size_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(B|KiB|MiB|GiB)$", "title": "size"}),
]
"""A size in bytes; the file writes it with its unit."""

Text: TypeAlias = Annotated[str, StringConstraints(min_length=1)]
Flag: TypeAlias = Annotated[bool, Strict()]
Count: TypeAlias = Annotated[int, Strict(), Field(ge=1)]
Port: TypeAlias = Annotated[int, Strict(), Field(ge=0, le=65535)]
Number: TypeAlias = Annotated[float, Strict(), Field(allow_inf_nan=False)]
WebAddress: TypeAlias = Annotated[
    str, AfterValidator(_web_address), WithJsonSchema({"type": "string", "format": "uri"})
]
"""An absolute http(s) address without credentials, query or closing slash."""
ProxyAddress: TypeAlias = Annotated[SecretStr, AfterValidator(_proxy_address), _SHOWN, _PLAIN]
StoreAddress: TypeAlias = Annotated[SecretStr, AfterValidator(_store_address), _SHOWN, _PLAIN]
LocalPath: TypeAlias = Annotated[Path, AfterValidator(_local)]
"""A path; a relative one counts from the folder of the configuration file (validation context `folder`)."""
LogStream: TypeAlias = Annotated[Text, AfterValidator(_log_stream)]
"""`-` for standard output, or a file."""
Pointer: TypeAlias = Annotated[str, AfterValidator(_pointer)]
Day: TypeAlias = Annotated[date, BeforeValidator(_day)]
Switch: TypeAlias = Annotated[bool | int | str, BeforeValidator(_switch)]
