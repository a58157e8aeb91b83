"""Links in requests: which resource of the platform one names, if it is one of the platform's at all."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import msgspec

from proxy.emulator.problems import Problem
from proxy.emulator.switches import Version
from proxy.emulator.tokens import read_as

HOSTS = frozenset(
    {
        *(f"api-engage-{region}.sitecorecloud.io" for region in ("eu", "us", "ap", "jpe")),
        *("api.boxever.com", "api-us.boxever.com", "api-ap-southeast-2-production.boxever.com"),
    }
)
"""The platform's public hosts, today's and the older ones (F§5)."""


class _Link(msgspec.Struct):
    href: str


class _Links(msgspec.Struct):
    items: list[_Link]


@dataclass(frozen=True)
class Linking:
    """How links are read: the platform's own addresses, the version spoken, and how strict (switch `links`)."""

    own: tuple[str, ...]
    version: Version
    rule: str

    def one(self, name: str, path: str, token: bytes) -> str:
        """The ref in `{"href": …}`; Problem 400 that begins with the member's name."""
        link = read_as(token, _Link)
        if link is None:
            raise Problem(400, f"{name}.href: may not be null.")
        return self._ref(f"{name}.href", path, link.href)

    def many(self, name: str, path: str, token: bytes) -> tuple[str, ...]:
        """The refs in `{"items": [{"href": …}]}`; Problem 400."""
        links = read_as(token, _Links)
        if links is None:
            raise Problem(400, f"{name}: must be an object with items, each with href.")
        return tuple(
            self._ref(f"{name}.items[{index}].href", path, link.href)
            for index, link in enumerate(links.items)
        )

    def _ref(self, name: str, path: str, href: str) -> str:
        """Host in any case and by either scheme; a slash at the end and a query do no harm (F§6.17)."""
        url = urlsplit(href)
        version, *rest = url.path.strip("/").split("/")
        if url.scheme not in {"http", "https"} or rest[:1] != [path] or len(rest) != 2:
            raise Problem(400, f"{name}: must be a link to one of {path}.")
        ours = url.netloc.lower() in HOSTS | {urlsplit(one).netloc.lower() for one in self.own}
        if self.rule != "any" and not ours:
            raise Problem(400, f"{name}: must be a link of this platform.")
        if self.rule == "version" and version != self.version:
            raise Problem(400, f"{name}: must be a link of {self.version}.")
        return unquote(rest[1])
