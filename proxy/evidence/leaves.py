"""Two single values against each other: whether they mean the same, and if not, in what way they differ."""

from __future__ import annotations

from decimal import Decimal

from proxy.evidence.difference import DifferenceKind
from proxy.json import Kind, Token, equal_numbers, text_of
from proxy.mapping.codecs import Codec, instant
from proxy.mapping.contract import Schema

_LONGEST = 40
"""Characters of a number that is still weighed for precision; a longer one is no amount of anything."""


def leaf_kind(what: Kind, schema: Schema, codec: Codec, v2: bytes, ours: bytes) -> DifferenceKind | None:
    """How two values that are both of the kind `what` differ for a caller; `None` when they mean the same.

    `format`: one number in two spellings. `precision`: they agree as far as the coarser one goes. `enum`: a word that
    the contract does not list on at least one side.
    """
    if codec.same(v2, ours):
        return None
    if what is Kind.NUMBER:
        return _number_kind(v2, ours)
    if what is not Kind.STRING:
        return "value"
    if schema.enum and not {text_of(v2), text_of(ours)} <= set(schema.enum):
        return "enum"
    return "precision" if _seconds_agree(v2, ours) else "value"


def identity(codec: Codec, token: Token) -> str | None:
    """What a key member says in the caller's dialect, so that both sides' links to one record are one key."""
    said = bytes(token)
    return text_of(codec.back(said)) if said[:1] == b'"' else None


def stamps_differ(codec: Codec, v2: bytes, ours: bytes) -> bool:
    """Whether two stamps are both times, and not the same one."""
    return not codec.same(v2, ours) and instant(v2) is not None and instant(ours) is not None


def _seconds_agree(v2: bytes, ours: bytes) -> bool:
    left, right = instant(v2), instant(ours)
    return (
        left is not None and right is not None and left.replace(microsecond=0) == right.replace(microsecond=0)
    )


def _number_kind(v2: bytes, ours: bytes) -> DifferenceKind:
    """Whether they differ by less than one unit in the last decimal place of the coarser one, or only as floats do."""
    if max(len(v2), len(ours)) > _LONGEST or b"e" in (v2 + ours).lower():
        return "format" if equal_numbers(v2, ours) else "value"
    left, right = Decimal(v2.decode()), Decimal(ours.decode())
    if left == right:
        return "format"
    if len(v2) > 15 and float(v2) == float(ours):
        return "precision"
    places = _places(v2), _places(ours)
    if places[0] == places[1]:
        return "value"
    return "precision" if abs(left - right) < Decimal(1).scaleb(-min(places)) else "value"


def _places(number: bytes) -> int:
    return len(number.partition(b".")[2])
