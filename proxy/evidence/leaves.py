"""Two single values against each other: whether they mean the same, and if not, in what way they differ."""

from __future__ import annotations

from decimal import Decimal

from proxy.evidence.difference import DifferenceKind
from proxy.json import Kind, Token, kind, text_of
from proxy.mapping.codecs import Codec, instant, number_format_differs
from proxy.mapping.contract import Schema

_LONGEST = 40
"""Characters of a number that is still weighed for precision; a longer one is no amount of anything."""


def leaf_kind(schema: Schema, codec: Codec, v2: bytes, ours: bytes) -> DifferenceKind | None:
    """How two values of one JSON kind differ for a caller; `None` when they mean the same.

    `format`: one number in two spellings. `precision`: they agree as far as the coarser one goes. `enum`: a word that
    the contract does not list on at least one side.
    """
    if v2 == ours or codec.same(v2, ours):
        return None
    match kind(v2):
        case Kind.NUMBER:
            if number_format_differs(v2, ours):
                return "format"
            return "precision" if _numbers_agree(v2, ours) else "value"
        case Kind.STRING:
            if schema.enum and not {text_of(v2), text_of(ours)} <= set(schema.enum):
                return "enum"
            return "precision" if _seconds_agree(v2, ours) else "value"
        case _:
            return "value"


def identity(codec: Codec, token: Token) -> str | None:
    """What a key member says in the caller's dialect, so that both sides' links to one record are one key."""
    return text_of(codec.back(bytes(token))) if kind(token) is Kind.STRING else None


def stamps_differ(codec: Codec, v2: bytes, ours: bytes) -> bool:
    """Whether two stamps are both times, and not the same one."""
    return not codec.same(v2, ours) and instant(v2) is not None and instant(ours) is not None


def _seconds_agree(v2: bytes, ours: bytes) -> bool:
    left, right = instant(v2), instant(ours)
    return (
        left is not None and right is not None and left.replace(microsecond=0) == right.replace(microsecond=0)
    )


def _numbers_agree(v2: bytes, ours: bytes) -> bool:
    """Whether they differ by less than one unit in the last decimal place of the coarser one, or only as floats do."""
    if max(len(v2), len(ours)) > _LONGEST or set(v2 + ours) & set(b"eE"):
        return False
    if len(v2) > 15 and float(v2) == float(ours):
        return True
    coarser = min(len(v2.partition(b".")[2]), len(ours.partition(b".")[2]))
    finer = max(len(v2.partition(b".")[2]), len(ours.partition(b".")[2]))
    return finer > coarser and abs(Decimal(v2.decode()) - Decimal(ours.decode())) < Decimal(1).scaleb(
        -coarser
    )
