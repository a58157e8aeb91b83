"""Documents opened no further than a comparison needs them: most of two answers that are compared is the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Raw

from proxy.json import Kind, kind, member_reader, open_array, open_object


class Native:
    """The members of v2.1's own object, opened when one is asked for: where the answers agree, none is."""

    __slots__ = ("_members", "_value")

    def __init__(self, value: Raw | None) -> None:
        self._value = value
        self._members: Mapping[str, Raw] | None = None

    def get(self, name: str) -> Raw | None:
        """The member with this name; `None` where there is none, or no object."""
        if self._members is None:
            value = self._value
            self._members = open_object(value) if value is not None and kind(value) is Kind.OBJECT else {}
        return self._members.get(name)


def elements_of(native: Raw | None) -> Sequence[Raw | None]:
    """The elements of v2.1's own array; none where there is no array."""
    return open_array(native) if native is not None and kind(native) is Kind.ARRAY else ()


def key_of(element: Raw, name: str) -> Raw | None:
    """The member with this name out of an element, and nothing else of it; `None` where there is none."""
    if kind(element) is not Kind.OBJECT:
        return None
    return member_reader(name)(element) or None
