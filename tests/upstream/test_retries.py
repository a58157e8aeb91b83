"""The retry budget: what is sent again, how often, and never more than a tenth of it in an outage (R§1.4)."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

from proxy.errors import Fault, UpstreamFailed
from proxy.types import Call, Outcome
from proxy.upstream import Engine, UpstreamSettings, make_engine
from proxy.upstream.attempts import Attempts
from proxy.upstream.counted import counted
from tests.upstream.scripted import OK, Talk, answers, both, fails, get, native, post, upstream

PAGE = Path(__file__).parents[2] / "docs" / "limits.md"
UNREACHABLE = (Outcome.NOT_SENT, Fault.UNREACHABLE)


def made(kind: str, url: str, attempts: Attempts) -> Engine:
    return make_engine(kind, UpstreamSettings(url), attempts)  # type: ignore[arg-type]  # the parameter of a test is a str


async def hangs_up(talk: Talk) -> None:
    """End each connection before it is one: with TLS, nothing is ever sent on it."""


@both
async def test_an_outage_is_never_multiplied(kind: str) -> None:
    attempts = Attempts()
    async with upstream(hangs_up) as server:
        engine_ = made(kind, f"https://127.0.0.1:{server.port}", attempts)
        for turn in range(10):
            calls = (get() if (turn + one) % 2 else post() for one in range(20))
            ended = await asyncio.gather(*map(engine_.send, calls), return_exceptions=True)
            assert all(isinstance(one, UpstreamFailed) for one in ended)
        await engine_.close()
        assert 200 < server.connections <= 220
        assert server.connections == attempts.ended[Outcome.NOT_SENT]
        assert sum(attempts.retried.values()) == server.connections - 200
        assert attempts.denied > 0


@both
async def test_a_read_is_tried_three_times_and_a_write_twice_where_nothing_was_sent(kind: str) -> None:
    attempts = Attempts()
    for _ in range(100):
        attempts.begin()
    async with upstream(hangs_up) as server:
        engine_ = made(kind, f"https://127.0.0.1:{server.port}", attempts)
        for call, tries in ((get(), 3), (post(), 2)):
            before = server.connections
            await fails(engine_.send(call), *UNREACHABLE)
            assert server.connections - before == tries
        await engine_.close()


@native
async def test_without_a_budget_a_stale_connection_costs_the_read(kind: str) -> None:
    attempts = Attempts()

    async def once(talk: Talk) -> None:
        await talk.request()
        await talk.send(OK)
        await talk.request()

    async with upstream(once) as server:
        engine_ = made(kind, server.url(), attempts)
        assert (await engine_.send(get())).body == b"ok"
        assert (await engine_.send(get())).body == b"ok", "closed at the second request, and asked again"
        assert attempts.retried == {"not_connected": 0, "stale": 1}
        await fails(engine_.send(get()), Outcome.UNKNOWN, Fault.BROKEN)
        assert (attempts.denied, attempts.ended[Outcome.ANSWERED]) == (1, 2)
        await engine_.close()


@native
async def test_what_may_have_left_is_not_sent_again_whatever_the_budget(kind: str) -> None:
    attempts = Attempts()
    for _ in range(100):
        attempts.begin()

    async def unread(talk: Talk) -> None:
        await talk.request()

    async with upstream(unread) as server:
        engine_ = made(kind, server.url(), attempts)
        for call in (get(), post(), Call("PUT", b"/", [], b"{}"), Call("DELETE", b"/", [])):
            await fails(engine_.send(call), Outcome.UNKNOWN, Fault.BROKEN)
        assert len(server.requests) == 4
        await engine_.close()


@native
async def test_what_was_earned_in_good_times_is_kept_up_to_ten(kind: str) -> None:
    attempts = Attempts()
    async with upstream(answers(OK)) as server:
        engine_ = made(kind, server.url(), attempts)
        for _ in range(300):
            await engine_.send(get())
        await engine_.close()
    assert [attempts.again("not_connected") for _ in range(12)] == [True] * 10 + [False] * 2


def test_the_metrics_are_those_of_the_page() -> None:
    registry = CollectorRegistry()
    attempts = counted(registry)
    attempts["v2.1"].ended[Outcome.UNKNOWN] += 3
    shown = generate_latest(registry).decode()
    assert 'crossfade_upstream_attempts_total{outcome="unknown",upstream="v2.1"} 3.0' in shown
    names = set(re.findall(r"^(crossfade_\w+)\{", shown, re.MULTILINE))
    assert names == set(re.findall(r"^\| `(crossfade_\w+)\{", PAGE.read_text("utf-8"), re.MULTILINE))
    for label in ("answered", "not_sent", "unknown", "not_connected", "stale", "v2.1", "shadow"):
        assert f'="{label}"' in shown
