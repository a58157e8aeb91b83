"""Documents opened no further than a comparison needs them: most of two answers that are compared is the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import msgspec
from msgspec import Raw

from proxy.json import Kind, kind, member_reader, open_array, open_object


class Native(msgspec.Struct, gc=False):
    """v2.1's own value at a place, looked for when it is asked for: where the answers agree, none is.

    `look` finds it, and gives `None` where v2.1 has nothing.
    """

    look: Callable[[], Raw | None]
    _inside: dict[str, Raw] | list[Raw] | None = None

    def member(self, name: str) -> Native:
        """The member with this name; nothing where this is no object."""
        return Native(partial(self._member, name))

    def element(self, index: int, count: int) -> Native:
        """One element; nothing where this is no array of so many elements."""
        return Native(partial(self._element, index, count))

    def _member(self, name: str) -> Raw | None:
        inside = self._opened()
        return inside.get(name) if isinstance(inside, dict) else None

    def _element(self, index: int, count: int) -> Raw | None:
        inside = self._opened()
        return inside[index] if isinstance(inside, list) and len(inside) == count else None

    def _opened(self) -> dict[str, Raw] | list[Raw]:
        if self._inside is None:
            value = self.look()
            what = None if value is None else kind(value)
            if value is not None and what is Kind.OBJECT:
                self._inside = open_object(value)
            else:
                self._inside = open_array(value) if value is not None and what is Kind.ARRAY else []
        return self._inside


_ONLY_TEXT = re.compile(rb'\{"([^"\\]*+)":("[^"\\]*+")\}')


def only_text(value: Raw) -> tuple[str, bytes] | None:
    """Name and token of the only member of an object that is a text without escapes; `None` for any other object."""
    match = _ONLY_TEXT.fullmatch(value)
    return None if match is None else (match[1].decode(), match[2])


def key_reader(name: str) -> Callable[[Raw], Raw | None]:
    """Reads the member with this name out of an element, and nothing else of it; `None` where there is none."""
    read = member_reader(name)

    def key_of(element: Raw) -> Raw | None:
        try:
            return read(element) or None
        except msgspec.ValidationError:
            return None  # it is no object

    return key_of
