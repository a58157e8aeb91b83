"""The record of what reached the platform."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_SECRET = {b"authorization", b"cookie", b"proxy-authorization"}


@dataclass(frozen=True)
class Recorded:
    """One received request; header names in lower case, as the server gives them, order and repeats kept."""

    method: str
    target: bytes = field(repr=False)
    headers: list[tuple[bytes, bytes]] = field(repr=False)
    body: bytes = field(repr=False)

    def header(self, name: str) -> str:
        """The first value of a header, "" when there is none."""
        return next(
            (value.decode("latin-1") for key, value in self.headers if key == name.lower().encode()), ""
        )

    def shown(self) -> dict[str, Any]:
        """The request as a JSON object, without credentials."""
        pairs = [(name, b"(hidden)" if name in _SECRET else value) for name, value in self.headers]
        return {
            "method": self.method,
            "target": self.target.decode("latin-1"),
            "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in pairs],
            "body": self.body.decode("utf-8", "replace"),
        }
