"""TLS to the upstream: who is trusted, and what a cut connection means."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import trustme

from proxy.errors import Fault
from proxy.types import Outcome
from tests.upstream.scripted import OK, Talk, answers, both, engine, fails, get, native, post, upstream


@contextmanager
def certificate(*names: str) -> Iterator[tuple[ssl.SSLContext, str]]:
    """A server's context for these names, and the file of the authority that signed it."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ca.pem"
        authority.cert_pem.write_to_path(path)
        yield context, str(path)


@both
async def test_an_authority_of_ones_own_is_trusted(kind: str) -> None:
    with certificate("localhost") as (context, ca_file):
        async with (
            upstream(answers(OK), host="localhost", tls=context) as server,
            engine(kind, server.url("localhost"), ca_file=ca_file) as engine_,
        ):
            for _ in range(3):
                assert (await engine_.send(post())).body == b"ok"
            assert server.connections == 1


@both
async def test_a_stranger_and_a_wrong_host_get_nothing(kind: str) -> None:
    """F04: not one byte of a request."""
    with certificate("elsewhere.test") as (context, ca_file), certificate("localhost") as (_, other_ca):
        async with upstream(answers(OK), host="localhost", tls=context) as server:
            for trusted in (ca_file, other_ca, None):
                async with engine(kind, server.url("localhost"), ca_file=trusted) as engine_:
                    await fails(engine_.send(post()), Outcome.NOT_SENT, Fault.UNREACHABLE)
            assert server.requests == []


@both
async def test_big_bodies_go_both_ways_encrypted(kind: str) -> None:
    body = b"x" * 1_000_000

    async def script(talk: Talk) -> None:
        while True:
            raw = await talk.request()
            echoed = raw.partition(b"\r\n\r\n")[2]
            await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(echoed) + echoed)

    with certificate("localhost") as (context, ca_file):
        async with (
            upstream(script, host="localhost", tls=context) as server,
            engine(kind, server.url("localhost"), ca_file=ca_file) as engine_,
        ):
            assert (await engine_.send(post(body))).body == body


@native
async def test_an_answer_to_the_end_must_end_in_tls_too(kind: str) -> None:
    """Anybody on the way can close a TCP connection; only the upstream can say close_notify."""

    async def cut(talk: Talk) -> None:
        await talk.request()
        await talk.send(b"HTTP/1.1 200 OK\r\n\r\nhalf of")
        await asyncio.sleep(0.05)
        talk.writer.transport.abort()

    async def ended(talk: Talk) -> None:
        await talk.request()
        await talk.send(b"HTTP/1.1 200 OK\r\n\r\nthe whole")

    with certificate("localhost") as (context, ca_file):
        for script in (cut, ended):
            async with (
                upstream(script, host="localhost", tls=context) as server,
                engine(kind, server.url("localhost"), ca_file=ca_file) as engine_,
            ):
                if script is cut:
                    await fails(engine_.send(get()), Outcome.UNKNOWN, Fault.BROKEN)
                else:
                    assert (await engine_.send(get())).body == b"the whole"
