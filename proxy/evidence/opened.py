"""Documents opened no further than a comparison needs them: most of two answers that are compared is the same."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec
from msgspec import Raw

from proxy.json import Kind, kind, member_reader, open_array, open_object


class Native(msgspec.Struct, gc=False):
    """v2.1's own value at a place, looked for when it is asked for: where the answers agree, none is.

    `step` leads to it from the value `around` it: a member's name, or an element's index in an array of `count`.
    """

    around: Native | None = None
    step: str | int = ""
    count: int = 0
    inside: dict[str, Raw] | list[Raw] | None = None

    def look(self) -> Raw | None:
        """The value; `None` where v2.1 has nothing, or something else around it."""
        inside = None if self.around is None else self.around.opened()
        if isinstance(inside, dict) and isinstance(self.step, str):
            return inside.get(self.step)
        if isinstance(inside, list) and isinstance(self.step, int) and len(inside) == self.count:
            return inside[self.step]
        return None

    def opened(self) -> dict[str, Raw] | list[Raw]:
        """What is inside of it, opened once; nothing in a single value."""
        if self.inside is None:
            value = self.look()
            what = None if value is None else kind(value)
            if value is not None and what is Kind.OBJECT:
                self.inside = open_object(value)
            else:
                self.inside = open_array(value) if value is not None and what is Kind.ARRAY else []
        return self.inside


class NativeDocument(Native, gc=False):
    """v2.1's own document, which `read` finds."""

    read: Callable[[], Raw | None] = lambda: None

    def look(self) -> Raw | None:
        """The whole document; `None` where it cannot be read."""
        return self.read()


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
