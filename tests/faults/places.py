"""Platforms that cannot be reached (R§1.5, F01 to F04), and those that a script plays."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import trustme

from tests.faults.platform import Play, mute, right
from tests.upstream.scripted import Script, Talk, Upstream, upstream


@dataclass
class Place:
    """Where a gateway is sent: the address, the keys that go with it, what arrived, and whether it does right again."""

    url: str
    keys: Mapping[str, str] = field(default_factory=dict)
    seen: Upstream = field(default_factory=Upstream)
    healed: bool = False


Places: TypeAlias = Callable[[], AbstractAsyncContextManager[Place]]


def plays(play: Play) -> Places:
    """A platform that plays this for each request until it is healed."""
    return partial(_played, play, None)


def acts(script: Script) -> Places:
    """A platform that plays this on each connection, without waiting for a request, until it is healed."""
    return partial(_played, right, script)


@asynccontextmanager
async def _played(play: Play, script: Script | None) -> AsyncIterator[Place]:
    place = Place("")

    async def talks(talk: Talk) -> None:
        if script is not None and not place.healed:
            await script(talk)
            return
        going = True
        while going:
            raw = await talk.request()
            going = await (right if place.healed else play)(talk, raw)

    async with upstream(talks) as seen:
        place.url, place.seen = seen.url(), seen
        yield place


@asynccontextmanager
async def nameless() -> AsyncIterator[Place]:
    """F01: a name that is too long for any resolver (RFC 1035 §2.3.4): refused here, without asking a network."""
    yield Place(f"http://{'.'.join(['a' * 60] * 5)}.invalid")


@asynccontextmanager
async def refusing() -> AsyncIterator[Place]:
    """F02: a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    yield Place(f"http://127.0.0.1:{port}")


@asynccontextmanager
async def full() -> AsyncIterator[Place]:
    """F03: a listener whose queue is full: Linux drops what comes next, as a black hole does."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for one in fillers:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        await asyncio.sleep(0.01)
        yield Place(f"http://127.0.0.1:{listener.getsockname()[1]}")
        for one in fillers:
            one.close()


@asynccontextmanager
async def speechless() -> AsyncIterator[Place]:
    """F03: a connection that stands, and a handshake that never comes."""
    async with upstream(mute) as seen:
        with _trusting(_authorities()[0]) as keys:
            yield Place(f"https://127.0.0.1:{seen.port}", keys, seen)


def distrusted(*, name: str = "localhost", expired: bool = False, stranger: bool = False) -> Places:
    """F04: TLS with a certificate for another name, one that is expired, or one from an authority not trusted."""
    return partial(_distrusted, name, expired, stranger)


@asynccontextmanager
async def _distrusted(name: str, expired: bool, stranger: bool) -> AsyncIterator[Place]:
    authority, other = _authorities()
    day = dt.timedelta(days=1)
    today = dt.datetime.now(dt.UTC)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ended = today - day if expired else today + day
    authority.issue_cert(name, not_before=today - 9 * day, not_after=ended).configure_cert(context)
    async with upstream(talks_right, host="localhost", tls=context) as seen:
        with _trusting(other if stranger else authority) as keys:
            yield Place(seen.url("localhost"), keys, seen)


async def talks_right(talk: Talk) -> None:
    """Answer every request of a connection as it should be."""
    while await right(talk, await talk.request()):
        pass


@contextmanager
def _trusting(authority: trustme.CA) -> Iterator[Mapping[str, str]]:
    """The keys that make a gateway trust this authority alone."""
    with TemporaryDirectory() as folder:
        trusted = Path(folder) / "ca.pem"
        authority.cert_pem.write_to_path(trusted)
        yield {f"upstream.{version}.ca_file": str(trusted) for version in ("v2", "v2_1")}


@cache
def _authorities() -> tuple[trustme.CA, trustme.CA]:
    return trustme.CA(), trustme.CA()
