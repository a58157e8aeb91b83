"""Codecs: tiny two-way classes, one for each type of leaf that the two versions write differently.

A codec sees one JSON token at a time and answers with the other side's token, or with the very same object when there is
nothing to do. It also knows when two answers *mean* the same, and which differences it has declared: that is what the
comparison of the two versions asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Protocol

from proxy.errors import Fault, Refused
from proxy.json import equal_numbers, text_of, token_of
from proxy.mapping.links import Links
from proxy.mapping.model import Entry


class Codec(Protocol):
    """What every leaf type offers. Tokens are JSON values as bytes."""

    @property
    def rule(self) -> str:
        """The id under which it is declared in the mapping files."""
        ...

    def back(self, token: bytes) -> bytes:
        """v2.1's token as a v2 caller reads it; the same object when nothing changes."""
        ...

    def forward(self, token: bytes) -> bytes:
        """A v2 caller's token as v2.1 wants it; the same object when nothing changes."""
        ...

    def same(self, v2: bytes, ours: bytes) -> bool:
        """Whether v2's own token and our translated one mean the same to a caller."""
        ...

    def rule_for(self, native: bytes) -> str:
        """The id of the rule that speaks for this v2.1 token."""
        ...

    def explains(self, v2: bytes, native: bytes, ours: bytes) -> bool:
        """Whether a difference between v2's token and ours is the loss that this codec declares."""
        ...


@dataclass(frozen=True)
class Plain:
    """A leaf that both versions write alike; a number equals another of the same value."""

    rule: str = ""

    def back(self, token: bytes) -> bytes:
        """Nothing to do."""
        return token

    def forward(self, token: bytes) -> bytes:
        """Nothing to do."""
        return token

    def same(self, v2: bytes, ours: bytes) -> bool:
        """Token for token: `30.6` and `30.60` are a difference of format, which the comparison names."""
        if v2 == ours or not (b"\\" in v2 or b"\\" in ours):
            return v2 == ours  # without escapes one text has one spelling
        return v2[:1] == b'"' == ours[:1] and text_of(v2) == text_of(ours)

    def rule_for(self, native: bytes) -> str:
        """No rule speaks for a plain leaf."""
        return self.rule

    def explains(self, v2: bytes, native: bytes, ours: bytes) -> bool:
        """A plain leaf declares no loss."""
        return False


@dataclass(frozen=True)
class Href(Plain):
    """A link, which has one address per side (F§6.17)."""

    links: Links = field(kw_only=True)

    def back(self, token: bytes) -> bytes:
        """The platform's link as one to crossfade."""
        return self.links.back(token)

    def forward(self, token: bytes) -> bytes:
        """A caller's link as the platform's v2.1 link."""
        return self.links.forward(token)

    def same(self, v2: bytes, ours: bytes) -> bool:
        """Two links are the same when what follows base and version is the same."""
        return self.links.same(v2, ours)


_LARGEST = 30
"""Digits of a whole number that is written with an exponent; a longer one would fill memory."""


@dataclass(frozen=True)
class Whole(Plain):
    """A number that is whole in v2.1 and any number in v2 (F§6.13)."""

    def forward(self, token: bytes) -> bytes:
        """The whole number without a fraction or an exponent; raises `Refused` for one that is not whole."""
        if token[:1].strip(b"-0123456789") or not set(token) & set(b".eE"):
            return token
        whole = _whole(token)
        if whole is None:
            detail = "v2.1 takes whole numbers only here. Send one without a fraction."
            raise Refused(Fault.UNTRANSLATABLE, "{member}: must be a whole number.", detail, rule=self.rule)
        return b"%d" % whole

    def same(self, v2: bytes, ours: bytes) -> bool:
        """The same number, however it is written."""
        return v2 == ours or (v2[:1].strip(b"-0123456789") == b"" and equal_numbers(v2, ours))


def _whole(token: bytes) -> int | None:
    try:
        number = Decimal(token.decode())
    except InvalidOperation:
        return None  # an exponent that no number has
    return int(number) if number.adjusted() <= _LARGEST and number == number.to_integral_value() else None


_TIME = re.compile(rb'"(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d)?(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)"')
_V2_TIME = re.compile(rb'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z"')

_usual = _V2_TIME.fullmatch


@dataclass(frozen=True)
class Timestamp(Plain):
    """A time: v2 prints UTC with exactly three digits of a second (F§6.18)."""

    def back(self, token: bytes) -> bytes:
        """Cut or fill the part of a second to milliseconds, turn an offset into UTC; other texts pass."""
        usual = _usual(token)
        if usual:
            return token if usual.lastindex else token[:-2] + b'.000Z"'
        return _milliseconds(token) or token

    def same(self, v2: bytes, ours: bytes) -> bool:
        """The same instant, to the millisecond."""
        return v2 == ours or (self.back(v2) == self.back(ours) and _TIME.fullmatch(v2) is not None)

    def explains(self, v2: bytes, native: bytes, ours: bytes) -> bool:
        """v2.1 gave whole seconds only, and up to them both agree."""
        theirs, whole = self.back(v2), _TIME.fullmatch(native)
        return whole is not None and not whole[3] and len(theirs) == len(ours) and theirs[:20] == ours[:20]


def instant(token: bytes) -> datetime | None:
    """The instant that a timestamp token names, or `None` when it is not one that carries its zone."""
    match = _TIME.fullmatch(token)
    if match is None:
        return None
    minute, second, fraction, zone = (part.decode() if part else "" for part in match.groups())
    micro = (fraction + "000000")[:6]
    try:
        parsed = datetime.fromisoformat(
            f"{minute}{second or ':00'}.{micro}{'+00:00' if zone == 'Z' else zone}"
        )
        return parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _milliseconds(token: bytes) -> bytes | None:
    when = instant(token)
    if when is None:
        return None
    return f'"{when.replace(tzinfo=None).isoformat(timespec="milliseconds")}Z"'.encode()


class ValueTable:
    """A leaf with a closed list of values, some of which differ between the versions; all others pass."""

    def __init__(self, rule: str, entries: Iterable[Entry]) -> None:
        self.rule = rule
        back: dict[bytes, bytes] = {}
        forward: dict[bytes, bytes] = {}
        self._rules: dict[bytes, str] = {}
        for entry in entries:
            native, v2 = bytes(token_of(entry.v2_1)), bytes(token_of(entry.v2))
            back[native] = v2
            self._rules[native] = entry.id
            if entry.direction == "both":
                forward[v2] = native
        self._back: Mapping[bytes, bytes] = back
        self._forward: Mapping[bytes, bytes] = forward

    def speaks(self, *, forward: bool) -> bool:
        """Whether any value differs in this direction."""
        return bool(self._forward if forward else self._back)

    def back(self, token: bytes) -> bytes:
        """The caller's word for v2.1's."""
        return self._back.get(_plain(token), token)

    def forward(self, token: bytes) -> bytes:
        """v2.1's word for the caller's."""
        return self._forward.get(_plain(token), token)

    def same(self, v2: bytes, ours: bytes) -> bool:
        """The same word."""
        return _plain(v2) == _plain(ours)

    def rule_for(self, native: bytes) -> str:
        """The entry for this word, or the table."""
        return self._rules.get(_plain(native), self.rule)

    def explains(self, v2: bytes, native: bytes, ours: bytes) -> bool:
        """v2 itself prints the word that the table hides from callers."""
        return (
            _plain(v2) == _plain(native)
            and _plain(native) in self._back
            and ours == self._back[_plain(native)]
        )


def _plain(token: bytes) -> bytes:
    """The token without escapes, so that one word has one spelling."""
    return bytes(token_of(text_of(token))) if b"\\" in token and token.startswith(b'"') else token


def number_format_differs(v2: bytes, ours: bytes) -> bool:
    """Whether two number tokens differ in their writing only (`30.6` and `30.60`)."""
    return v2 != ours and equal_numbers(v2, ours)
