"""Which kinds of evidence an answered call gives: the table of the design, and nothing else.

    who answered   shadow                       canary                       live
    v2, a read     shadow_read                  shadow_read                  -
    v2, a write    translate_only, read_back    translate_only, read_back    -
    v2.1, a read   -                            contract, reverse_shadow     contract, reverse_shadow
    v2.1, a write  -                            contract, read_back          contract, read_back

Stage `v2` gives none, stage `v2.1` the contract check alone: from there on v2 is never called. No kind repeats a write.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from proxy.types import Version

EvidenceKind: TypeAlias = Literal["contract", "shadow_read", "reverse_shadow", "translate_only", "read_back"]
"""`contract`: v2.1's translated answer against v2's contract. `shadow_read`: v2's answer against v2.1's to the same read.
`reverse_shadow`: v2.1's answer against v2's to the same read. `translate_only`: whether a write that v2 answered could have
gone to v2.1. `read_back`: the record that a write has left, read through both."""

FREE: tuple[EvidenceKind, ...] = ("contract",)
"""Kinds that are made of every call: they cost neither a call nor a copy, and come first. Others are made of the sample."""

_V2_READ: tuple[EvidenceKind, ...] = ("shadow_read",)
_V2_WRITE: tuple[EvidenceKind, ...] = ("translate_only", "read_back")
_V2_1_READ: tuple[EvidenceKind, ...] = ("contract", "reverse_shadow")
_V2_1_WRITE: tuple[EvidenceKind, ...] = ("contract", "read_back")

_TABLE: dict[tuple[str, Version, bool], tuple[EvidenceKind, ...]] = {
    ("shadow", Version.V2, False): _V2_READ,
    ("shadow", Version.V2, True): _V2_WRITE,
    ("canary", Version.V2, False): _V2_READ,
    ("canary", Version.V2, True): _V2_WRITE,
    ("canary", Version.V2_1, False): _V2_1_READ,
    ("canary", Version.V2_1, True): _V2_1_WRITE,
    ("live", Version.V2_1, False): _V2_1_READ,
    ("live", Version.V2_1, True): _V2_1_WRITE,
    ("v2.1", Version.V2_1, False): ("contract",),
    ("v2.1", Version.V2_1, True): ("contract",),
}


def kinds(stage: str, version: Version, *, writes: bool, status: int) -> tuple[EvidenceKind, ...]:
    """The kinds for a call that was answered with this status; what failed or was refused left nothing to read again."""
    found = _TABLE.get((stage, version, writes), ())
    if writes and status >= 300:
        return tuple(one for one in found if one != "read_back")
    if status >= 500 or status == 429:
        return tuple(one for one in found if one != "reverse_shadow")
    return found
