"""Requests as integrations really send them, the odd ones above all: raw bytes, in an order that makes sense."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping

from tests.emulator.caller import CREDENTIALS, FIRST_REF, JSON, order
from tests.raw import request

ORDERS = "/v2/orders"
ONE = f"{ORDERS}/{FIRST_REF}"
ORDER = json.dumps(order())
FORM = ("Content-Type", "application/x-www-form-urlencoded")
ORIGIN = ("Origin", "https://shop.example")


def _ask(method: str, target: str, body: bytes | str = b"", *headers: tuple[str, str]) -> bytes:
    return request(method, target, body, [CREDENTIALS, *headers])


def _chunked(target: str, pieces: Iterable[bytes]) -> bytes:
    head = (
        f"POST {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{CREDENTIALS[0]}: {CREDENTIALS[1]}\r\n"
    )
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + body + b"0\r\n\r\n"


def _order(**changes: object) -> str:
    return json.dumps(order(**changes))


ODD: Mapping[str, bytes] = {
    "create": _ask("POST", ORDERS, ORDER, JSON),
    "create labelled as a form": _ask("POST", ORDERS, _order(referenceId="FORM"), FORM),
    "create without a label": _ask("POST", ORDERS, _order(referenceId="BARE")),
    "create again, which v2 takes as an update": _ask("POST", ORDERS, ORDER, JSON),
    "create in chunks": _chunked(ORDERS, [ORDER[:10].encode(), ORDER[10:11].encode(), ORDER[11:].encode()]),
    "create for a guest": _ask("POST", f"{ORDERS}?guestRef=g-1", _order(referenceId="GUEST"), JSON),
    "create with unknown members": _ask("POST", ORDERS, _order(referenceId="U", x={"y": [1, None]}), JSON),
    "create with odd white space": _ask("POST", ORDERS, "\r\n\t " + ORDER + " \n", JSON),
    "duplicate keys": _ask("POST", ORDERS, ORDER[:-1] + ', "price": 13.50}', JSON),
    "bad JSON": _ask("POST", ORDERS, '{"price": 01}', JSON),
    "empty body": _ask("POST", ORDERS, b"", JSON),
    "array as body": _ask("POST", ORDERS, b"[]", JSON),
    "bytes that are no text": _ask("POST", ORDERS, b'{"price": "\xff\xfe"}', JSON),
    "byte order mark": _ask("POST", ORDERS, b"\xef\xbb\xbf" + ORDER.encode(), JSON),
    "compressed body": _ask(
        "POST", ORDERS, gzip.compress(b"{}", mtime=0), JSON, ("Content-Encoding", "gzip")
    ),
    "missing member": _ask("POST", ORDERS, _order(price=...), JSON),
    "null member": _ask("POST", ORDERS, _order(price=None), JSON),
    "update": _ask("POST", ONE, _order(status="CANCELLED"), JSON),
    "update with a slash behind": _ask("POST", f"{ONE}/", _order(status="CONFIRMED"), JSON),
    "update of nothing": _ask("POST", f"{ORDERS}/none", ORDER, JSON),
    "read": _ask("GET", ONE),
    "read with a slash behind": _ask("GET", f"{ONE}/"),
    "read with a lone question mark": _ask("GET", f"{ONE}?"),
    "read expanded": _ask("GET", f"{ONE}?expand=orderItems"),
    "read with gzip": _ask("GET", ONE, b"", ("Accept-Encoding", "gzip, deflate, br")),
    "read without any coding": _ask("GET", ONE, b"", ("Accept-Encoding", "identity;q=1, *;q=0")),
    "read with a body": _ask("GET", ONE, b"{}"),
    "read of nothing": _ask("GET", f"{ORDERS}/none"),
    "read by escaped name": _ask("GET", f"{ORDERS}/%C3%A9%20x"),
    "head": _ask("HEAD", ONE),
    "head of nothing": _ask("HEAD", f"{ORDERS}/none"),
    "list": _ask("GET", f"{ORDERS}?referenceId=B94TXY-1"),
    "list with gzip": _ask("GET", f"{ORDERS}?guestRef=g-1&expand=true", b"", ("Accept-Encoding", "gzip")),
    "list in pages": _ask("GET", f"{ORDERS}?referenceId=B94TXY-1&offset=0&limit=1"),
    "list beyond the end": _ask("GET", f"{ORDERS}?referenceId=B94TXY-1&offset=90&limit=200"),
    "list with both filters": _ask("GET", f"{ORDERS}?referenceId=B94TXY-1&guestRef=g-1"),
    "list with repeated keys": _ask("GET", f"{ORDERS}?referenceId=a&referenceId=B94TXY-1&limit=1&limit=2"),
    "list with a bad limit": _ask("GET", f"{ORDERS}?referenceId=B94TXY-1&limit=many"),
    "list without a filter": _ask("GET", ORDERS),
    "sloppy query": _ask("GET", f'{ORDERS}?&&referenceId=B94TXY-1&=&a==b&c&{{x}}|^`<>"[]\\?/'),
    "query with a broken escape": _ask("GET", f"{ORDERS}?referenceId=%zz%4"),
    "other resource": _ask("GET", "/v2/guests/42?expand=true"),
    "write to another resource": _ask("POST", "/v2/guests", '{"a": 1}', JSON),
    "children": _ask("GET", f"{ONE}/orderItems"),
    "extension": _ask("POST", f"{ONE}/extensions", '{"key":"default"}', JSON),
    "put": _ask("PUT", ONE, ORDER, JSON),
    "patch": _ask("PATCH", ONE, "{}", JSON),
    "patch of the list": _ask("PATCH", ORDERS, "{}", JSON),
    "delete": _ask("DELETE", ONE),
    "an unheard-of method": _ask("PROPFIND", ONE),
    "options": _ask("OPTIONS", ONE),
    "preflight": _ask(
        "OPTIONS",
        ORDERS,
        b"",
        ORIGIN,
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "authorization, content-type"),
    ),
    "read from a page": _ask("GET", ONE, b"", ORIGIN),
    "latin-1 in a header": _ask(
        "GET", ONE, b"", ("X-Customer", "Andr\xe9 \xfc"), ("User-Agent", "J\xe4va/1.8")
    ),
    "repeated headers": _ask("GET", ONE, b"", ("X-A", "1"), ("x-b", "2"), ("X-A", "1"), ("Cookie", "a=b; c")),
    "headers for one hop": _ask(
        "GET", ONE, b"", ("X-A", "1"), ("Keep-Alive", "timeout=5"), ("TE", "trailers")
    ),
    "conditions and ranges": _ask("GET", ONE, b"", ("If-None-Match", '"x"'), ("Range", "bytes=0-1")),
    "method override": _ask("POST", ONE, ORDER, JSON, ("X-HTTP-Method-Override", "DELETE")),
    "no credentials": request("GET", ONE),
    "broken credentials": request("GET", ONE, b"", [("Authorization", "Basic ???")]),
    "another scheme": request("POST", ORDERS, ORDER, [("Authorization", "Bearer abc"), JSON]),
    "read after all": _ask("GET", ONE),
}
"""The name of each says what is odd about it."""
