r"""Links: the same resource has one address at the platform in v2, one in v2.1, and one at crossfade.

A platform link is `<base><prefix>…` (base of one of the two upstreams, or an alias that stored links still carry,
http or https); ours is `<public_url><v2 prefix>…`. Only links whose base and prefix are known are touched; whatever
follows the prefix (a trailing slash, a query) stays as it is. A link may be written with `\/` for each slash.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from proxy.json import text_of, token_of


@dataclass(frozen=True)
class Bases:
    """Where each side lives: absolute URLs without a trailing slash."""

    public: str
    v2: str
    v2_1: str
    aliases: tuple[str, ...] = ()


class Links:
    """Turns links of one side into links of the other; made once per configuration."""

    def __init__(self, bases: Bases, prefix_v2: str, prefix_v2_1: str) -> None:
        platform = (bases.v2, bases.v2_1, *bases.aliases)
        self._ours = bases.public + prefix_v2
        self._theirs = bases.v2_1 + prefix_v2_1
        self._native = ('"' + bases.v2_1 + prefix_v2_1).encode()
        self._native_ours = ('"' + self._ours).encode()
        self._native_v2 = ('"' + bases.v2 + prefix_v2).encode()
        self._back = _matcher(platform, (prefix_v2, prefix_v2_1))
        self._forward = _matcher((bases.public, *platform), (prefix_v2,))
        self._any = _matcher((bases.public, *platform), (prefix_v2, prefix_v2_1))
        self._our_links = _finder((bases.public,), prefix_v2)
        self._our_host = bases.public.partition("://")[2].partition("/")[0].lower().encode()
        self._v2_prefix = (bases.v2 + prefix_v2).encode()
        self._v2_links = _finder((bases.v2, *bases.aliases), prefix_v2)
        self._our_prefix = self._ours.encode()

    def back(self, raw: bytes) -> bytes:
        """A platform link, as a JSON token, as the caller's link to crossfade; other tokens come back as they are."""
        for start in (self._native, self._native_v2):
            if raw.startswith(start) and b"\\" not in raw:
                return self._native_ours + raw[len(start) :]
        if raw.startswith(self._native_ours) and b"\\" not in raw:
            return raw
        return _swap(raw, self._back, self._ours)

    def forward(self, raw: bytes) -> bytes:
        """A link to crossfade or to v2, as a JSON token, as the platform's v2.1 link."""
        return _swap(raw, self._forward, self._theirs)

    def text_back(self, text: str) -> str:
        """The same as `back` for a plain text, such as a header value."""
        match = self._back.match(text)
        return self._ours + text[match.end() :] if match else text

    def path_of(self, raw: bytes) -> str | None:
        """What follows base and prefix: by this two links are the same resource; `None` for anything else."""
        match = self._any.match(text_of(raw)) if raw.startswith(b'"') else None
        return match.string[match.end() :] if match else None

    def same(self, v2: bytes, ours: bytes) -> bool:
        """Whether v2's link and ours, as JSON tokens, are the same resource."""
        # As nearly always. What is left of a link ends in a quote and begins with none, so it is no other token.
        if v2.removeprefix(self._native_v2) == ours.removeprefix(self._native_ours):
            return True
        path = self.path_of(v2)
        return path is not None and path == self.path_of(ours)

    def returned(self, content: bytes) -> bytes:
        """Turn links to ourselves, in bytes that go to v2 untouched otherwise, back into the platform's links.

        A caller may have written http for https, or the host in another case (RFC 9110 §4.2.3): it is the same link.
        """
        if self._our_host not in content.lower():  # as nearly always; looking for the whole link takes longer
            return content
        return self._our_links.sub(lambda found: _slashed_like(found[0], self._v2_prefix), content)

    def adopted(self, content: bytes) -> bytes:
        """Turn v2's links in v2's own answer into links to crossfade (`server.v2_hrefs = "proxy"`)."""
        return self._v2_links.sub(
            lambda found: _slashed_like(found[0], self._our_prefix),
            content,
        )


def _matcher(bases: Iterable[str], prefixes: Iterable[str]) -> re.Pattern[str]:
    hosts = sorted({base.partition("://")[2] for base in bases}, key=len, reverse=True)
    return re.compile(
        f"(?i:https?://(?:{'|'.join(map(re.escape, hosts))}))(?:{'|'.join(map(re.escape, prefixes))})"
    )


def _finder(bases: Iterable[str], prefix: str) -> re.Pattern[bytes]:
    slash = r"\\?/"
    hosts = "|".join(sorted({re.escape(base.partition("://")[2]).replace("/", slash) for base in bases}))
    start = f"(?i:https?:{slash}{slash}(?:{hosts}))"
    return re.compile((start + re.escape(prefix).replace("/", slash)).encode())


def _swap(raw: bytes, pattern: re.Pattern[str], base: str) -> bytes:
    if not raw.startswith(b'"'):
        return raw
    text = text_of(raw)
    match = pattern.match(text)
    return bytes(token_of(base + text[match.end() :])) if match else raw


def _slashed_like(example: bytes, link: bytes) -> bytes:
    return link.replace(b"/", b"\\/") if b"\\/" in example else link
