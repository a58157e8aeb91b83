"""Prints what the ground floor costs each request, in microseconds (the best of several runs).

Run it as `python -m tests.wire.measure` or by its path, with the project on the import path.
"""

from __future__ import annotations

import sys
import timeit
from collections.abc import Callable

from proxy.json import check_document, equal_numbers, kind, open_object, render, text_of
from proxy.types import Headers
from proxy.wire import request_id
from proxy.wire.credentials import CallerIds
from proxy.wire.headers import check_request, edited, end_to_end, for_caller, for_translated, for_upstream
from proxy.wire.target import check_target

BODY = (
    b'{"pointOfSale":"spinair.com/france","channel":"WEB","currencyCode":"EUR","price":12.50,'
    b'"orderedAt":"2025-12-19T12:07:18.149Z","referenceId":"B94TXY-1","paymentType":"Card","status":"PURCHASED"}'
)
SPACED = BODY.replace(b":", b": ").replace(b",", b",\n  ")
TWISTED = BODY.replace(b'"price"', b'"pric\\u0065"')
TARGET = b"/v2/orders/8f3b1c2e-1234-4a4a-9f9f-000000000000/orderItems?limit=10&offset=0"
HEADERS: Headers = [
    (b"host", b"proxy.example"),
    (b"user-agent", b"legacy/1.0"),
    (b"accept", b"*/*"),
    (b"accept-encoding", b"gzip, deflate"),
    (b"connection", b"keep-alive"),
    (b"authorization", b"Basic dXNlcjpwYXNzd29yZA=="),
    (b"content-type", b"application/json"),
    (b"content-length", b"210"),
    (b"x-request-id", b"abc"),
    (b"x-tenant", b"1"),
]


def main() -> None:
    """Measure and print."""
    callers, opened = CallerIds(b"k" * 32), open_object(BODY)
    work: dict[str, Callable[[], object]] = {
        "check_document": lambda: check_document(BODY),
        "open_object, compact": lambda: open_object(BODY),
        "open_object, white space": lambda: open_object(SPACED),
        "open_object, escaped key": lambda: open_object(TWISTED),
        "render": lambda: render(opened),
        "kind": lambda: kind(opened["price"]),
        "text_of": lambda: text_of(opened["status"]),
        "equal_numbers": lambda: equal_numbers(b"30.6", b"30.60"),
        "check_target, clean": lambda: check_target(TARGET),
        "check_target, escapes": lambda: check_target(TARGET + b"%20"),
        "check_target, escapes in the path": lambda: check_target(b"/v2/orders/Z%c3%bcrich"),
        "check_request": lambda: check_request(HEADERS),
        "end_to_end": lambda: end_to_end(HEADERS),
        "for_upstream": lambda: for_upstream(HEADERS, "id"),
        "for_translated": lambda: for_translated(HEADERS, "id", has_body=True),
        "for_caller": lambda: for_caller(HEADERS),
        "edited": lambda: edited(HEADERS),
        "CallerIds.of": lambda: callers.of(b"Basic dXNlcjpwYXNzd29yZA=="),
        "request_id.new": request_id.new,
    }
    for name, step in work.items():
        seconds = min(timeit.repeat(step, number=5_000, repeat=9)) / 5_000
        sys.stdout.write(f"{name:36}{seconds * 1e6:8.2f} us\n")


if __name__ == "__main__":
    main()
