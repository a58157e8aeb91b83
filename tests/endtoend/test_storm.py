"""Callers that leave, in ones and in thousands: what they had begun ends properly, and nothing is left open behind them."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable

import pytest

from proxy.upstream.journals import survey
from tests.emulator.caller import CREDENTIALS, JSON, order
from tests.endtoend.running import carried
from tests.raw import request
from tests.servers import RawUpstream, Reply

DONE = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


def eventually(true: Callable[[], object], within: float = 10.0) -> None:
    """Wait until something holds."""
    until = time.monotonic() + within
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize("stage", ["v2", "v2.1"])
@pytest.mark.parametrize("size", [10, 70_000, 300_000])
def test_a_caller_that_leaves_is_noticed_however_large_its_body_was(stage: str, size: int) -> None:
    body = json.dumps(order(note="x" * size))
    with RawUpstream(lambda _raw: Reply(DONE, delay=0.4)) as platform:  # noqa: SIM117 - one is inside the other
        with carried([stage], upstream=platform.url) as proxy:
            with socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2]))) as caller:
                caller.sendall(request("POST", "/v2/orders", body, [CREDENTIALS, JSON]))
                eventually(lambda: platform.requests)
            assert proxy.log_lines("in_doubt", least=1)[0]["outcome"] == "answered"
            eventually(lambda: len(survey(proxy.log_file.parent / "crossfade.journal").in_doubt) == 1)
            assert len(platform.requests) == 1
