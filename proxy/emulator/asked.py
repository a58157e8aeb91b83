"""A call and its answer, and what every call reads the same way: body, page, filters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from proxy.emulator.bodies import Draft, read_body
from proxy.emulator.kinds import Kind
from proxy.emulator.pages import Page
from proxy.emulator.platform import Platform
from proxy.emulator.problems import Problem
from proxy.emulator.shapes import Listed, View
from proxy.emulator.switches import Switches, Version


@dataclass(frozen=True)
class Asked:
    """One authenticated call; `segments` is the path below the version, `client` the client key.

    `host` is the name under which the platform was called.
    """

    version: Version
    method: str
    segments: tuple[str, ...]
    query: Mapping[str, str]
    raw_query: str
    body: bytes = field(repr=False)
    content_type: str
    client: str = field(repr=False)
    host: str
    now: datetime

    def json(self, switches: Switches) -> bytes:
        """The body, if its label will do; Problem 415 or 500."""
        media = self.content_type.partition(";")[0].strip().lower()
        rule = switches.v2_content_type if self.version == "v2" else switches.v2_1_content_type
        if rule != "any" and media != "application/json":
            raise Problem(int(rule), "The content type must be application/json.")
        return self.body

    def draft(self, kind: Kind, switches: Switches, *, required: bool) -> Draft:
        """The body as a resource of this kind; Problem 400, 415."""
        return read_body(kind, self.version, self.json(switches), switches, required=required)

    def page(self, switches: Switches) -> Page:
        """Offset from 0, limit from 1 to 100, 10 unless told (F§2.6)."""
        offset, limit = self._count("offset", 0, 0), self._count("limit", 10, 1)
        rule = switches.v2_limit if self.version == "v2" else switches.v2_1_limit
        if limit > 100 and rule == "refuse":
            raise Problem(400, "limit: must be at most 100.")
        return Page(offset, min(limit, 100))

    def _count(self, name: str, default: int, least: int) -> int:
        text = self.query.get(name, str(default))
        if not (text.isascii() and text.isdigit() and len(text) < 10) or int(text) < least:
            raise Problem(400, f"{name}: must be a whole number, at least {least}.")
        return int(text)


@dataclass(frozen=True)
class Said:
    """The answer: a JSON object or an HTML page (None for no body), and headers beside the usual ones."""

    status: int
    body: dict[str, Any] | str | None = None
    headers: tuple[tuple[str, str], ...] = ()


Handler: TypeAlias = Callable[[Platform, View, Asked], Said]
Methods: TypeAlias = Mapping[str, Handler]
"""What a path can be asked, in the order in which Allow names it."""


def demands(switches: Switches, method: str) -> bool:
    """Whether a v2.1 update by this method must carry the required members."""
    return switches.v2_1_update_required == "both" or (
        switches.v2_1_update_required == "put" and method == "PUT"
    )


def collection(
    view: View, path: str, things: Sequence[Listed], asked: Asked, filters: Mapping[str, str]
) -> Said:
    """A page of a list, as the query wants it."""
    extra = {name: asked.query[name] for name in ("expand", "sort") if name in asked.query}
    page = asked.page(view.platform.switches)
    expand = extra.get("expand") == "true"
    return Said(200, view.collection(path, things, page, {**filters, **extra}, expand=expand))
