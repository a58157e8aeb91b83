"""Collections: which part is wanted, and the links to the other parts (F§2.6, F§3.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

_LINKS = {
    "none": (),
    "first-last": ("first", "last"),
    "first-last-next": ("first", "last", "next"),
    "all": ("first", "last", "next", "previous"),
}


@dataclass(frozen=True)
class Page:
    """Which part of a collection is wanted; counts in things."""

    offset: int = 0
    limit: int = 10

    @property
    def part(self) -> slice:
        """Where it lies in the whole."""
        return slice(self.offset, self.offset + self.limit)


def expanded(expand: str | None) -> dict[str, Page]:
    """The names in an `expand` with the part that each one wants: `a,b(offset:0,limit:100)` (F§2.6)."""
    wanted = {}
    for name, options in re.findall(r"(\w+)(?:\(([^)]*)\))?", expand or ""):
        counts = {key: int(value) for key, value in re.findall(r"(offset|limit):(\d{1,9})\b", options)}
        wanted[name] = Page(counts.get("offset", 0), min(counts.get("limit", 10), 100))
    return wanted


def page_href(href: str, offset: int, limit: int, query: Mapping[str, str]) -> str:
    """The link to a page: offset, limit, then the rest of the query (F§2.6)."""
    rest = "".join(f"&{name}={quote(value, safe='')}" for name, value in query.items())
    return f"{href}?offset={offset}&limit={limit}{rest}"


def paging_links(href: str, page: Page, query: Mapping[str, str], total: int, style: str) -> dict[str, Any]:
    """The links to the other pages in this style; one that leads nowhere is left out."""
    offsets = {"first": 0, "last": max(total - 1, 0) // page.limit * page.limit}
    if page.offset + page.limit < total:
        offsets["next"] = page.offset + page.limit
    if page.offset > 0:
        offsets["previous"] = max(page.offset - page.limit, 0)
    return {
        name: {"href": page_href(href, offsets[name], page.limit, query)}
        for name in _LINKS[style]
        if name in offsets
    }
