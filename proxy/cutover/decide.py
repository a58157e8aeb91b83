"""Which version answers a call: what the mapping knows of it, what the route says, and what is left when neither does.

    under v2's path prefix
        an endpoint with a query that it covers   → its route decides: v2, v2.1, or by sticky key (canary)
        a known path, another method              → v2; 405 once v2.1 answers everything at that path
        anything else                             → v2; 501 for order calls once the caller has left v2
    under v2.1's path prefix                      → v2.1, as it came
    anywhere else                                 → 404

Everything is decided on raw bytes; the same bytes are forwarded.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

import msgspec

from proxy.cutover.bucket import in_share
from proxy.cutover.routes import Route, Routes
from proxy.cutover.splitter import Splitter
from proxy.cutover.stage import Stage
from proxy.errors import Fault, Refused
from proxy.exchange import record_key
from proxy.mapping.api import CompiledMapping
from proxy.mapping.endpoint import Endpoint
from proxy.mapping.query import Pairs
from proxy.types import Headers, Version
from proxy.wire.headers import first
from proxy.wire.target import parameters

UNMAPPED = "unmapped"
"""What a call is counted under that goes to v2 because no endpoint covers it."""
NATIVE = "native"
"""What a call is counted under that speaks v2.1 already."""


CARRIED = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
"""The methods of a path that no mapping knows."""


class Ahead(msgspec.Struct, frozen=True, gc=False):
    """What lies ahead of a call.

    `version` is `None` where the sticky key decides (see `settle`). `endpoint` is `None` where nothing is translated. `allow`
    holds the methods of an `OPTIONS` call's path. `template` is what the path of an unmapped call may be called: a path
    of the mappings, or the beginning of one.
    """

    label: str
    version: Version | None
    route: Route | None = None
    endpoint: Endpoint | None = None
    path: dict[str, bytes] = {}
    pairs: Pairs = []
    allow: tuple[str, ...] = ()
    template: str = ""

    @property
    def stage(self) -> Stage:
        """The stage of the call's route; `v2` for what has none."""
        return self.route.stage if self.route is not None else Stage.V2


class Caller(msgspec.Struct, frozen=True, gc=False):
    """Who calls, as far as routes ask: the short id, and the header section for a sticky header."""

    id: str
    headers: Headers


class Decider(msgspec.Struct, frozen=True):
    """Everything that decides, of one configuration."""

    mapping: CompiledMapping
    routes: Routes
    salt: bytes
    unmapped_to_v2: bool
    splitter: Splitter = msgspec.field(default_factory=Splitter)
    """What counts the keys that are split; the process has one."""

    def look(self, method: str, path: bytes, query: bytes | None, caller: Caller) -> Ahead:
        """Find what lies ahead of a call; raises `Refused` where nothing does (404, 405, 501)."""
        if not path.startswith(self.mapping.prefix_v2):
            if path.startswith(self.mapping.prefix_v2_1):
                return Ahead(NATIVE, Version.V2_1)
            raise Refused(
                Fault.NOT_FOUND,
                "Not found.",
                "Neither version of the API has this path. Check the base URL that the caller is set up with.",
            )
        found = self.mapping.paths.match(path)
        if found is None:
            return self._unmapped(path, caller)
        methods, held = found
        if method == "OPTIONS":
            return self._options(methods, held, caller)
        endpoint = methods.get("GET" if method == "HEAD" else method)
        if endpoint is None:
            return self._other_method(methods, caller)
        pairs = parameters(query) if query else []
        if pairs and not endpoint.covers(pairs):
            return self._unmapped(path, caller)
        route = self.routes.route_for(endpoint.id, caller.id)
        return Ahead(endpoint.id, _version(route), route, endpoint, held, pairs)

    def settle(self, ahead: Ahead, body: bytes, caller: Caller) -> Version:
        """Which version answers, for a route that leaves it to the sticky key."""
        if ahead.version is not None:
            return ahead.version
        assert ahead.route is not None  # noqa: S101 - only a route leaves it open
        key = _sticky_key(ahead, ahead.route, body, caller)
        version = Version.V2_1 if in_share(self.salt, key, ahead.route.percent) else Version.V2
        self.splitter.saw(ahead.route.key, key, version)
        return version

    def allowed(self, path: bytes) -> tuple[str, ...]:
        """The methods of a path, for the `Allow` that a 405 has to have (RFC 9110 §15.5.6)."""
        found = self.mapping.paths.match(path)
        return CARRIED if found is None else _allowed(found[0])

    def _options(self, methods: Mapping[str, Endpoint], held: dict[str, bytes], caller: Caller) -> Ahead:
        """A question about a path goes to the version that would answer the method that is meant."""
        meant = first(caller.headers, b"access-control-request-method") or b"GET"
        method = "GET" if meant == b"HEAD" else meant.decode("latin-1")
        endpoint = methods.get(method) or next(iter(methods.values()))
        route = self.routes.route_for(endpoint.id, caller.id)
        version = _version(route) or Version.V2
        return Ahead(endpoint.id, version, route, endpoint, held, allow=_allowed(methods))

    def _other_method(self, methods: Mapping[str, Endpoint], caller: Caller) -> Ahead:
        over = all(
            _version(self.routes.route_for(one.id, caller.id)) is Version.V2_1 for one in methods.values()
        )
        if not over or self.unmapped_to_v2:
            return Ahead(UNMAPPED, Version.V2, template=next(iter(methods.values())).v2_path)
        allowed = ", ".join(_allowed(methods))
        raise Refused(Fault.METHOD, "Method not allowed.", f"This path takes {allowed}. Use one of them.")

    def _unmapped(self, path: bytes, caller: Caller) -> Ahead:
        # Escaped letters name the same path (RFC 3986 §6.2.2.2): they are no way back to v2.
        ours = unquote_to_bytes(path).startswith(self.mapping.family)
        if ours and not self.unmapped_to_v2 and self.routes.all_v2_1(caller.id, self.mapping.endpoints):
            raise Refused(
                Fault.UNMAPPED,
                "This call is not supported.",
                "No mapping covers this path, method or query, and v2 is no longer called for this caller. "
                'Use a call that is mapped, or have the operator set unmapped = "v2".',
            )
        return Ahead(UNMAPPED, Version.V2, template=self._template(path))

    def _template(self, path: bytes) -> str:
        """A name for the path of an unmapped call in which nothing is the caller's: what follows stands as an ellipsis."""
        found = self.mapping.paths.match(path)
        if found is not None:
            return next(iter(found[0].values())).v2_path + "?…"
        start = next((one for one in self.mapping.family if path.startswith(one)), self.mapping.prefix_v2)
        return f"{start.decode().rstrip('/')}/…"


def _version(route: Route) -> Version | None:
    if route.percent >= 100:
        return Version.V2_1
    return Version.V2 if route.percent <= 0 else None


def _allowed(methods: Mapping[str, Endpoint]) -> tuple[str, ...]:
    """The methods that v2.1 may be asked for at a path, for `Allow` (RFC 9110 §10.2.1)."""
    carried = {method for method, endpoint in methods.items() if endpoint.refusal is None}
    return tuple(sorted(carried | ({"HEAD"} if "GET" in carried else set()) | {"OPTIONS"}))


def _sticky_key(ahead: Ahead, route: Route, body: bytes, caller: Caller) -> bytes:
    """What keeps a call on its version: the record, or the caller, or a header; the caller where the first is missing."""
    key = ""
    if route.sticky == "record" and ahead.endpoint is not None:
        key = record_key(ahead.endpoint, ahead.path, ahead.pairs, body)
    elif route.sticky == "header" and route.sticky_header is not None:
        key = (first(caller.headers, route.sticky_header) or b"").decode("latin-1")
    return (key or caller.id).encode()
