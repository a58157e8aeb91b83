"""v2's error body, filled from the template in the mapping files: for translated errors and for our own.

`status` and `code` are always integers, whatever v2.1 writes there, since public v2 clients read integers (F§4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec import Raw

from proxy.errors import CrossfadeError
from proxy.json import Kind, check_document, kind, open_object, render, token_of
from proxy.mapping.model import ErrorMember, ErrorTemplate, Setting, chosen


@dataclass(frozen=True)
class ErrorShape:
    """The members of an error body in order, as the operator's switches leave them."""

    members: Sequence[ErrorMember]
    link: str

    @classmethod
    def compiled(cls, template: ErrorTemplate, compat: Mapping[str, Setting]) -> ErrorShape:
        """The template with the members that the switches ask for."""
        members = [
            one
            for one in template.member
            if all(chosen(compat, name, f"error.{one.name}") in allowed for name, allowed in one.when.items())
        ]
        return cls(members, template.link)

    def own(self, status: int, message: str, detail: str) -> bytes:
        """A body for a fault of our own."""
        return self._fill(status, {"message": token_of(message), "detail": token_of(detail)}, {})

    def translated(self, status: int, body: bytes) -> bytes:
        """v2's body for a v2.1 error; members that v2 does not know stay; no JSON at all becomes a plain error."""
        try:
            check_document(body)
            native: dict[str, Raw] = open_object(body)
        except CrossfadeError:
            text = "The platform answered with an error that is not JSON."
            return self.own(status, text, text)
        known = {name for one in self.members for name in (one.name, *one.source)}
        rest = {name: value for name, value in native.items() if name not in known}
        values = {
            one.name: value for one in self.members if (value := _first_text(native, one.source)) is not None
        }
        return self._fill(status, values, rest)

    def _fill(self, status: int, values: Mapping[str, Raw], rest: Mapping[str, Raw]) -> bytes:
        filled: dict[str, Raw] = {}
        for one in self.members:
            if one.value == "status":
                filled[one.name] = Raw(b"%d" % status)
            else:
                filled[one.name] = values.get(one.name) or values.get(one.value) or self._default(one)
        return render({**filled, **rest})

    def _default(self, member: ErrorMember) -> Raw:
        return token_of(self.link if member.value == "link" else "The platform gave no reason.")


def _first_text(native: Mapping[str, Raw], names: Sequence[str]) -> Raw | None:
    return next(
        (native[name] for name in names if name in native and kind(native[name]) is Kind.STRING), None
    )
