"""Hundreds of callers that send a byte now and then: each is let go in time, and nobody else waits for them."""

from __future__ import annotations

import re
import selectors
import socket
import time
from pathlib import Path

from proxy.config.network import Server
from tests.emulator.caller import CREDENTIALS, FIRST_REF
from tests.endtoend.process import served
from tests.endtoend.running import carried
from tests.raw import parse, read_message, request
from tests.servers import emulator

PAGE = Path(__file__).parents[2] / "docs" / "limits.md"
READ = f"/v2/orders/{FIRST_REF}"
MANY = 500
HEAD = b"GET /v2/orders/r HTTP/1.1\r\nHost: test\r\nX-A: "
BODY = b"POST /v2/orders HTTP/1.1\r\nHost: test\r\nContent-Length: 9999\r\n\r\n{"


def test_five_hundred_trickling_callers_are_let_go_while_others_are_served(tmp_path: Path) -> None:
    keys = {"server.head_timeout": "2s", "server.body_timeout": "2s", "server.max_in_flight": 5}
    with emulator() as (url, _), served(tmp_path, url, {"route": [{"stage": "v2.1"}]}, keys) as running:
        begun = time.monotonic()
        slow = {socket.create_connection(("127.0.0.1", running.port)): number for number in range(MANY)}
        for one, number in slow.items():
            one.sendall(BODY if number % 2 else HEAD)
        heard: dict[int, bytes] = {}
        waits: list[float] = []
        with selectors.DefaultSelector() as selector:
            for one in slow:
                selector.register(one, selectors.EVENT_READ)
            while selector.get_map() and time.monotonic() - begun < 20:
                asked = time.monotonic()
                assert running.ask("GET", READ).status == 404
                waits.append(time.monotonic() - asked)
                for key, _ in selector.select(0.1):
                    peer = key.fileobj
                    assert isinstance(peer, socket.socket)
                    selector.unregister(peer)
                    heard[slow[peer]] = read_message(peer)[0]
                    peer.close()
                for key in list(selector.get_map().values()):
                    assert isinstance(key.fileobj, socket.socket)
                    key.fileobj.sendall(b"x")
        codes = {parse(raw).header("x-crossfade-code") for number, raw in heard.items() if number % 2}
        assert (len(heard), codes) == (MANY, {"CF-BODY-TIMEOUT"})
        codes = {parse(raw).header("x-crossfade-code") for number, raw in heard.items() if not number % 2}
        assert codes == {"CF-HEAD-TIMEOUT"}
        assert max(waits) < 2


def test_a_trickling_operator_is_let_go_too_and_refusals_are_counted_and_logged(tmp_path: Path) -> None:
    with served(tmp_path, "http://127.0.0.1:9", keys={"server.head_timeout": "500ms"}) as running:
        for port in (running.admin_port, running.port):
            with socket.create_connection(("127.0.0.1", port), 5) as slow:
                slow.sendall(HEAD)
                assert parse(read_message(slow)[0]).header("x-crossfade-code") == "CF-HEAD-TIMEOUT"
            with socket.create_connection(("127.0.0.1", port), 5) as rude:
                rude.sendall(b"GEHEIM\r\n\r\n")
                assert parse(read_message(rude)[0]).header("x-crossfade-code") == "CF-HEADERS"
        scraped = running.operator("/metrics").body.decode()
        for code in ("CF-HEAD-TIMEOUT", "CF-HEADERS"):
            assert f'crossfade_connections_refused_total{{code="{code}"}} 2.0' in scraped
        told = [(one["status"], one["code"]) for one in running.events() if one["event"] == "refused"]
        assert sorted(told) == [(400, "CF-HEADERS")] * 2 + [(408, "CF-HEAD-TIMEOUT")] * 2
        assert "GEHEIM" not in running.printed()


def test_a_connection_too_many_is_told_to_come_back() -> None:
    with carried(["v2"], keys={"server.max_connections": 2}) as proxy:
        where = ("127.0.0.1", int(proxy.url.rpartition(":")[2]))
        held = [socket.create_connection(where, 5) for _ in range(3)]
        heard = parse(read_message(held[2])[0])
        assert (heard.status, heard.header("retry-after"), held[2].recv(9)) == (503, "1", b"")
        for one in held:
            one.close()
        end = time.monotonic() + 5
        while proxy.ask("GET", READ).status != 404:
            assert time.monotonic() < end


def test_an_idle_connection_is_kept_as_long_as_the_operator_wants() -> None:
    with carried(["v2"], keys={"server.keepalive": "300ms"}) as proxy:
        where = ("127.0.0.1", int(proxy.url.rpartition(":")[2]))
        with socket.create_connection(where, 5) as caller:
            raw = request("GET", READ, b"", [CREDENTIALS]).replace(b"Connection: close\r\n", b"")
            caller.sendall(raw)
            assert parse(read_message(caller)[0]).status == 404
            begun = time.monotonic()
            assert caller.recv(9) == b""
            assert 0.2 < time.monotonic() - begun < 3


def test_the_page_names_every_limit() -> None:
    named = set(re.findall(r"^\| `server\.(\w+)` \|", PAGE.read_text("utf-8"), re.MULTILINE))
    limits = {
        one for one in Server.model_fields if one.startswith(("max_", "min_")) or one.endswith("_timeout")
    }
    assert named == limits | {"keepalive"}
