"""A record that v2.1's path does not name: it is the one that the caller means, or there is none."""

from __future__ import annotations

import pytest
from msgspec.json import decode, encode

from proxy.errors import Untranslatable
from proxy.exchange import Reply, exchange
from proxy.types import Answer, Call
from tests.mapping.driving import JSON, asked, carried, mapping
from tests.mapping.goldens import PLATFORM

THERE = b"/v2.1/orders/o/extensions/ext"
PAIRS = b'{"key":"default","points":2}'


def stored(ref: object = "r 1", **members: object) -> Answer:
    whole = {"name": "ext", "href": f"{PLATFORM}{THERE.decode()}", "ref": ref, "key": "default", **members}
    return Answer(200, JSON, encode({name: one for name, one in whole.items() if one is not None}))


def read(ref: str, answer: Answer) -> tuple[list[Call], Reply]:
    return carried(mapping(), asked(mapping(), "GET", f"/v2/orders/o/extext/{ref}".encode()), answer)


def update(ref: str, *answers: Answer) -> tuple[list[Call], Reply]:
    target = f"/v2/orders/o/extext/{ref}".encode()
    return carried(mapping(), asked(mapping(), "POST", target, PAIRS, [*JSON]), *answers)


def told(calls: list[Call]) -> list[tuple[str, bytes]]:
    return [(one.method, one.target) for one in calls]


def test_a_record_is_read_by_its_own_ref_however_that_is_escaped() -> None:
    calls, reply = read("r%201", stored(points=1))
    assert told(calls) == [("GET", THERE)]
    assert reply.answer.status == 200
    assert decode(reply.answer.body)["points"] == 1


@pytest.mark.parametrize("ref", ["other", "R%201", "r+1"])
def test_another_ref_finds_nothing_of_what_is_there(ref: str) -> None:
    _, reply = read(ref, stored(secret="told"))
    assert reply.answer.status == 404
    assert decode(reply.answer.body)["code"] == 404
    assert b"told" not in reply.answer.body
    assert [one.rule for one in reply.trace] == ["extensions.get.ref"]


def test_a_write_first_looks_whether_its_record_is_there() -> None:
    calls, reply = update("r%201", stored(), stored(points=2))
    assert told(calls) == [("GET", THERE), ("PUT", THERE)]
    assert [name.lower() for name, _ in calls[0].headers] == []
    assert calls[1].body == b'{"points":2}'
    assert decode(reply.answer.body)["points"] == 2


def test_a_write_to_another_ref_sends_nothing_but_the_look() -> None:
    calls, reply = update("other", stored())
    assert told(calls) == [("GET", THERE)]
    assert (reply.answer.status, reply.partial, reply.untranslated) == (404, "", "")


@pytest.mark.parametrize("status", [401, 404, 503])
def test_what_the_look_is_refused_with_is_the_answer(status: int) -> None:
    calls, reply = update("r", Answer(status, JSON, b'{"message":"No."}'))
    assert told(calls) == [("GET", THERE)]
    assert (reply.answer.status, decode(reply.answer.body)["message"]) == (status, "No.")


@pytest.mark.parametrize("answer", [Answer(204, []), stored(None), stored(7), Answer(200, JSON, b"[]")])
def test_a_record_without_a_name_is_neither_shown_nor_written(answer: Answer) -> None:
    for method, body in (("GET", b""), ("POST", PAIRS)):
        if method == "GET" and answer.status == 204:
            continue  # nothing is shown
        running = exchange(mapping(), asked(mapping(), method, b"/v2/orders/o/extext/r", body, [*JSON]))
        assert next(running).method == "GET"
        with pytest.raises(Untranslatable) as no:
            running.send(answer)
        assert no.value.pointer == "/ref"
