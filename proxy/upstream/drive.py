"""Making the calls that a generator asks for, one after the other, until it returns."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

from proxy.errors import UpstreamFailed
from proxy.types import Answer, Call
from proxy.upstream.engine import Engine

T = TypeVar("T")


async def drive(running: Generator[Call, Answer, T], engine: Engine) -> T:
    """Send each call and hand its answer, or its failure, to the generator; gives what the generator returns.

    A failure that the generator does not know what to do with comes out again as `UpstreamFailed`.
    """
    try:
        call = next(running)
        while True:
            try:
                answer = await engine.send(call)
            except UpstreamFailed as error:
                call = running.throw(error)
            else:
                call = running.send(answer)
    except StopIteration as end:
        result: T = end.value
        return result
