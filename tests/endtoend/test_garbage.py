"""What the collector of garbage is left with: nothing of a request, so that it never has to stop the others for it."""

from __future__ import annotations

import gc
import json
import socket

import pytest

from tests.emulator.caller import CREDENTIALS, FIRST_REF, order
from tests.endtoend.running import carried
from tests.raw import read_message, request

MANY = 40
OWN = ("proxy.", "uvicorn.")
CALLS = {
    "a create": ("POST", "/v2/orders", True),
    "a read": ("GET", f"/v2/orders/{FIRST_REF}", False),
    "a refusal": ("PATCH", "/v2/orders", False),
}


@pytest.mark.parametrize("stage", ["v2", "v2.1"])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_a_request_leaves_no_cycle_of_references(stage: str, call: tuple[str, str, bool]) -> None:
    method, target, whole = call
    with carried([stage], keys={"log.requests": "all"}) as proxy:
        port = int(proxy.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), 5) as caller:

            def ask(many: int) -> None:
                for number in range(many):
                    body = json.dumps(order(referenceId=f"G{number}")) if whole else b""
                    raw = request(method, target, body, [CREDENTIALS]).replace(b"Connection: close\r\n", b"")
                    caller.sendall(raw)
                    assert read_message(caller)[0].startswith(b"HTTP/1.1 ")

            ask(3)
            gc.collect()
            gc.disable()
            gc.set_debug(gc.DEBUG_SAVEALL)
            try:
                ask(MANY)
                gc.collect()
                left = [type(one) for one in gc.garbage]
            finally:
                gc.set_debug(0)
                gc.garbage.clear()
                gc.enable()
    own = [
        one.__qualname__
        for one in left
        if one.__module__.startswith(OWN) and "emulator" not in one.__module__
    ]
    assert len(own) < MANY, own
