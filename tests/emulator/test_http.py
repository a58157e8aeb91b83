"""The HTTP around the calls: accounts, headers, the record, steering, running it."""

from __future__ import annotations

import base64
import gzip
import json
import signal
import socket
import subprocess
import sys
import time

import pytest

from tests.emulator.caller import CREDENTIALS, FIRST_REF, JSON, Caller, fresh_platform, order
from tests.servers import emulator, fetch, parse, request


def basic(pair: str, scheme: str = "Basic") -> tuple[str, str]:
    return "Authorization", f"{scheme} {base64.b64encode(pair.encode()).decode()}"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [basic(":t")],
        [basic("k:")],
        [basic("kt")],
        [basic("k:t", "Bearer")],
        [("Authorization", "Basic ###")],
    ],
)
def test_every_version_refuses_a_stranger_in_its_own_words(
    call: Caller, headers: list[tuple[str, str]]
) -> None:
    text = (
        "Authentication credentials are required to access the resource. All requests must be authenticated."
    )
    link = "https://support.sitecore.com"
    answers = [call.anonymous("GET", f"/{v}/orders", b"", *headers) for v in ("v2", "v2.1")]
    assert [answer.status for answer in answers] == [401, 401]
    assert [answer.header("www-authenticate") for answer in answers] == ['Basic realm="platform"'] * 2
    assert [json.loads(answer.body) for answer in answers] == [
        {"status": 401, "code": 401, "message": text, "developerMessage": text, "moreInfo": link},
        {"status": "UNAUTHORIZED", "code": 401, "message": text, "moreInfoUrl": link},
    ]


def test_accounts_are_held_to_their_token() -> None:
    with emulator(accounts={"key": "right"}) as (url, _app):
        seen = [
            parse(fetch(url, request("GET", "/v2/orders?referenceId=a", headers=[basic(pair)]))).status
            for pair in ("key:right", "key:wrong", "other:right", "other:")
        ]
    assert seen == [200, 401, 401, 401]


def test_answers_carry_the_platforms_headers(call: Caller) -> None:
    answers = [call("GET", "/v2/orders/none"), call("GET", "/v2/orders/none")]
    assert [answer.header("date") for answer in answers] == [
        "Fri, 19 Dec 2025 12:19:01 GMT",
        "Fri, 19 Dec 2025 12:19:02 GMT",
    ]
    assert {answer.header("server") for answer in answers} == {"platform"}
    assert answers[0].header("x-correlation-id") != answers[1].header("x-correlation-id")
    assert answers[0].header("etag") is None
    assert len([name for name, _ in answers[0].headers if name == "date"]) == 1


def test_head_is_get_without_a_body(call: Caller) -> None:
    call.created()
    get, head = call("GET", f"/v2/orders/{FIRST_REF}"), call("HEAD", f"/v2/orders/{FIRST_REF}")
    assert (head.status, head.header("content-length"), head.body) == (200, str(len(get.body)), b"")


def test_options_names_the_methods_to_anybody(call: Caller) -> None:
    assert [
        call.anonymous("OPTIONS", path).header("allow") for path in ("/v2/orders/a", "/v2.1/orders/a")
    ] == [
        "GET, POST, HEAD, OPTIONS",
        "GET, PUT, PATCH, DELETE, HEAD, OPTIONS",
    ]
    assert call.anonymous("OPTIONS", "/v2/guests").status == 404


def test_a_compressed_answer_says_the_same(call: Caller) -> None:
    call.created()
    target = f"/v2/orders/{FIRST_REF}"
    plain = call("GET", target, b"", ("Accept-Encoding", "gzip;q=0"))
    packed = call("GET", target, b"", ("Accept-Encoding", "gzip"))
    assert (plain.header("content-encoding"), packed.header("content-encoding")) == (None, "gzip")
    assert (gzip.decompress(packed.body), packed.header("vary")) == (plain.body, "Accept-Encoding")
    assert call("GET", "/v2/orders/none", b"", ("Accept-Encoding", "gzip")).header("content-encoding") is None


def test_the_record_holds_what_came_byte_for_byte(call: Caller) -> None:
    call("POST", "/v2/orders/?guestRef=a%2fb", b'{"price": 1.0}', ("X-Twice", "1"), ("X-Twice", "2"))
    seen = call.app.recorded[0]
    assert (seen.method, seen.target, seen.body) == ("POST", b"/v2/orders/?guestRef=a%2fb", b'{"price": 1.0}')
    assert [value for name, value in seen.headers if name == b"x-twice"] == [b"1", b"2"]
    assert seen.header("Authorization") == CREDENTIALS[1]
    assert "token" not in repr(seen)
    assert CREDENTIALS[1] not in repr(seen)


def test_the_record_is_read_without_credentials_and_cleared(call: Caller) -> None:
    call("GET", "/v2/orders?referenceId=a")
    call("GET", "/elsewhere")
    body = call.anonymous("GET", "/_emulator/requests").body
    assert [one["target"] for one in json.loads(body)["requests"]] == [
        "/v2/orders?referenceId=a",
        "/elsewhere",
    ]
    assert CREDENTIALS[1].encode() not in body
    assert call.anonymous("DELETE", "/_emulator/requests").status == 204
    assert list(call.app.recorded) == []


def test_the_record_is_bounded() -> None:
    with emulator(keep=2) as (url, app):
        for number in range(3):
            fetch(url, request("GET", f"/v2/orders/{number}"))
    assert [seen.target for seen in app.recorded] == [b"/v2/orders/1", b"/v2/orders/2"]


def test_steering_can_be_looked_at_and_turned_off(call: Caller) -> None:
    assert json.loads(call.anonymous("GET", "/_emulator/switches").body)["v2_match"] == "update"
    assert json.loads(call.anonymous("GET", "/_emulator/misbehaviour").body)["v2"]["slow"] == 0
    assert call.anonymous("PUT", "/_emulator/switches").status == 405
    assert call.anonymous("GET", "/_emulator/other").status == 404
    with emulator(steering=False) as (url, _app):
        assert parse(fetch(url, request("GET", "/_emulator/switches"))).status == 404


@pytest.mark.parametrize("peer", ["203.0.113.9", "nowhere"])
def test_only_this_machine_may_steer(call: Caller, peer: str) -> None:
    # the server takes a loopback peer's word for whom it speaks for: a far caller without a far machine
    answer = call.anonymous("POST", "/_emulator/switches", '{"pretty": true}', ("X-Forwarded-For", peer))
    assert (answer.status, call.app.platform.switches.pretty) == (403, False)


def test_two_fresh_emulators_answer_byte_for_byte_the_same() -> None:
    def run() -> list[bytes]:
        with emulator(fresh_platform()) as (url, _app):
            body = json.dumps(order()).encode()
            return [
                fetch(
                    url,
                    request(method, target, body if method == "POST" else b"", [CREDENTIALS, JSON, packed]),
                )
                for method, target in (
                    ("POST", "/v2/orders"),
                    ("POST", "/v2.1/orders"),
                    ("GET", f"/v2/orders/{FIRST_REF}"),
                    ("GET", "/v2.1/orders?referenceId=B94TXY-1&expand=true"),
                )
            ]

    packed = ("Accept-Encoding", "gzip")
    first = run()
    time.sleep(1.1)  # a clock read from the machine, or one in a gzip header, would show
    assert run() == first


def test_a_caller_that_leaves_in_the_middle_is_forgotten(call: Caller) -> None:
    with socket.create_connection(("127.0.0.1", int(call.url.rsplit(":", 1)[1]))) as connection:
        connection.sendall(b"POST /v2/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{")
    assert call.status("GET", "/v2/orders/none") == 404
    assert len(call.app.recorded) == 1


def test_it_runs_as_a_program_and_ends_when_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    code = (
        "import sys; from proxy.emulator.serve import run; from proxy.emulator import parse_switches;"
        "run('127.0.0.1', int(sys.argv[1]), parse_switches(sys.argv[2:]))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(port), "v2_update_status=201"])
    try:
        until = time.monotonic() + 20
        while True:
            try:
                ref = json.loads(
                    parse(fetch(port, request("POST", "/v2/orders", json.dumps(order()), [CREDENTIALS]))).body
                )["href"]
                break
            except ConnectionRefusedError:
                assert time.monotonic() < until
                time.sleep(0.05)
        target = ref.removeprefix(f"http://127.0.0.1:{port}")
        updated = parse(fetch(port, request("POST", target, json.dumps(order()), [CREDENTIALS])))
        assert (updated.status, [name for name, _ in updated.headers].count("server")) == (201, 1)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
