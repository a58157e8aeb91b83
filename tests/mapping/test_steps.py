"""Exchanges of more than one call: what is asked for, and what is never written on a guess."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from msgspec.json import decode

from proxy.errors import Fault, Untranslatable, UpstreamFailed
from proxy.exchange import Reply, exchange
from proxy.types import Answer, Call, Outcome
from tests.mapping.driving import (
    JSON,
    ORDER,
    OURS,
    READ,
    asked,
    carried,
    drive_read,
    lines,
    mapping,
    read,
    wrote,
)
from tests.mapping.goldens import PLATFORM

# ------------------------------------------------------------------------------------------------- the join

EXPANDED = b"/v2/orders/one?expand=orderItems"
ITEMS = b'{"href":"%s/v2.1/orders/one/orderItems","items":[{"name":"seat","x":1.0}]}' % PLATFORM.encode()


def test_an_expanded_read_asks_for_the_items_and_joins_them() -> None:
    headers = [(b"authorization", b"Basic Zm9v")]
    request = asked(mapping(), "GET", EXPANDED, headers=headers)
    calls, reply = carried(mapping(), request, Answer(200, JSON, READ), Answer(200, JSON, ITEMS))
    assert [(one.method, one.headers) for one in calls] == [("GET", headers)] * 2
    assert calls[0].target == b"/v2.1/orders/one"
    assert calls[1].target.startswith(b"/v2.1/orders/one/orderItems?expand=true")
    body = decode(reply.answer.body)
    assert body["href"] == OURS.decode() + "?expand=orderItems"
    assert body["orderItems"]["href"] == OURS.decode() + "/orderItems"
    assert b'"x":1.0' in reply.answer.body
    assert b'"price":10.50' in reply.answer.body
    assert "orders.get.items" in {one.rule for one in reply.trace}


def test_coded_parts_are_joined_too() -> None:
    coded = [*JSON, (b"content-encoding", b"gzip")]
    first, second = Answer(200, coded, gzip.compress(READ)), Answer(200, coded, gzip.compress(ITEMS))
    assert decode(read(first, second, target=EXPANDED).answer.body)["orderItems"]["items"]


@pytest.mark.parametrize("status", [404, 304, 401])
def test_nothing_is_joined_to_an_answer_that_is_no_record(status: int) -> None:
    assert read(Answer(status, [], b""), target=EXPANDED).answer.status == status


@pytest.mark.parametrize("status", [401, 404, 503])
def test_a_failing_join_fails_the_read_with_its_own_status(status: int) -> None:
    reply = read(Answer(200, JSON, READ), Answer(status, [], b'{"message":"not now"}'), target=EXPANDED)
    assert reply.answer.status == status
    assert decode(reply.answer.body)["message"] == "not now"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (b"[]", ITEMS),
        (b"<html>", ITEMS),
        (b'{"a":1,"a":2}', ITEMS),
        (READ, b""),
        (READ, b"<html>"),
        (READ, b'1,"href":2'),
        (READ, b"\xff"),
    ],
)
def test_odd_bodies_are_never_joined_and_never_blamed_on_the_caller(first: bytes, second: bytes) -> None:
    with pytest.raises(Untranslatable) as caught:
        drive_read(Answer(200, JSON, first), Answer(200, JSON, second), target=EXPANDED)
    assert caught.value.rule == "orders.get.items"


# ---------------------------------------------------------------------------------------------- the look-up

CONFLICT = Answer(409, JSON, b'{"status":"CONFLICT","message":"known"}')


def listed(*orders: tuple[Any, Any]) -> Answer:
    items = b",".join(
        b'{"ref":%s,"referenceId":"R 1","orderedAt":%s}' % (ref.encode(), when.encode())
        for ref, when in orders
    )
    return Answer(200, JSON, b'{"items":[%s]}' % items)


def conflicted(*answers: Answer, body: bytes = ORDER) -> tuple[list[Call], Reply]:
    made = mapping(on_conflict="update")
    headers = [(b"Content-Type", b"application/json"), (b"authorization", b"Basic Zm9v")]
    return carried(made, asked(made, "POST", b"/v2/orders", body, headers), CONFLICT, *answers)


def test_a_known_order_is_found_and_written_and_answered_as_created() -> None:
    found = listed(
        ('"late"', '"2024-03-11T12:00:00Z"'),
        ('"a/b"', '"2024-03-10T23:30:00+12:00"'),
        ('"early"', '"2024-03-08T12:00:00Z"'),
    )
    calls, reply = conflicted(found, Answer(200, JSON, READ))
    assert [(one.method, one.target, one.body) for one in calls] == [
        ("POST", b"/v2.1/orders", ORDER),
        ("GET", b"/v2.1/orders?referenceId=R%201&limit=100&expand=true", b""),
        ("PUT", b"/v2.1/orders/a%2Fb", ORDER),
    ]
    assert b"content-type" not in lines(calls[1].headers)
    assert lines(calls[1].headers)[b"authorization"] == b"Basic Zm9v"
    assert calls[2].headers == calls[0].headers
    assert reply.answer.status == 201
    assert decode(reply.answer.body)["href"] == OURS.decode()
    assert "orders.create.conflict" in {one.rule for one in reply.trace}


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(listed(), id="none"),
        pytest.param(listed(('"far"', '"2024-03-12T12:00:01Z"')), id="just too far"),
        pytest.param(listed(('"x"', '"last week"'), ('"y"', "null"), ('"z"', "5")), id="no time"),
        pytest.param(listed(("7", '"2024-03-10T12:00:00Z"')), id="a ref that is no text"),
        pytest.param(Answer(200, JSON, b'{"items":[{"orderedAt":"2024-03-10T12:00:00Z"}]}'), id="no ref"),
        pytest.param(Answer(200, JSON, b'{"items":[5]}'), id="no objects"),
        pytest.param(Answer(200, JSON, b'{"items":{}}'), id="no array"),
        pytest.param(Answer(200, JSON, b"{}"), id="no items"),
        pytest.param(Answer(200, JSON, b"<html>"), id="no JSON"),
        pytest.param(Answer(500, JSON, b"{}"), id="failed"),
        pytest.param(Answer(404, [], b""), id="missing"),
    ],
)
def test_without_a_clear_find_nothing_is_written_and_the_conflict_stands(found: Answer) -> None:
    calls, reply = conflicted(found)
    assert [one.method for one in calls] == ["POST", "GET"]
    assert reply.answer.status == 409
    assert decode(reply.answer.body)["message"] == "known"


def test_a_search_that_cannot_be_made_leaves_the_conflict_standing() -> None:
    made = mapping(on_conflict="update")
    running = exchange(made, asked(made, "POST", b"/v2/orders", ORDER))
    next(running)
    assert running.send(CONFLICT).method == "GET"
    with pytest.raises(StopIteration) as end:
        running.throw(UpstreamFailed(Outcome.NOT_SENT, Fault.UNREACHABLE, "No route."))
    assert end.value.value.answer.status == 409


def test_a_write_whose_fate_is_unknown_is_never_answered_as_a_conflict() -> None:
    made = mapping(on_conflict="update")
    running = exchange(made, asked(made, "POST", b"/v2/orders", ORDER))
    next(running)
    running.send(CONFLICT)
    assert running.send(listed(('"x"', '"2024-03-10T12:00:00Z"'))).method == "PUT"
    with pytest.raises(UpstreamFailed):
        running.throw(UpstreamFailed(Outcome.UNKNOWN, Fault.TIMEOUT, "Too slow."))


def test_exactly_two_days_away_is_near_enough() -> None:
    calls, _ = conflicted(listed(('"edge"', '"2024-03-12T12:00:00Z"')), Answer(200, JSON, READ))
    assert calls[2].target == b"/v2.1/orders/edge"


def test_a_time_without_zone_finds_nothing() -> None:
    body = ORDER.replace(b"12:00:00.000Z", b"12:00:00")
    calls, reply = conflicted(listed(('"x"', '"2024-03-10T12:00:00Z"')), body=body)
    assert [one.method for one in calls] == ["POST", "GET"]
    assert reply.answer.status == 409


@pytest.mark.parametrize("status", [400, 404, 409, 503])
def test_a_failing_write_after_the_look_up_is_answered_as_it_failed(status: int) -> None:
    found = listed(('"x"', '"2024-03-10T12:00:00Z"'))
    _, reply = conflicted(found, Answer(status, [], b'{"message":"frozen"}'))
    assert reply.answer.status == status
    assert decode(reply.answer.body)["message"] == "frozen"


def test_without_the_switch_the_conflict_is_passed() -> None:
    reply = wrote(CONFLICT)
    assert reply.answer.status == 409
    assert decode(reply.answer.body)["message"] == "known"
