"""What v2.1 cannot be asked is refused in v2's words, and nothing of it reaches the platform."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.emulator.caller import CREDENTIALS, JSON, order
from tests.endtoend.running import Carried, carried
from tests.raw import Heard, fetch, parse, request

LIMIT = 4096


def _post(body: bytes | str, *headers: tuple[str, str], target: str = "/v2/orders") -> bytes:
    return request("POST", target, body, [CREDENTIALS, *(headers or [JSON])])


def _get(target: str, method: str = "GET") -> bytes:
    return request(method, target, b"", [CREDENTIALS])


def _order(**changes: object) -> str:
    return json.dumps(order(**changes))


CHUNK = b"%x\r\n%s\r\n" % (LIMIT, b" " * LIMIT)
CHUNKED = (
    f"POST /v2/orders HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{CREDENTIALS[0]}: {CREDENTIALS[1]}\r\n"
    "Transfer-Encoding: chunked\r\n\r\n"
).encode() + CHUNK * 2
REFUSED: dict[str, tuple[bytes, int, str, str]] = {
    "broken JSON": (_post('{"price": 01}'), 400, "CF-JSON", "Line 1, column 12"),
    "empty body": (_post(b""), 400, "CF-JSON", "empty"),
    "white space": (_post(b" \r\n"), 400, "CF-JSON", "empty"),
    "array": (_post(b"[]"), 400, "CF-FIELD", "object"),
    "text": (_post(b'"x"'), 400, "CF-FIELD", "object"),
    "null": (_post(b"null"), 400, "CF-FIELD", "body"),
    "something behind": (_post(_order() + "x"), 400, "CF-JSON", "follows"),
    "not UTF-8": (_post(b'{"referenceId": "\xff"}'), 400, "CF-JSON", "UTF-8"),
    "UTF-16": (_post(_order().encode("utf-16")), 400, "CF-JSON", "UTF-8"),
    "byte order mark": (_post(b"\xef\xbb\xbf" + _order().encode()), 400, "CF-JSON", "byte order mark"),
    "lone surrogate": (_post(_order(referenceId="\ud800")), 400, "CF-JSON", "surrogate"),
    "depth bomb": (_post("[" * 1000 + "]" * 1000), 400, "CF-JSON", "nested"),
    "hidden depth bomb": (
        _post(_order()[:-1] + ',"x":' + "[" * 99 + "]" * 99 + "}"),
        400,
        "CF-JSON",
        "nested",
    ),
    "member twice": (_post(_order()[:-1] + ',"price":13}'), 400, "CF-DUPLICATE", "price"),
    "member twice, once escaped": (_post(_order()[:-1] + ',"pr\\u0069ce":13}'), 400, "CF-DUPLICATE", "price"),
    "price as text": (_post(_order(price="12")), 400, "CF-FIELD", "/price"),
    "price null": (_post(_order(price=None)), 400, "CF-FIELD", "/price"),
    "price missing": (_post(_order(price=...)), 400, "CF-FIELD", "/price"),
    "several missing": (_post(b"{}"), 400, "CF-FIELD", "/referenceId"),
    "point of sale missing": (_post(_order(pointOfSale=...)), 400, "CF-FIELD", "/pointOfSale"),
    "unknown status": (_post(_order(status="PARTIALLY_CONFIRMED")), 400, "CF-FIELD", "/status"),
    "a status that v2 lacks": (_post(_order(status="BROWSED")), 400, "CF-FIELD", "/status"),
    "unknown channel": (_post(_order(channel="FAX")), 400, "CF-FIELD", "/channel"),
    "items with content": (_post(_order(orderItems=[{"name": "x"}])), 400, "CF-", "/orderItems"),
    "bad update": (_post(_order(price=[]), target="/v2/orders/r1"), 400, "CF-FIELD", "/price"),
    "compressed body": (
        _post(gzip.compress(b"{}"), ("Content-Encoding", "gzip")),
        415,
        "CF-CODING",
        "coding",
    ),
    "too large": (_post(_order(x="y" * LIMIT)), 413, "CF-TOO-LARGE", str(LIMIT)),
    "too large, in chunks": (CHUNKED, 413, "CF-TOO-LARGE", str(LIMIT)),
    "guest on create": (_post(_order(), target="/v2/orders?guestRef=g"), 400, "CF-QUERY", "guestRef"),
    "both filters": (_get("/v2/orders?referenceId=a&guestRef=b"), 400, "CF-QUERY", "referenceId"),
    "no filter": (_get("/v2/orders"), 400, "CF-QUERY", "referenceId"),
    "bad limit": (_get("/v2/orders?referenceId=a&limit=x"), 400, "CF-QUERY", "limit"),
    "negative offset": (_get("/v2/orders?referenceId=a&offset=-1"), 400, "CF-QUERY", "offset"),
    "limit twice": (_get("/v2/orders?referenceId=a&limit=1&limit=2"), 400, "CF-QUERY", "limit"),
    "unknown query": (_get("/v2/orders?referenceId=a&colour=red"), 501, "CF-UNMAPPED", "query"),
    "unmapped path": (_get("/v2/orders/r1/attachments"), 501, "CF-UNMAPPED", "path"),
    "unmapped resource": (_get("/v2/orderItems/r1/notes"), 501, "CF-UNMAPPED", "path"),
    "patch": (_get("/v2/orders/r1", "PATCH"), 405, "CF-METHOD", "POST"),
    "put of the list": (_get("/v2/orders", "PUT"), 405, "CF-METHOD", "POST"),
    "delete": (_get("/v2/orders/r1", "DELETE"), 405, "CF-METHOD", "order_delete"),
    "elsewhere": (_get("/v3/orders"), 404, "CF-NOT-FOUND", "base URL"),
    "two credentials": (_post(_order(), CREDENTIALS), 400, "CF-HEADERS", "authorization"),
    "dot segments": (_get("/v2/orders/../guests"), 400, "CF-TARGET", "dot segment"),
    "escaped slash": (_get("/v2/orders/a%2Fb"), 400, "CF-TARGET", "escaped"),
    "absolute form": (_get("http://test/v2/orders?referenceId=a"), 400, "CF-TARGET", "origin form"),
    "own via": (
        request("GET", "/v2/orders/r", b"", [CREDENTIALS, ("Via", "1.1 crossfade")]),
        508,
        "CF-LOOP",
        "Via",
    ),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400, "CF-HEADERS", "HTTP"),
    "length twice": (
        _post(_order(), CREDENTIALS, ("Content-Length", "3")).replace(CREDENTIALS[1].encode(), b"", 1),
        400,
        "CF-HEADERS",
        "",
    ),
    "no host": (b"GET /v2/orders/r HTTP/1.1\r\nConnection: close\r\n\r\n", 400, "CF-HEADERS", "HTTP"),
    "chunks before HTTP/1.1": (CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0"), 400, "CF-HEADERS", "HTTP"),
    "chunks and more": (CHUNKED.replace(b": chunked", b": gzip, chunked"), 400, "CF-HEADERS", "HTTP"),
    "no version": (b"GET /v2/orders/r\r\n\r\n", 400, "CF-HEADERS", "HTTP"),
    "headers without end": (
        _get("/v2/orders/r")[:-2] + b"X-A: 1\r\n" * 300,
        431,
        "CF-HEAD-TOO-LARGE",
        "max_fields",
    ),
    "a header without end": (
        _get("/v2/orders/r")[:-2] + b"X-A: %s\r\n\r\n" % (b"x" * 99_999),
        431,
        "CF-HEAD-TOO-LARGE",
        "max_head",
    ),
    "a target that is too long": (_get("/v2/orders/" + "r" * 8192), 414, "CF-TARGET-LENGTH", "max_target"),
    "a target without end": (b"GET /" + b"r" * 99_999, 414, "CF-TARGET-LENGTH", "max_target"),
    "header lines that fold": (
        _get("/v2/orders/r")[:-2] + b"X-A: 1\r\n 2\r\n\r\n",
        400,
        "CF-HEADERS",
        "HTTP",
    ),
}
"""What is asked, and which status, code and place the answer has."""


@pytest.fixture(scope="module")
def moved() -> Iterator[Carried]:
    with carried(["v2.1"], keys={"server.max_body": f"{LIMIT}B"}) as proxy:
        yield proxy


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_names_code_place_and_request_and_nothing_is_sent(name: str, moved: Carried) -> None:
    raw, status, code, place = REFUSED[name]
    moved.emulator.recorded.clear()
    heard = parse(fetch(moved.url, raw))
    assert (heard.status, list(moved.emulator.recorded)) == (status, [])
    shown = in_v2s_shape(heard)
    assert shown["developerMessage"].startswith(code)
    assert place in shown["developerMessage"]
    assert heard.header("x-crossfade-outcome") == "not_sent"


def in_v2s_shape(heard: Heard) -> dict[str, Any]:
    """The error's body, after a look at everything that each of our own answers has."""
    assert heard.header("content-type") == "application/json", heard
    shown: dict[str, Any] = json.loads(heard.body)
    assert list(shown) == ["status", "code", "message", "developerMessage", "moreInfo", "moreInfoUrl"]
    assert (type(shown["status"]), shown["status"], shown["code"]) == (int, heard.status, heard.status)
    assert shown["message"]
    assert f"request {heard.header('x-request-id')}" in shown["developerMessage"]
    assert shown["developerMessage"].startswith(f"{heard.header('x-crossfade-code')} ")
    return shown


def test_what_is_refused_for_one_member_says_how_v2_would_put_it(moved: Carried) -> None:
    shown = json.loads(moved.ask("POST", "/v2/orders", _order(orderedAt=None)).body)
    assert shown["message"] == "orderedAt: may not be null."


def test_head_of_a_refusal_has_no_body(moved: Carried) -> None:
    heard = moved.ask("HEAD", "/v2/orders/r1/attachments")
    assert (heard.status, heard.body, heard.header("x-crossfade-code")) == (501, b"", "CF-UNMAPPED")


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE", "TRACE"])
def test_a_405_says_what_is_allowed(method: str, moved: Carried) -> None:
    heard = moved.ask(method, "/v2/orders/r1")
    assert (heard.status, heard.header("allow")) == (405, "GET, HEAD, OPTIONS, POST")


def test_what_is_sent_after_a_refusal_is_not_lost(moved: Carried) -> None:
    first = request("GET", "/v3", b"", [CREDENTIALS]).replace(b"Connection: close\r\n", b"")
    heard = parse(fetch(moved.url, first + _get("/v2/orders?referenceId=none")))
    assert heard.status == 404


def test_the_callers_own_request_id_is_handed_back_and_ours_stands_in_the_text() -> None:
    with carried(routes=[{"stage": "v2.1"}]) as running:
        ask = request("GET", "/v2/orders", b"", [CREDENTIALS, ("X-Request-ID", "mine-1")])
        heard = parse(fetch(running.url, ask))
    assert heard.header("x-request-id") == "mine-1"
    assert "mine-1" not in heard.body.decode()


@pytest.mark.parametrize(("given", "echoed"), [("order-7.a", True), ("x" * 500, False), ("a b\xfc", False)])
def test_the_callers_own_request_id_is_handed_back_if_it_is_harmless(
    given: str, echoed: bool, moved: Carried
) -> None:
    for heard in (
        moved.ask("POST", "/v2/orders", "{", ("X-Request-ID", given)),
        moved.ask("GET", "/v2/orders?referenceId=none", b"", ("X-Request-ID", given)),
    ):
        assert (heard.header("x-request-id") == given) == echoed
        assert heard.header("x-request-id")
