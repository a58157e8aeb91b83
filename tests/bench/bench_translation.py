"""What translating costs: `python -m tests.bench.bench_translation`. A program that prints figures; nothing fails on time.

The best of many rounds is printed, since other work on the machine only ever adds. Machines differ by half and more, so
every cost is also given in openings of a 1.2 KiB order by msgspec, measured in the same run: the bars, 25 µs for a create
of 0.5 KiB answered by 1.2 KiB, and 250 µs for 20 KiB, were set where one opening took 1.7 µs.
"""

from __future__ import annotations

import gc
import re
import timeit
from collections.abc import Callable
from functools import partial

import msgspec

from proxy.exchange import Asked, Reply, exchange
from proxy.mapping.api import CompiledMapping
from proxy.types import Answer
from tests.fuzz import bodies
from tests.mapping.goldens import asked, compiled

_ROUNDS = 25
ORDER = bodies.ORDER.replace(b"null", b"true")
RICH = bodies.ANSWER[:-1] + b',"orderItems":{"items":[]}}'
ANSWER = re.sub(rb'"items":\[\{[^]]*\]', b'"items":[]', RICH.replace(b"BROWSED", b"PURCHASED"))
_HEADERS = [(b"content-type", b"application/json"), (b"date", b"Sun, 22 Nov 2026 20:07:26 GMT")]


def grown(body: bytes, size: int) -> bytes:
    """The same document with an unknown text member that brings it to about `size` bytes."""
    return body[:-1] + b',"note":"' + b"z" * max(size - len(body) - 11, 0) + b'"}'


def items(body: bytes, size: int) -> bytes:
    """The same document with many small unknown objects inside, to about `size` bytes."""
    one = b'{"href":"https://example.com/a/1","price":30.60,"name":"a seat at the window","tags":["a","b"]}'
    return body[:-1] + b',"list":[' + b",".join([one] * max((size - len(body)) // (len(one) + 1), 1)) + b"]}"


def both(mapping: CompiledMapping, request: bytes, answer: bytes) -> Callable[[], Reply]:
    """The whole exchange of a create, without a socket."""
    template = asked(mapping, {"method": "POST", "target": "/v2/orders"})
    question = Asked(template.endpoint, {}, [], [], request)
    said = Answer(201, _HEADERS, answer)

    def act() -> Reply:
        running = exchange(mapping, question)
        next(running)
        try:
            running.send(said)
        except StopIteration as end:
            reply: Reply = end.value
            return reply
        raise AssertionError("a further call was made")

    return act


def best(act: Callable[[], object], count: int) -> float:
    """Microseconds for one run, the best of many rounds."""
    return min(timeit.repeat(act, number=count, repeat=_ROUNDS)) / count * 1e6


def main() -> None:
    """Print the rows."""
    mapping = compiled()
    gc.freeze()  # as `crossfade serve` does
    gc.set_threshold(50_000, 50, 50)
    opened = best(partial(msgspec.json.Decoder(dict[str, msgspec.Raw]).decode, grown(ANSWER, 1229)), 500)
    rows = [
        ("create, 0.5 KiB in, 1.2 KiB out", grown(ORDER, 512), grown(ANSWER, 1229), 500, "≤ 25 µs, ≤ 14.7"),
        ("the same, nothing unknown", ORDER, ANSWER, 500, ""),
        ("the same, a new status and a child", grown(ORDER, 512), grown(RICH, 1229), 500, ""),
        ("20 KiB in and out, one long text", grown(ORDER, 20_480), grown(ANSWER, 20_480), 100, "≤ 250 µs"),
        ("20 KiB in and out, many objects", items(ORDER, 20_480), items(ANSWER, 20_480), 100, "≤ 250 µs"),
        ("1 MiB in and out, many objects", items(ORDER, 1 << 20), items(ANSWER, 1 << 20), 2, "linear"),
    ]
    print(f"one opening of 1.2 KiB by msgspec: {opened:.2f} µs (1.7 where the bars were set)")
    print(f"{'translation, both directions':36} {'µs':>9} {'ns/byte':>8} {'openings':>9}  bar")
    for name, request, answer, count, bar in rows:
        act = both(mapping, request, answer)
        assert act().answer.status == 201
        cost = best(act, count)
        share = cost * 1000 / (len(request) + len(answer))
        print(f"{name:36} {cost:9.1f} {share:8.1f} {cost / opened:9.1f}  {bar}")


if __name__ == "__main__":
    main()
