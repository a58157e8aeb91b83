"""What traffic hands over after it has answered: one immutable snapshot, and the cheap choice whether to make one."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from proxy.evidence.kinds import EvidenceKind
from proxy.exchange import Asked
from proxy.mapping.endpoint import Endpoint
from proxy.mapping.nodes import Firing
from proxy.types import Answer, Headers

_RING = 1 << 64
_FIXED = 512
"""Bytes that a snapshot takes besides what it holds; a firing or a header line takes about a quarter of that."""


class Observation(msgspec.Struct, frozen=True, gc=False):
    """One answered call, for comparing.

    `answer` is what the caller got, whole and in the caller's dialect, before hop-by-hop fields were taken away.
    `record` is the keyed name of the record, empty where the call names none. `trace` and `untranslated` come from the
    exchange that gave the answer, and are empty for v2's own, as is `native`, v2.1's own answer. `asked` is the request,
    ready for v2.1; a contract check has no use for it.
    """

    evidence: EvidenceKind
    endpoint: Endpoint
    stage: str
    caller: str
    record: str
    request_id: str
    answer: Answer
    trace: Sequence[Firing] = ()
    untranslated: str = ""
    native: Answer | None = None
    asked: Asked | None = None
    route: str = ""
    """The key of the route entry that the call came under; empty where none matched."""
    seconds: float = 0.0
    """How long the version that answered took."""

    @property
    def size(self) -> int:
        """Bytes that it holds in memory, about: what the bound of the queue counts."""
        size = _FIXED + len(self.answer.body) + _size(self.answer.headers)
        if self.native is not None and self.native.body is not self.answer.body:
            size += len(self.native.body) + _size(self.native.headers)
        if self.asked is not None:
            size += len(self.asked.body) + _size(self.asked.headers)
        for firing in self.trace:
            size += _FIXED // 4 + len(firing.before or b"") + len(firing.after or b"")
        return size


def wants(salt: bytes, name: str, sample: float) -> bool:
    """Whether a request belongs to the sample (a share, 0 to 1); decided by its record or its request id.

    The same name and salt always give the same answer, and a larger sample holds the smaller one.
    """
    if sample >= 1:
        return True
    place = int.from_bytes(blake2b(name.encode(errors="surrogatepass"), digest_size=8, key=salt).digest())
    return place < sample * _RING


def _size(headers: Headers) -> int:
    return sum(_FIXED // 4 + len(name) + len(value) for name, value in headers)
