"""Documents opened no further than a comparison needs them: most of two answers that are compared is the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec import Raw

from proxy.json import Kind, kind, open_array, open_object

_NOTHING = Raw()


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


@cache
def key_reader(name: str) -> Callable[[Raw], Raw]:
    """Reads the member with this name out of an element, and nothing else of it; empty bytes where there is none."""
    made = msgspec.defstruct("Keyed", [("key", Raw, _NOTHING)], rename={"key": name}, gc=False)
    read: Callable[[Raw], Any] = msgspec.json.Decoder(made).decode

    def key_of(element: Raw) -> Raw:
        found: Raw = read(element).key if kind(element) is Kind.OBJECT else _NOTHING
        return found

    return key_of
