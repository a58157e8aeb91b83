"""The least that a proxy in this language and over this engine can do: take a request, ask, answer. It checks nothing."""

from __future__ import annotations

import os
from typing import Any

from proxy.types import Call
from proxy.upstream import UpstreamSettings, make_engine
from proxy.upstream.engine import Engine

_OWN = frozenset({b"host", b"content-length", b"connection"})
_engines: list[Engine] = []


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Pass one request on."""
    while scope["type"] == "lifespan":
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
    if not _engines:
        _engines.append(make_engine("native", UpstreamSettings(os.environ["UPSTREAM"])))
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    headers = [one for one in scope["headers"] if one[0] not in _OWN]
    answer = await _engines[0].send(Call(scope["method"], scope["raw_path"], headers, body))
    kept = [one for one in answer.headers if one[0].lower() != b"connection"]
    await send({"type": "http.response.start", "status": answer.status, "headers": kept})
    await send({"type": "http.response.body", "body": answer.body})
