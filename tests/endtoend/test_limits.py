"""Too much, too slow, cut short: each ends as an answer in v2's shape, soon, and never as a second write."""

from __future__ import annotations

import gzip
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from proxy.emulator import Misbehaviour
from tests.emulator.caller import CREDENTIALS, FIRST_REF, order
from tests.endtoend.running import Carried, carried
from tests.raw import Heard, parse, read_message, request
from tests.servers import RawUpstream, Reply

READ = f"/v2/orders/{FIRST_REF}"


def own(heard: Heard, status: int, code: str, outcome: str) -> dict[str, object]:
    """The body of an answer of ours."""
    shown: dict[str, object] = json.loads(heard.body)
    assert (heard.status, heard.header("x-crossfade-code"), heard.header("x-crossfade-outcome")) == (
        status,
        code,
        outcome,
    )
    assert (shown["status"], shown["code"]) == (status, status)
    return shown


@pytest.mark.parametrize("stage", ["v2", "v2.1"])
def test_what_is_too_much_is_turned_away_at_once_and_the_rest_served(stage: str) -> None:
    with carried([stage], keys={"server.max_in_flight": 2}) as proxy:
        for version in proxy.emulator.mischief.table:
            proxy.emulator.mischief.set(version, Misbehaviour(slow=1.0, slow_seconds=0.8))

        def timed(_number: int) -> tuple[Heard, float]:
            begun = time.perf_counter()
            return proxy.ask("GET", READ), time.perf_counter() - begun

        with ThreadPoolExecutor(10) as pool:
            said = list(pool.map(timed, range(10)))
        away = [(heard, took) for heard, took in said if heard.status == 503]
        assert len(away) == 8
        for heard, took in away:
            own(heard, 503, "CF-OVERLOADED", "not_sent")
            assert (heard.header("retry-after"), took < 0.7) == ("1", True)
        assert [heard.status for heard, _ in said].count(404) == len(proxy.emulator.recorded) == 2


@pytest.mark.parametrize("stage", ["v2", "v2.1"])
def test_a_body_that_does_not_come_ends_in_408(stage: str) -> None:
    with carried([stage], keys={"server.body_timeout": "300ms"}) as proxy:
        raw = request("POST", "/v2/orders", json.dumps(order()), [CREDENTIALS])
        begun = time.monotonic()
        with socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2])), 5) as connection:
            connection.sendall(raw[:-20])
            own(parse(read_message(connection)[0]), 408, "CF-BODY-TIMEOUT", "not_sent")
        assert time.monotonic() - begun < 2
        assert not proxy.emulator.recorded


@pytest.mark.parametrize("stage", ["v2", "v2.1"])
def test_a_caller_that_leaves_in_its_body_causes_no_write(stage: str) -> None:
    with carried([stage]) as proxy:
        raw = request("POST", "/v2/orders", json.dumps(order()), [CREDENTIALS])
        with socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2])), 5) as connection:
            connection.sendall(raw[:-20])
        assert proxy.log_lines("request", least=1)[0]["code"] == "CF-BODY-TIMEOUT"
        assert not proxy.emulator.recorded


@pytest.mark.parametrize("stage", ["v2", "v2.1"])
def test_a_caller_that_leaves_after_its_write_was_accepted_has_written(stage: str) -> None:
    with carried([stage]) as proxy:
        for version in proxy.emulator.mischief.table:
            proxy.emulator.mischief.set(version, Misbehaviour(slow=1.0, slow_seconds=0.3))
        raw = request("POST", "/v2/orders", json.dumps(order()), [CREDENTIALS])
        with socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2])), 5) as connection:
            connection.sendall(raw)
            time.sleep(0.1)
        assert proxy.log_lines("request", least=1)[0]["status"] == 201
        assert len(proxy.emulator.recorded) == 1


BROKEN = {
    "hangs up": (Reply(then="close"), 502, "CF-BROKEN"),
    "answers nonsense": (Reply(b"garbage\r\n\r\n", then="close"), 502, "CF-BAD-ANSWER"),
    "stops half way": (
        Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", then="close"),
        502,
        "CF-BROKEN",
    ),
    "says nothing": (Reply(then="stall"), 504, "CF-TIMEOUT"),
    "has an odd status": (Reply(b"HTTP/1.1 799 X\r\nContent-Length: 0\r\n\r\n"), 502, "CF-BAD-ANSWER"),
}


@pytest.mark.parametrize("stage", ["v2", "shadow", "v2.1"])
@pytest.mark.parametrize("name", BROKEN)
def test_a_platform_that_breaks_is_told_apart_and_asked_once(name: str, stage: str) -> None:
    reply, status, code = BROKEN[name]
    timeouts = {"upstream.v2.read_timeout": "400ms", "upstream.v2_1.read_timeout": "400ms"}
    with (
        RawUpstream(lambda _raw: reply) as upstream,
        carried([stage], keys=timeouts, upstream=upstream.url) as proxy,
    ):
        own(proxy.ask("POST", "/v2/orders", json.dumps(order())), status, code, "unknown")
        assert len(upstream.requests) == 1


def test_a_platform_that_is_not_there_was_sent_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for stage in ("v2", "v2.1"):
        with carried([stage], upstream=f"http://127.0.0.1:{port}") as proxy:
            own(proxy.ask("POST", "/v2/orders", json.dumps(order())), 502, "CF-UNREACHABLE", "not_sent")


@pytest.mark.parametrize("kind", ["error_500", "error_503", "too_many"])
def test_a_front_servers_page_becomes_an_error_that_v2_callers_can_read(kind: str) -> None:
    with carried(["v2.1"]) as proxy:
        proxy.emulator.mischief.set("v2.1", Misbehaviour().changed({kind: 1.0}))
        for heard in said(proxy):
            shown = json.loads(heard.body)
            assert (shown["status"], shown["code"], heard.header("content-type")) == (
                heard.status,
                heard.status,
                "application/json",
            )
            assert heard.header("retry-after") == ("1" if kind == "too_many" else None)


def said(proxy: Carried) -> list[Heard]:
    return [proxy.ask("GET", READ), proxy.ask("POST", "/v2/orders", json.dumps(order()))]


@pytest.mark.parametrize("first", [b"", b"GET ", b"GET /v2/orders/r HTTP/1.1\r\nHost: a\r\n"])
def test_a_header_section_that_trickles_in_does_not_hold_a_connection(first: bytes) -> None:
    with carried(["v2"], keys={"server.head_timeout": "500ms"}) as proxy:
        begun = time.monotonic()
        with socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2])), 5) as connection:
            connection.sendall(first)
            raw = read_message(connection)[0]
            assert connection.recv(100) == b""
        assert 0.3 < time.monotonic() - begun < 2
        if first:
            own(parse(raw), 408, "CF-HEAD-TIMEOUT", "not_sent")
        else:
            assert raw == b"", "who has asked nothing is told nothing"
        assert proxy.ask("GET", READ).status == 404


def test_a_slow_answer_is_not_taken_for_a_slow_caller() -> None:
    with carried(["v2"], keys={"server.head_timeout": "200ms"}) as proxy:
        proxy.emulator.mischief.set("v2", Misbehaviour(slow=1.0, slow_seconds=0.6))
        assert proxy.ask("GET", READ).status == 404


@pytest.mark.parametrize(("most", "status"), [("12MiB", 200), ("8MiB", 502)])
def test_how_large_a_coded_answer_may_grow_is_what_the_configuration_says(most: str, status: int) -> None:
    shown = {"ref": "r", "href": "https://x.test/v2.1/orders/r", "note": "x" * (9 << 20)}
    body = gzip.compress(json.dumps(shown).encode())
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    with RawUpstream(lambda _request: head % len(body) + body) as platform:
        keys = {"upstream.v2_1.max_answer": most}
        with carried(["v2.1"], upstream=platform.url, keys=keys) as proxy:
            heard = proxy.ask("GET", READ)
    assert heard.status == status
    assert status != 200 or json.loads(heard.body)["note"] == shown["note"]
