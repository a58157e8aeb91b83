"""A request taken as traffic would take it if every call were answered by v2.1."""

from __future__ import annotations

from pathlib import Path

from proxy.body import check_uncoded, too_large
from proxy.config.model import Config, Route
from proxy.cutover.decide import Caller, Decider
from proxy.cutover.routes import Routes
from proxy.exchange import Asked
from proxy.mapping.api import CompiledMapping, Source
from proxy.types import Call, Version
from proxy.wire.credentials import ANONYMOUS
from proxy.wire.headers import check_request, for_translated
from proxy.wire.target import check_target

_REQUEST_ID = "explained"


def unconfigured(base_url: str) -> Config:
    """The defaults, for a platform at this address."""
    tree = {"upstream": {"v2": {"base_url": base_url}, "v2_1": {"base_url": base_url}}}
    return Config.model_validate(tree, context={"folder": Path()})


def asked(source: Source, mapping: CompiledMapping, config: Config, call: Call) -> Asked | str:
    """The request as the exchange wants it, or a sentence on where it goes untranslated; raises `Refused`."""
    check_target(call.target)
    fields = check_request(call.headers)
    over = config.model_copy(update={"route": (Route(stage="v2.1"),), "ignore": ()})
    decider = Decider(mapping, Routes.compile(over, source.writes), b"", config.unmapped == "v2")
    path, _, query = call.target.partition(b"?")
    ahead = decider.look(call.method, path, query, Caller(ANONYMOUS, call.headers))
    if ahead.endpoint is None:
        where = "v2" if ahead.version is Version.V2 else "v2.1"
        return f"No endpoint covers this call ({ahead.label}); it goes to {where} as it came."
    if ahead.allow:
        return "OPTIONS is asked of v2.1 and answered with the methods that v2 callers have here; no body is translated."
    if len(call.body) > config.server.max_body:
        raise too_large(config.server.max_body)
    check_uncoded(fields.get(b"content-encoding"))
    headers = for_translated(call.headers, _REQUEST_ID, has_body=ahead.endpoint.check is not None)
    return Asked(ahead.endpoint, ahead.path, ahead.pairs, headers, call.body)
