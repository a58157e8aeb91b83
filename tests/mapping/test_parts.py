"""Records of which v2.1 keeps a part elsewhere: what is called, in which order, and what stays when it fails."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.json import decode, encode

from proxy.errors import Fault, Refused, Untranslatable, UpstreamFailed
from proxy.exchange import Reply, exchange
from proxy.types import Answer, Call, Outcome
from tests.mapping.driving import JSON, asked, carried, drive_read, mapping
from tests.mapping.goldens import PLATFORM

ITEM = {"type": "FLIGHT", "price": 1, "currencyCode": "EUR", "productId": "P", "referenceId": "R"}
LEGS = [{"origin": "DUB"}]
CREATE, UPDATE, READ = b"/v2/orders/o/orderItems", b"/v2/orderItems/i", b"/v2/orderItems/i"
EXPANDED = b"/v2/orders/o/orderItems?expand=true"
PART = b"/v2.1/orderItems/i/extensions/ext"


def made(status: int = 200, **changes: Any) -> Answer:
    record = {**ITEM, "type": "Flight Item", "name": "P", "ref": "i", **changes}
    record["href"] = f"{PLATFORM}/v2.1/orderItems/i"
    return Answer(status, JSON, encode({name: one for name, one in record.items() if one is not ...}))


def pairs(status: int = 200, **members: Any) -> Answer:
    return Answer(status, JSON, encode({"ref": "x", "name": "ext", "key": "default", **members}))


def write(target: bytes, *answers: Answer, **changes: Any) -> tuple[list[Call], Reply]:
    item = {"status": "CONFIRMED", "quantity": 1, **ITEM, **changes}
    return carried(mapping(), asked(mapping(), "POST", target, encode(item), [*JSON]), *answers)


def read(*answers: Answer, target: bytes = READ) -> tuple[list[Call], Reply]:
    return carried(mapping(), asked(mapping(), "GET", target), *answers)


def told(calls: list[Call]) -> list[tuple[str, bytes]]:
    return [(one.method, one.target) for one in calls]


def test_the_part_is_made_once_the_record_stands() -> None:
    calls, reply = write(CREATE, made(201), pairs(201), flightSegments=LEGS)
    assert told(calls) == [("POST", b"/v2.1/orders/o/orderItems"), ("POST", PART)]
    assert "flightSegments" not in decode(calls[0].body)
    assert decode(calls[1].body) == {"flightSegments": 1, "flightSegments0Origin": "DUB"}
    assert decode(reply.answer.body)["flightSegments"] == LEGS
    assert reply.partial == ""


@pytest.mark.parametrize("target", [CREATE, UPDATE])
def test_details_of_a_record_that_can_have_none_are_refused_before_anything_is_sent(target: bytes) -> None:
    body = encode({"status": "CONFIRMED", "quantity": 1, **ITEM, "type": "BAG", "flightSegments": LEGS})
    with pytest.raises(Refused) as no:
        next(exchange(mapping(), asked(mapping(), "POST", target, body)))
    assert (no.value.fault, no.value.pointer) == (Fault.UNTRANSLATABLE, "/flightSegments")


def test_a_record_without_details_takes_one_call() -> None:
    assert len(write(CREATE, made(201))[0]) == len(write(UPDATE, made(type="BAG"), type="BAG")[0]) == 1


def test_an_update_replaces_its_own_pairs_and_leaves_those_of_others() -> None:
    there = pairs(flightSegments=2, flightSegments1Origin="LHR", note="kept")
    calls, reply = write(UPDATE, made(), there, pairs(), flightSegments=LEGS)
    assert told(calls) == [("PUT", b"/v2.1/orderItems/i"), ("GET", PART), ("PUT", PART)]
    assert b"content-type" not in {name.lower() for name, _ in calls[1].headers}
    assert decode(calls[2].body) == {"flightSegments": 1, "flightSegments0Origin": "DUB", "note": "kept"}
    assert reply.partial == ""


def test_an_update_makes_a_part_that_is_not_there_and_writes_none_that_is_right() -> None:
    missing, same = Answer(404, [], b""), pairs(flightSegments=1, flightSegments0Origin="DUB")
    calls, _ = write(UPDATE, made(), missing, pairs(201), flightSegments=LEGS)
    assert told(calls)[-1] == ("POST", PART)
    calls, reply = write(UPDATE, made(), same, flightSegments=LEGS)
    assert (len(calls), decode(reply.answer.body)["flightSegments"]) == (2, LEGS)
    assert len(write(UPDATE, made(), missing)[0]) == 2


def test_an_update_without_details_takes_away_what_was_there() -> None:
    calls, reply = write(UPDATE, made(), pairs(passengerTypeCode="CHD", note=1), pairs())
    assert decode(calls[2].body) == {"note": 1}
    assert "passengerTypeCode" not in decode(reply.answer.body)


@pytest.mark.parametrize(
    ("target", "answers"),
    [
        (CREATE, [made(201), Answer(503, [], b"")]),
        (CREATE, [made(201), Answer(409, [], b"")]),
        (CREATE, [made(201, ref=...)]),
        (CREATE, [made(201, ref="")]),
        (CREATE, [made(201, ref="..")]),
        (CREATE, [made(201, ref=7)]),
        (UPDATE, [made(), Answer(503, [], b"")]),
        (UPDATE, [made(), Answer(200, [], b"<html>")]),
        (UPDATE, [made(), pairs(), Answer(400, [], b"")]),
    ],
)
def test_a_part_that_fails_leaves_the_record_and_says_which_step_is_missing(
    target: bytes, answers: list[Answer]
) -> None:
    calls, reply = write(target, *answers, flightSegments=LEGS)
    assert len(calls) == len(answers)
    assert reply.partial == ("items.create.flight" if target == CREATE else "items.update.flight")
    assert reply.answer.status == answers[0].status
    assert "flightSegments" not in decode(reply.answer.body)


def test_a_record_that_cannot_be_read_gets_no_part_and_is_passed_as_it_is() -> None:
    calls, reply = write(CREATE, Answer(201, [], b"<html>"), flightSegments=LEGS)
    assert (len(calls), reply.partial, reply.answer.body) == (1, "items.create.flight", b"<html>")
    assert reply.untranslated


def test_no_answer_about_the_part_leaves_the_record() -> None:
    item = encode({"status": "CONFIRMED", "quantity": 1, **ITEM, "flightSegments": LEGS})
    running = exchange(mapping(), asked(mapping(), "POST", CREATE, item))
    next(running)
    running.send(made(201))
    with pytest.raises(StopIteration) as end:
        running.throw(UpstreamFailed(Outcome.UNKNOWN, Fault.BROKEN, "gone"))
    assert (end.value.value.partial, end.value.value.answer.status) == ("items.create.flight", 201)


def test_a_refused_record_gets_no_part() -> None:
    calls, reply = write(CREATE, Answer(400, JSON, b'{"message":"no"}'), flightSegments=LEGS)
    assert (len(calls), reply.answer.status, reply.partial) == (1, 400, "")


def test_a_read_asks_for_the_part_of_a_record_that_can_have_one() -> None:
    calls, reply = read(made(), pairs(passengerTypeCode="ADT", flightSegments=0, note=1))
    assert told(calls) == [("GET", b"/v2.1/orderItems/i"), ("GET", PART)]
    body = decode(reply.answer.body)
    assert (body["type"], body["passengerTypeCode"], body["flightSegments"]) == ("FLIGHT", "ADT", [])
    assert "note" not in body


@pytest.mark.parametrize("changes", [{"type": "BAG"}, {"type": 7}, {"type": ...}, {"ref": ...}, {"ref": ""}])
def test_nobody_is_asked_about_a_record_that_has_none(changes: dict[str, Any]) -> None:
    assert len(read(made(**changes))[0]) == 1


def test_a_part_that_is_not_there_or_says_nothing_changes_nothing() -> None:
    alone = read(made(type="BAG"))[1].answer.body
    for part in (Answer(404, [], b""), pairs(note=1)):
        assert read(made(), part)[1].answer.body == alone.replace(b"BAG", b"FLIGHT")


@pytest.mark.parametrize("status", [401, 429, 503])
def test_a_part_that_cannot_be_read_fails_the_read_with_its_own_status(status: int) -> None:
    assert read(made(), Answer(status, [], b""))[1].answer.status == status


@pytest.mark.parametrize(
    "answers", [[Answer(200, [], b"<html>")], [made(), Answer(200, [], b'{"a":1,"a":2}')]]
)
def test_odd_bodies_are_never_put_together(answers: list[Answer]) -> None:
    with pytest.raises(Untranslatable) as no:
        drive_read(*answers, target=READ)
    assert no.value.rule == "items.get.flight"


def test_each_flight_of_a_list_is_asked_for_by_its_own_ref() -> None:
    bag, out, home = (decode(one.body) for one in (made(type="BAG"), made(ref="a/b"), made(ref="c")))
    page = Answer(200, JSON, encode({"href": "x", "offset": 0, "limit": 10, "items": [bag, out, home]}))
    calls, reply = read(page, pairs(passengerTypeCode="ADT"), Answer(404, [], b""), target=EXPANDED)
    assert [one.target for one in calls[1:]] == [
        b"/v2.1/orderItems/a%2Fb/extensions/ext",
        b"/v2.1/orderItems/c/extensions/ext",
    ]
    assert [one.get("passengerTypeCode") for one in decode(reply.answer.body)["items"]] == [None, "ADT", None]


@pytest.mark.parametrize("items", [{}, {"items": None}, {"items": {}}, {"items": []}])
def test_a_list_without_records_asks_for_nothing(items: dict[str, Any]) -> None:
    running = exchange(mapping(), asked(mapping(), "GET", EXPANDED))
    next(running)
    with pytest.raises((StopIteration, Untranslatable)):
        running.send(Answer(200, JSON, encode({"href": "x", "offset": 0, "limit": 10, **items})))
