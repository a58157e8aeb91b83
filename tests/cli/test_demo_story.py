"""The stories in the demo's traffic: what follows from what, and at which stage they can be told."""

from __future__ import annotations

import json
import time

import pytest

from proxy.cli.demo.material import Story, Teller, Template, read_traffic
from proxy.cli.demo.story import stage_of, told
from proxy.cli.demo.traffic import traffic
from proxy.mapping.api import SHIPPED, CompiledMapping, load
from proxy.mapping.links import Bases
from tests.servers import RawUpstream

DESK = Teller("desk", "v2.1", "v2")
MADE = Template("make", "POST", "/v2/orders", "application/json", '{"referenceId": "$reference"}', "order")
READ = Template("read", "GET", "/v2/orders/$order")


@pytest.fixture(scope="module")
def mapping() -> CompiledMapping:
    nowhere = "http://a.invalid"
    return load(SHIPPED).compiled({}, Bases(nowhere, nowhere, nowhere))


def story(*steps: Template) -> Story:
    return Story("ref", "href", [DESK], steps)


def test_a_step_is_told_with_what_the_ones_before_have_made() -> None:
    after = Template("after", "POST", "/v2/orders/$order", "application/json", '{"href": "$order_href"}')
    calls = told(story(MADE, READ, after), "desk", {"reference": "R-1"})
    first = next(calls)
    assert (first.caller, first.target, first.body) == ("desk", "/v2/orders", b'{"referenceId": "R-1"}')
    second = calls.send(b'{"ref": "r-7", "href": "http://p/v2/orders/r-7"}')
    assert (second.target, second.body) == ("/v2/orders/r-7", b"")
    assert calls.send(None).body == b'{"href": "http://p/v2/orders/r-7"}'
    assert next(calls, None) is None


@pytest.mark.parametrize("answer", [None, b"<html>", b"[]", b'{"ref": "r-7"}'])
def test_a_story_ends_where_nothing_was_made(answer: bytes | None) -> None:
    calls = told(story(MADE, READ), "desk", {"reference": "R-1"})
    next(calls)
    with pytest.raises(StopIteration):
        calls.send(answer)


@pytest.mark.parametrize(
    ("step", "stage"),
    [
        (READ, "v2.1"),
        (Template("read", "GET", "/v2/orders/$order?expand=orderItems"), "v2.1"),
        (Template("no such path", "GET", "/v2/orders/$order/weather"), "v2"),
        (Template("no such method", "PUT", "/v2/orders/$order"), "v2"),
        (Template("no such query", "GET", "/v2/orders/$order?weather=fine"), "v2"),
    ],
)
def test_a_story_waits_at_its_earlier_stage_until_every_step_is_mapped(
    mapping: CompiledMapping, step: Template, stage: str
) -> None:
    assert stage_of(story(MADE, step), DESK, mapping) == stage


def test_the_traffic_tells_each_story_again_and_again() -> None:
    material = read_traffic()
    body = json.dumps({"ref": "r-7", "href": "http://p/v2/x/r-7"}).encode()
    made = b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    nothing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"

    def answer(seen: bytes) -> bytes:
        return made if seen.startswith(b"POST") else nothing

    with RawUpstream(answer) as upstream, traffic(upstream.url, material, rate=400) as running:
        until = time.monotonic() + 20
        while not any(b"X0000000" in one for one in list(upstream.requests)) and time.monotonic() < until:
            time.sleep(0.05)
    sent = [one.split(b"\r\n", 1)[0].decode() for one in upstream.requests]
    for path in ("orders/r-7/orderItems", "orders/r-7/contacts", "orderConsumers/r-7"):
        assert f"POST /v2/{path} HTTP/1.1" in sent
    assert running.failures.total() == 0
