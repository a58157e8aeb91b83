"""Which keys fall into a share of traffic: the same key and salt always give the same answer.

A key's place on the ring [0, 1) does not depend on the percentage, and a share is always its beginning,
so raising it adds keys and moves none back. Buckets and samples have salts of their own; with one salt, a
sample would hold keys of one version only. Both derive from the identity key: replicas that share it agree.
"""

from __future__ import annotations

from hashlib import blake2b

_RING = 1 << 64


def salts(identity_key: bytes) -> tuple[bytes, bytes]:
    """The salt of buckets and the salt of samples, 32 bytes each."""
    return _derived(identity_key, b"bucket"), _derived(identity_key, b"sample")


def in_share(salt: bytes, sticky_key: bytes, percent: float) -> bool:
    """Whether a key is in the given percentage of keys: 0 holds none, 100 all."""
    place = int.from_bytes(blake2b(sticky_key, digest_size=8, key=salt).digest())
    return place < percent / 100 * _RING


def _derived(identity_key: bytes, purpose: bytes) -> bytes:
    # blake2b takes keys up to 64 bytes; an identity key that was brought along may be longer.
    root = blake2b(identity_key, digest_size=32, person=b"crossfade-salts").digest()
    return blake2b(purpose, digest_size=32, key=root).digest()
