"""What comparing costs: an order that differs, growing documents, a thousand items matched by their key; all compact, as
the platform prints them.

`python -m tests.bench.bench_evidence` prints microseconds of processor time, the best of several rounds. An opening is
what it costs to open an object of ten members: a unit that is the same on a slow machine.
"""

from __future__ import annotations

import json
from time import process_time
from typing import Any

from msgspec import Raw

from proxy.evidence.classify import classify
from proxy.evidence.compare import compare
from proxy.exchange import Reply
from proxy.json import open_object
from proxy.types import Answer
from tests.evidence.answers import MAPPING, hashed, played
from tests.mapping.goldens import PLATFORM

ONE = "orders.get/documented-shape"
PAGE = "orders.list/by-guest-in-pages"
OURS = "http://localhost:8080"


def best(work: Any, times: int, rounds: int = 7) -> float:
    """Microseconds of one turn, in the best of some rounds."""
    found = []
    for _ in range(rounds):
        begin = process_time()
        for _ in range(times):
            work()
        found.append((process_time() - begin) / times * 1e6)
    return min(found)


def order(price: int, base: str) -> dict[str, Any]:
    """An order of about 1.2 KiB, as both versions print it."""
    link = f"{base}/v2/orders/2d7de9df-45a2-45ea-872c-30e45139007d"
    return {
        "href": link,
        "ref": "2d7de9df-45a2-45ea-872c-30e45139007d",
        "createdAt": "2024-01-01T16:17:16.000Z",
        "modifiedAt": "2024-01-01T16:17:16.000Z",
        "referenceId": "B94TXY-1",
        "orderedAt": "2024-01-01T16:17:16.000Z",
        "status": "PURCHASED",
        "price": price,
        "currencyCode": "EUR",
        "pointOfSale": "spinair.com/france",
        "channel": "WEB",
        "paymentType": "Card",
        "cardType": "Visa",
        "contacts": {"href": f"{link}/contacts"},
        "consumers": {"href": f"{link}/consumers"},
        "orderItems": {"href": f"{link}/orderItems"},
        "loyalty": {"tier": "gold", "points": list(range(20)), "note": "n" * 350},
    }


def printed(document: Any) -> bytes:
    """A document without white space."""
    return json.dumps(document, separators=(",", ":")).encode()


def compared(name: str, v2: Any, ours: Any) -> Any:
    """A comparison to be timed, to the verdict; what it finds is looked at once."""
    _, request, reply = played(name)
    theirs, made = (Answer(200, [], printed(one)) for one in (v2, ours))
    said = Reply(made, made, reply.trace)

    def work() -> Any:
        return classify(compare(theirs, said, request.endpoint, MAPPING, hashed), (200, 200))

    return work


def page(items: int, price: int, base: str, *, turned: bool = False) -> dict[str, Any]:
    """A list whose items are matched by their links."""
    found = [{"href": f"{base}/v2/orders/{number}", "price": price} for number in range(items)]
    return {"items": found[::-1] if turned else found}


def opening() -> float:
    """Microseconds of opening an object of ten members."""
    text = Raw(printed({f"member{number}": number for number in range(10)}))
    return best(lambda: open_object(text), 2_000)


def main() -> None:
    """Print the figures."""
    unit = opening()
    rows: list[tuple[str, float]] = []
    v2, ours = order(30, PLATFORM), order(31, OURS)
    unequal = compared(ONE, v2, ours)
    assert unequal().cls == "unexpected"
    rows.append((f"an order of {len(printed(v2))} bytes, unequal", best(unequal, 300)))
    equal = compared(ONE, v2, order(30, OURS))
    assert equal().cls == "equal"
    rows.append((f"an order of {len(printed(v2))} bytes, equal", best(equal, 300)))
    for items in (100, 200, 400, 800, 1_000):
        work = compared(PAGE, page(items, 1, PLATFORM), page(items, 2, OURS, turned=True))
        assert work().cls == "unexpected"
        rows.append((f"{items} items by key, turned round, all unequal", best(work, 3, 3)))
    for name, cost in rows:
        print(f"{name:<52}{cost:>10.1f} µs{cost / unit:>10.1f} openings")


if __name__ == "__main__":
    main()
