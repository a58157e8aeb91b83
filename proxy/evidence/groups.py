"""Short, stable names for kinds of divergence, so that thousands of lines can be counted as one thing."""

from __future__ import annotations

from base64 import b32encode
from hashlib import blake2b

from proxy.evidence.classify import Verdict
from proxy.evidence.difference import Difference


def group_ids(endpoint: str, verdict: Verdict) -> list[str]:
    """The groups of a comparison's unexpected differences, each once, in their order."""
    names = (group_id(endpoint, verdict.statuses, one) for one in verdict.differences if one.unexpected)
    return list(dict.fromkeys(names))


def group_id(endpoint: str, statuses: tuple[int | None, int | None], difference: Difference) -> str:
    """`g-` and six characters, from endpoint, status pair, pointer, kind and the pair of types: never from a value."""
    parts = (endpoint, *statuses, difference.pointer, difference.kind, difference.v2, difference.v2_1)
    digest = blake2b("\0".join(map(str, parts)).encode(), digest_size=5).digest()
    return "g-" + b32encode(digest).decode().lower()[:6]
