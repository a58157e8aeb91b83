"""Looking a record up, with an operator's credentials: what the platform has of it, and since when."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from msgspec import Raw

from proxy.assembly import engine_of
from proxy.config.model import Config
from proxy.errors import ConfigError, Refused
from proxy.exchange import Asked, exchange
from proxy.json import open_array, open_object
from proxy.mapping.api import CompiledMapping
from proxy.mapping.contract import Schema
from proxy.mapping.endpoint import Endpoint
from proxy.mapping.paths import fill
from proxy.mapping.query import Pairs
from proxy.types import Answer, Call, Headers
from proxy.upstream.drive import drive
from proxy.upstream.entries import Entry
from proxy.wire.headers import for_translated, for_upstream
from proxy.wire.request_id import new
from proxy.wire.target import join

Times = dict[str, str]
"""The times that a record carries, by their member's name."""


class Reading(NamedTuple):
    """What was asked for: a reading endpoint, with the key in its path or in its query."""

    endpoint: Endpoint
    path: dict[str, bytes]
    pairs: Pairs


class Unread(Exception):  # noqa: N818 - the operator is told so, as an answer
    """The platform did not say what it has; the text holds the status."""


def authorization(file: Path) -> bytes:
    """The credentials in a file: `user:password`, or a whole value for `Authorization`. Raises ConfigError, OSError."""
    text = file.read_bytes().strip()
    scheme, blank, _ = text.partition(b" ")
    if text.isascii() and b"\n" not in text:
        if blank and b":" not in scheme:
            return text
        if b":" in text and not blank:
            return b"Basic " + base64.b64encode(text)
    raise ConfigError(f"{file}: holds no credentials; write user:password, or what goes into Authorization")


def look_up(
    config: Config, mapping: CompiledMapping, entry: Entry, key: str, credentials: bytes
) -> list[Times]:
    """The records that the version which was written to has under this key, at most a page of them.

    Raises Unread, UpstreamFailed, Untranslatable, and ConfigError where the mapping declares no way to read it.
    """
    written = mapping.endpoints.get(entry.endpoint)
    if written is None:
        raise ConfigError(
            f"{entry.endpoint}: the mapping has no such endpoint, so there is no way to look it up"
        )
    reading = _reading(mapping, written, key)
    headers: Headers = [(b"Accept", b"application/json"), (b"Authorization", credentials)]
    answer = asyncio.run(_asked(config, mapping, entry.version, reading, headers))
    if answer.status == 404:
        return []
    if answer.status != 200:
        raise Unread(f"the platform answered {answer.status}")
    try:
        return list(_found(reading.endpoint, written, answer.body))
    except (Refused, KeyError):
        raise Unread("the platform's answer cannot be read") from None


def _reading(mapping: CompiledMapping, written: Endpoint, key: str) -> Reading:
    """How v2 reads what was written: the same path, or the list that can be asked for a key."""
    record = written.record
    held = quote(key, safe="").encode()
    reads = [one for one in mapping.endpoints.values() if not one.is_write and one.record == record]
    for one in reads:
        if one.v2_path == written.v2_path and f"{{{record.path}}}" in one.v2_path:
            return Reading(one, {record.path: held}, [])
    for one in reads:
        if record.query.encode() in one.plans[""].query.parameters:
            whole: Pairs = [
                (name, value) for name, value, _ in one.cases
            ]  # the case in which records come whole
            return Reading(one, {}, [(record.query.encode(), held), *whole])
    raise ConfigError(f"{written.id}: the mapping declares no way to read such a record")


async def _asked(
    config: Config, mapping: CompiledMapping, version: str, reading: Reading, headers: Headers
) -> Answer:
    engine = engine_of(config, "v2" if version == "v2" else "v2_1")
    endpoint, path, pairs = reading
    try:
        if version == "v2":
            target = fill(endpoint.v2_path, path) + (b"?" + join(pairs) if pairs else b"")
            return await engine.send(Call("GET", target, for_upstream(headers, new())))
        asked = Asked(endpoint, path, pairs, for_translated(headers, new(), has_body=False), b"")
        return (await drive(exchange(mapping, asked), engine)).answer
    finally:
        await engine.close()


def _found(endpoint: Endpoint, written: Endpoint, body: bytes) -> Iterator[Times]:
    schema, record = endpoint.schemas[200], written.schemas[min(written.schemas)]
    array = next((name for name, member in schema.members.items() if member.items is not None), None)
    members = open_object(body)
    if reads_one := array is None or (endpoint.v2_path == written.v2_path and "{" in endpoint.v2_path):
        yield _times(record, members)
    if array is not None and not reads_one:
        for element in open_array(members[array]):
            yield _times(record, open_object(element))


def _times(schema: Schema, members: Mapping[str, Raw]) -> Times:
    """Times only: nothing else of a record is shown."""
    return {
        name: bytes(members[name]).decode("ascii", "replace").strip('"')
        for name, member in schema.members.items()
        if member.codec == "timestamp" and name in members
    }
