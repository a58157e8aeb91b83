"""JSON tokens as they were spelled, and the checks that a token can be put to."""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from datetime import UTC, datetime
from typing import Any, TypeAlias

import msgspec

from proxy.emulator.problems import Problem

NULL = b"null"
Check: TypeAlias = tuple[Callable[[bytes], bool], str]
"""Whether a token will do, and how a refusal goes on after the member's name."""


class _Identifier(msgspec.Struct):
    provider: str
    id: str


def members_of(body: bytes) -> dict[str, bytes]:
    """The members of a JSON object as raw tokens; Problem 400 for anything else."""
    try:
        body.decode()
        return {
            name: bytes(raw) for name, raw in msgspec.json.decode(body, type=dict[str, msgspec.Raw]).items()
        }
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        raise Problem(400, "The request body is not a JSON object that can be read.") from error


def text_of(token: bytes) -> str | None:
    """The text of a JSON string token, None for any other token."""
    text: str | None = read_as(token, str)
    return text


def read_as(token: bytes, kind: Any) -> Any:
    """The token as a value of this type, None when it is none."""
    try:
        return msgspec.json.decode(token, type=kind)
    except msgspec.DecodeError:
        return None


def instant(token: bytes) -> datetime | None:
    """The UTC time in a JSON string token, None when it is no date-time; no zone means UTC."""
    text = text_of(token) or ""
    try:
        when = datetime.fromisoformat(text) if "T" in text else None
        return when and (when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def identifiers_in(token: bytes) -> list[str] | None:
    """Provider and id of each identifier, as one text each; None when they are no identifiers (F§2.4)."""
    found: list[_Identifier] | None = read_as(token, list[_Identifier])
    return None if found is None else [f"{one.provider}/{one.id}" for one in found]


def one_of(words: Container[str | None], text: str) -> Check:
    """A check for a closed list."""
    return lambda token: text_of(token) in words, text


def matching(pattern: str, text: str) -> Check:
    """A check of a text as a whole."""
    return lambda token: re.fullmatch(pattern, text_of(token) or "") is not None, text


TEXT: Check = (lambda token: text_of(token) is not None, "must be a string.")
TEXTS: Check = (lambda token: read_as(token, list[str]) is not None, "must be an array of strings.")
NUMBER: Check = (lambda token: token[:1] in b"-0123456789", "must be a number.")
WHOLE: Check = (lambda token: re.fullmatch(rb"-?[0-9]+", token) is not None, "must be an integer.")
INSTANT: Check = (lambda token: instant(token) is not None, "must be a date-time.")
CURRENCY: Check = matching("[A-Z]{3}", "must be three upper-case letters.")
LANGUAGE: Check = matching("[A-Z]{2}", "must be two upper-case letters.")
NAME: Check = (
    lambda token: (text := text_of(token)) is not None and len(text) <= 128,
    "must be a string of at most 128 characters.",
)
IDENTIFIERS: Check = (
    lambda token: identifiers_in(token) is not None,
    "must be an array of objects, each with provider and id.",
)
OBJECTS: Check = (
    lambda token: read_as(token, list[dict[str, Any]]) is not None,
    "must be an array of objects.",
)
