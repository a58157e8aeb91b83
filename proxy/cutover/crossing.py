"""The point of no return: the first write through v2.1 that leaves what v2's readers would choke on, for each resource.

It is passed by what a write has really left (the ledger of its translation says so), not by the first write of any kind: as
long as nothing of that sort is stored, a way back is a way back. A write whose end nobody knows does not pass it; v2.1 in
trouble is when the way back is needed most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from proxy.evidence.observation import Observation
from proxy.mapping.stored import Lasting


class Crossing:
    """What is known of it. `lasting` is by endpoint, under the configuration in effect."""

    def __init__(self, since: Mapping[str, float] | None) -> None:
        """Begin with the resources that are behind it, and since when; `None` where that cannot be read."""
        self.since = dict(since or {})
        self.known = since is not None
        """While it is not, every resource that may be behind counts as behind."""

    def behind(self, lasting: Mapping[str, Lasting], endpoints: Iterable[str]) -> bool:
        """Whether one of these endpoints is about records that v2 would show raw."""
        found = (lasting[one] for one in endpoints if one in lasting)
        return any(one.raw and (not self.known or one.resource in self.since) for one in found)

    def passed(self, lasting: Mapping[str, Lasting], seen: Observation, now: float) -> tuple[str, ...]:
        """The ids of what this call has left, if it is the first of its resource to do so; `now` is seconds since 1970."""
        about = lasting.get(seen.endpoint.id)
        if about is None or not seen.endpoint.is_write or seen.evidence != "contract":
            return ()
        if about.resource in self.since or seen.answer.status >= 300:
            return ()
        left = about.left(seen.trace)
        if left:
            self.since[about.resource] = now
        return left
