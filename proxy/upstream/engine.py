"""The seam between the exchange and the network: one small protocol, two engines behind it."""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias, assert_never

from proxy.errors import ConfigError
from proxy.types import Answer, Call
from proxy.upstream.attempts import Attempts
from proxy.upstream.native import NativeEngine
from proxy.upstream.settings import UpstreamSettings

EngineKind: TypeAlias = Literal["native", "httpx"]
"""`native` is the fast one that knows what was sent; `httpx` goes through an outbound proxy."""


class Engine(Protocol):
    """Sends calls to one upstream; belongs to one event loop."""

    async def send(self, call: Call, *, room: int | None = None) -> Answer:
        """Send `call` and give its whole final answer, body bytes as they came, transfer framing resolved.

        With `room`, an answer whose body is larger than so many bytes comes before it is whole, with its `rest`; no
        other limit holds for it. The rest has to be taken or closed. A call with a `rest` may be answered before all
        of that was sent.

        The header list goes out in order as given, `Host` in front of it and `Content-Length` behind it
        where due; its own `Host`, `Content-Length` and `Transfer-Encoding` are left out. A write is never
        re-sent once a byte may have left (RFC 9110 §9.2.2). Cancelling closes the connection that was in use.

        Raises UpstreamFailed with the outcome: NOT_SENT, or UNKNOWN once a byte may have left.
        """
        ...

    async def close(self) -> None:
        """Take no more calls and close what is idle; calls in flight run to their end."""
        ...


def make_engine(kind: EngineKind, settings: UpstreamSettings, attempts: Attempts | None = None) -> Engine:
    """Build an engine; nothing is opened before the first call. Raises ConfigError.

    `attempts` counts, and holds the retry budget; without it the engine has its own.
    """
    attempts = attempts or Attempts()
    match kind:
        case "native":
            if settings.proxy is not None:
                raise ConfigError(
                    'The engine "native" knows no outbound proxy; set engine = "httpx" or drop proxy.'
                )
            return NativeEngine(settings, attempts)
        case "httpx":
            # Imported here so that a native deployment does not pay for httpx (60 ms, 15 MiB).
            from proxy.upstream.through_httpx import HttpxEngine  # noqa: PLC0415 - httpx is not loaded where it is not used

            return HttpxEngine(settings, attempts)
        case _:
            assert_never(kind)
