"""No second write, in about a thousand requests; `make one-write` sends 20,000."""

from __future__ import annotations

import asyncio

import pytest

from proxy.evidence.reads import Reads, SecondWrite
from proxy.types import Call, Version
from proxy.upstream import UpstreamSettings, make_engine
from tests.endtoend.evidence_writes import everything
from tests.servers import RawUpstream


def test_no_write_reaches_the_platform_twice() -> None:
    found = everything(1_050)
    assert found.twice == 0
    assert found.sent == 1_050
    assert found.written > 300
    assert found.compared > 500


@pytest.mark.parametrize(
    "call", [Call("POST", b"/x", []), Call("DELETE", b"/x", []), Call("GET", b"/x", [], b"{}")]
)
@pytest.mark.parametrize("version", Version)
def test_the_evidence_cannot_send_a_write(call: Call, version: Version) -> None:
    with RawUpstream([]) as upstream:
        settings = UpstreamSettings(upstream.url)

        async def told() -> None:
            reads = Reads(make_engine("native", settings), make_engine("native", settings))
            with pytest.raises(SecondWrite):
                await reads.send(version, call, 1000)
            await reads.close()

        asyncio.run(told())
        assert upstream.connections == 0
