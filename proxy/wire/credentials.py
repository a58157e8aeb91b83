"""Who is calling, and which record is meant, without writing down either.

`Authorization` is handed on and otherwise only hashed with a key. Only the user name goes into the hash, so
that a changed password leaves a caller the same; the key is needed because names are few and easily tried.
Each use has its own prefix: the hash of a name in one place says nothing about the same text in another.
"""

from __future__ import annotations

import binascii
import hmac
from functools import lru_cache

ANONYMOUS = "anonymous"
"""The id of a caller whose request names no user."""

ID_LENGTH = 12
"""Hexadecimal digits of every id: 48 bits, so that even ten thousand callers will not share one."""

_REMEMBERED = 1024


class CallerIds:
    """Short, stable ids for callers: HMAC-SHA256 of the user name under `key`, its first `ID_LENGTH` digits.

    Remembers the last thousand headers, since the same few callers send nearly all requests. Shows nothing
    of them.
    """

    __slots__ = ("_ids", "_key")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._ids: dict[bytes, str] = {}

    def of(self, authorization: bytes | None) -> str:
        """The id of the caller that sent this `Authorization`; `ANONYMOUS` if it names no user."""
        if authorization is None:
            return ANONYMOUS
        known = self._ids.get(authorization)
        if known is None:
            user = user_of(authorization)
            known = ANONYMOUS if user is None else self.of_user(user)
            if len(self._ids) >= _REMEMBERED:
                del self._ids[next(iter(self._ids))]
            self._ids[authorization] = known
        return known

    def of_user(self, user: bytes) -> str:
        """The id of the caller with this user name."""
        return _keyed(self._key, b"caller", user)

    def __repr__(self) -> str:
        return "CallerIds()"


def user_of(authorization: bytes) -> bytes | None:
    """The user name of a Basic credential (RFC 7617 §2), or `None` where there is none.

    Tolerant as servers are: any case of the scheme, more than one space, missing padding.
    """
    scheme, _, encoded = authorization.strip().partition(b" ")
    if scheme.lower() != b"basic":
        return None
    encoded = encoded.strip().rstrip(b"=")
    try:
        credential = binascii.a2b_base64(encoded + b"=" * (-len(encoded) % 4))
    except binascii.Error:
        return None
    user, colon, _ = credential.partition(b":")
    return user if colon and user else None


def record_name(key: bytes, text: str) -> str:
    """What a record is called in logs and evidence: a keyed hash of its key in the API."""
    return _keyed(key, b"record", text.encode(errors="surrogatepass"))


def member_name(key: bytes, text: str) -> str:
    """What an unknown JSON member is called in logs and evidence: a keyed hash of its name."""
    return _keyed(key, b"member", text.encode(errors="surrogatepass"))


def _keyed(key: bytes, use: bytes, text: bytes) -> str:
    mac = _begun(key, use).copy()  # a third of the time that beginning anew takes
    mac.update(text)
    return mac.hexdigest()[:ID_LENGTH]


@lru_cache(maxsize=16)
def _begun(key: bytes, use: bytes) -> hmac.HMAC:
    return hmac.new(key, use + b"\0", "sha256")
