"""What httpx's transport is given and gives: a target, a request body, the rest of an answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx

from proxy.types import Call


class Body(httpx.AsyncByteStream):
    """A request body; httpx's own one is private."""

    def __init__(self, call: Call) -> None:
        self._call = call

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._call.body:
            yield self._call.body
        if self._call.rest is not None:
            async for piece in self._call.rest:
                yield piece


class Coming:
    """The rest of an answer; `then` is called once nothing comes any more."""

    length = None

    def __init__(self, pieces: AsyncIterator[bytes], then: Callable[[], Awaitable[None]]) -> None:
        self.taken = 0
        self._pieces = pieces
        self._then: Callable[[], Awaitable[None]] | None = then

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """See `Rest`."""
        try:
            async for piece in self._pieces:
                self.taken += len(piece)
                yield piece
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """See `Rest`."""
        then, self._then = self._then, None
        if then is not None:
            await then()


class Target(httpx.URL):
    """A URL whose target goes out as it is; the extension "target" would replace a CONNECT's target, too."""

    def __init__(self, origin: httpx.URL, target: bytes) -> None:
        super().__init__(origin)
        self._target = target

    @property
    def raw_path(self) -> bytes:
        """The bytes of the request line."""
        return self._target
