"""Places, connections and callers that go away."""

from __future__ import annotations

import asyncio
import gc
import random

import pytest

from proxy.errors import Fault, UpstreamFailed
from proxy.types import Outcome
from proxy.upstream import Engine
from proxy.upstream.answer import AnswerReader
from proxy.upstream.connection import Connection
from tests.upstream.scripted import (
    OK,
    Script,
    Talk,
    answers,
    both,
    engine,
    fails,
    get,
    native,
    post,
    upstream,
)


def slow(seconds: float) -> Script:
    async def script(talk: Talk) -> None:
        while True:
            await talk.request()
            await asyncio.sleep(seconds)
            await talk.send(OK)

    return script


async def works_at_full_width(engine_: Engine, size: int) -> None:
    """`size` calls at a time still go through at once: no place is lost."""
    sent = await asyncio.gather(*(engine_.send(get()) for _ in range(size)))
    assert [answer.body for answer in sent] == [b"ok"] * size


@both
async def test_more_calls_than_places_wait_in_line(kind: str) -> None:
    async with upstream(slow(0.01)) as server, engine(kind, server.url(), pool_size=4) as engine_:
        await works_at_full_width(engine_, 40)
        assert server.connections <= 4


@both
async def test_who_waits_too_long_is_told_that_nothing_was_sent(kind: str) -> None:
    async with (
        upstream(slow(0.5)) as server,
        engine(kind, server.url(), pool_size=1, pool_wait=0.05) as engine_,
    ):
        first = asyncio.create_task(engine_.send(get()))
        await asyncio.sleep(0.02)
        await fails(engine_.send(post()), Outcome.NOT_SENT, Fault.OVERLOADED)
        await first
        assert len(server.requests) == 1


@both
async def test_a_caller_that_goes_away_closes_its_connection(kind: str) -> None:
    async with upstream(slow(0.2)) as server, engine(kind, server.url(), pool_size=1) as engine_:
        sending = asyncio.create_task(engine_.send(get()))
        await asyncio.sleep(0.05)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        assert (await engine_.send(get())).body == b"ok"
        assert server.connections == 2


async def storm(engine_: Engine, calls: int) -> tuple[int, int]:
    """Send calls and cancel them at odd moments; how many were cancelled, and how many were answered."""
    chance = random.Random(7)  # the same storm every time
    ends: list[object] = []

    async def one() -> None:
        task = asyncio.create_task(engine_.send(get() if chance.random() < 0.5 else post()))
        for _ in range(chance.randrange(6)):
            await asyncio.sleep(0)
        if chance.random() < 0.6:
            await asyncio.sleep(chance.random() * 0.01)
        if chance.random() < 0.8:
            task.cancel()
        ends.extend(await asyncio.gather(task, return_exceptions=True))

    for _ in range(calls // 50):
        await asyncio.gather(*(one() for _ in range(50)))
    unexpected = [end for end in ends if isinstance(end, UpstreamFailed)]
    assert unexpected == []
    cancelled = sum(isinstance(end, asyncio.CancelledError) for end in ends)
    return cancelled, calls - cancelled


@native
async def test_a_thousand_cancelled_calls_leak_nothing(kind: str) -> None:
    await weather(1_000)


@pytest.mark.slow
@native
async def test_ten_thousand_cancelled_calls_leak_nothing(kind: str) -> None:
    await weather(10_000)


def held() -> list[object]:
    """The connections and readers that somebody holds on to."""
    gc.collect()
    return [thing for thing in gc.get_objects() if isinstance(thing, Connection | AnswerReader)]


async def weather(calls: int) -> None:
    """A storm, and the calm after it."""
    before = held()  # what other tests have not let go of is theirs
    async with (
        upstream(slow(0.002)) as server,
        engine("native", server.url(), pool_size=10, keepalive=0.2) as engine_,
    ):
        cancelled, answered = await storm(engine_, calls)
        assert cancelled > calls // 10
        assert answered > 10
        await works_at_full_width(engine_, 10)
        assert server.open <= 10
        await asyncio.sleep(0.5)
        assert server.open == 0
        kept = [thing for thing in held() if all(thing is not one for one in before)]
        assert kept == []


@native
async def test_a_caller_that_goes_away_while_it_waits_loses_no_place(kind: str) -> None:
    async with upstream(slow(0.05)) as server, engine(kind, server.url(), pool_size=1) as engine_:
        for pause in (0.0, 0.01, 0.045, 0.05, 0.055):
            first = asyncio.create_task(engine_.send(get()))
            await asyncio.sleep(0)
            second = asyncio.create_task(engine_.send(get()))
            await asyncio.sleep(pause)
            second.cancel()
            await asyncio.gather(first, second, return_exceptions=True)
        assert (await engine_.send(get())).body == b"ok"


@native
async def test_a_caller_that_goes_away_while_connecting_leaves_no_socket(kind: str) -> None:
    async with upstream(answers(OK)) as server, engine(kind, server.url(), pool_size=2) as engine_:
        for turns in range(12):
            sending = asyncio.create_task(engine_.send(get()))
            for _ in range(turns):
                await asyncio.sleep(0)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        await works_at_full_width(engine_, 2)
        await asyncio.sleep(0.02)
        assert server.open <= 2


@native
async def test_there_are_never_more_connections_than_places(kind: str) -> None:
    """Writes that refuse old connections must not add fresh ones next to them."""
    async with upstream(slow(0.01)) as server, engine(kind, server.url(), pool_size=5, write_idle=0.0) as e:
        for _ in range(4):
            await asyncio.gather(*(e.send(post()) for _ in range(5)))
            await asyncio.sleep(0.02)
            assert server.open <= 5


@native
async def test_the_connection_that_was_used_last_is_used_next(kind: str) -> None:
    async with upstream(slow(0.01)) as server, engine(kind, server.url(), keepalive=0.15) as engine_:
        await works_at_full_width(engine_, 5)
        for _ in range(12):
            await engine_.send(get())
        await asyncio.sleep(0.05)
        assert server.open == 1
