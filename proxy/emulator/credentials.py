"""Who is calling: HTTP Basic, client key and API token (F§5)."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from typing import Literal, TypeAlias

from proxy.emulator.problems import UNAUTHORIZED, Problem

Accounts: TypeAlias = Mapping[str, str] | Literal["any"]
"""Client key to API token; "any" takes every pair of two non-empty words."""


def client_of(authorization: str, accounts: Accounts) -> str:
    """The client key of a valid credential; Problem 401 for any other (RFC 7617 §2)."""
    scheme, _, coded = authorization.partition(" ")
    try:
        key, colon, token = base64.b64decode(coded.strip(), validate=True).decode().partition(":")
    except ValueError:  # no base64, not ASCII, or not UTF-8 inside
        key = colon = token = ""
    if scheme.lower() == "basic" and colon and key and token:
        expected = token if accounts == "any" else accounts.get(key, "")
        if hmac.compare_digest(token.encode(), expected.encode()):
            return key
    raise Problem(401, UNAUTHORIZED, headers=(("www-authenticate", 'Basic realm="platform"'),))
