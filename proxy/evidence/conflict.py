"""Whether a create met a record that was there already: v2 takes it over in silence, v2.1 refuses it.

It cannot be asked without writing. But v2's answer tells: a record that was made before the request is no new one. The
request's moment is the record's own stamp where the answer has one, since the platform wrote it for this very request;
else the platform's clock in `Date`, less the time that the answer took; else ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache

from msgspec import Raw

from proxy.errors import Refused
from proxy.json import Kind, kind, open_object
from proxy.mapping.codecs import instant
from proxy.mapping.endpoint import Endpoint
from proxy.types import Answer
from proxy.wire.coding import Undecodable, decode_body
from proxy.wire.headers import first

BEFORE = 1.0
"""Seconds that a record must be older than the request to have been there before it: what clocks leave out."""


def makes_record(endpoint: Endpoint, answer: Answer) -> bool:
    """Whether this was a successful create whose answer can say when the record was made."""
    record = endpoint.record
    creates = endpoint.is_write and f"{{{record.path}}}" not in endpoint.v2_path and bool(record.created)
    return creates and 200 <= answer.status < 300 and answer.rest is None


def matched(endpoint: Endpoint, answer: Answer, seconds: float, most: int) -> bool:
    """Whether the create that v2 answered so, after so many seconds, met a record; reads at most so many bytes."""
    told = _stamps(endpoint.record.created, endpoint.record.stamp).findall(answer.body)
    if len(told) == 2 and told[0][0] != told[1][0] and told[0][1] == told[1][1]:
        return False  # nearly every create: made and touched in one moment, which is seen without reading the rest
    members = _members(answer, most)
    created = _time(members, endpoint.record.created)
    if created is None:
        return False
    moment = _time(members, endpoint.record.stamp) or _asked(answer, seconds)
    return (moment - created).total_seconds() >= BEFORE


@lru_cache(maxsize=64)
def _stamps(*names: str) -> re.Pattern[bytes]:
    """Finds names and values of both stamps, wherever they stand."""
    return re.compile(rb'"(%s)"\s*:\s*("[^"\\]*")' % b"|".join(re.escape(name).encode() for name in names))


def _members(answer: Answer, most: int) -> Mapping[str, Raw]:
    try:
        whole = Raw(decode_body(answer.headers, answer.body, most).strip(b" \t\r\n"))
        return open_object(whole) if kind(whole) is Kind.OBJECT else {}
    except (Undecodable, Refused):
        return {}


def _time(members: Mapping[str, Raw], name: str) -> datetime | None:
    value = members.get(name)
    return None if value is None else instant(bytes(value))


def _asked(answer: Answer, seconds: float) -> datetime:
    now = datetime.now(UTC)
    date = first(answer.headers, b"date") or b""
    with suppress(ValueError, OverflowError):  # then our clock has to do
        now = parsedate_to_datetime(date.decode("latin-1")).astimezone(UTC)
    return now - timedelta(seconds=seconds)
