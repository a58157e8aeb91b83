"""Answers that are coded, broken or out of shape: read where they can be, never guessed, never a false failure."""

from __future__ import annotations

import gzip

import pytest
from msgspec.json import decode

from proxy.errors import Untranslatable
from proxy.exchange import exchange
from proxy.types import Answer
from tests.mapping.driving import JSON, OURS, READ, asked, drive_read, lines, mapping, read, wrote
from tests.mapping.goldens import PLATFORM

BOMB = 32 * 1024 * 1024 + 1


def test_a_gzip_answer_is_read_and_answered_plainly() -> None:
    headers = [
        *JSON,
        (b"Content-Encoding", b"gzip"),
        (b"Content-Length", b"99"),
        (b"Vary", b"accept-encoding"),
    ]
    reply = read(Answer(200, headers, gzip.compress(READ)))
    assert decode(reply.answer.body)["href"] == OURS.decode()
    assert b"content-encoding" not in lines(reply.answer.headers)
    assert reply.native.body == READ


def test_a_gzip_error_is_read_too() -> None:
    native = Answer(400, [(b"content-encoding", b"gzip")], gzip.compress(b'{"message":"no such price"}'))
    reply = read(native)
    assert decode(reply.answer.body)["message"] == "no such price"
    assert b"content-encoding" not in lines(reply.answer.headers)


BROKEN = [
    pytest.param(b"gzip", gzip.compress(READ)[:-9], id="cut short"),
    pytest.param(b"gzip", b"no gzip at all", id="no gzip"),
    pytest.param(b"br", READ, id="another coding"),
    pytest.param(b"gzip", gzip.compress(b" " * (BOMB)), id="a bomb"),
]


@pytest.mark.parametrize(("coding", "body"), BROKEN)
def test_a_read_whose_answer_cannot_be_decoded_is_not_guessed(coding: bytes, body: bytes) -> None:
    if coding == b"br":
        body = b"\x8b\x02\x80" + body
    with pytest.raises(Untranslatable):
        drive_read(Answer(200, [(b"content-encoding", coding)], body))


@pytest.mark.parametrize(("coding", "body"), BROKEN[:2])
def test_a_write_whose_answer_cannot_be_decoded_is_passed_as_it_is(coding: bytes, body: bytes) -> None:
    headers = [(b"content-encoding", coding), (b"location", f"{PLATFORM}/v2.1/orders/one".encode())]
    reply = wrote(Answer(201, headers, body))
    assert (reply.answer.status, reply.answer.body) == (201, body)
    assert lines(reply.answer.headers) == {b"content-encoding": coding, b"location": OURS}
    assert reply.untranslated


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"<html>", "body"),
        (b"\xff", "body"),
        (b'{"ref":"a","ref":"b"}', "/ref"),
        (b'{"contacts":{"items":5}}', "orders.children"),
    ],
)
def test_a_write_that_succeeded_never_looks_like_a_failure(body: bytes, place: str) -> None:
    reply = wrote(Answer(201, JSON, body))
    assert (reply.answer.status, reply.answer.body, reply.answer.headers) == (201, body, JSON)
    assert reply.untranslated == place


ODD = [
    b"<html>",
    b"\xff",
    b'{"ref":"a","ref":"b"}',
    b'{"a":"\\ud800"}',
    b'{"a":"\xff"}',
    b'{"a":1}x',
    b"\xef\xbb\xbf{}",
]


@pytest.mark.parametrize("body", ODD)
def test_an_untranslatable_answer_to_a_read_is_a_failure_of_the_platform(body: bytes) -> None:
    with pytest.raises(Untranslatable):
        drive_read(Answer(200, JSON, body))


def test_giving_up_on_a_read_names_place_and_rule() -> None:
    with pytest.raises(Untranslatable) as caught:
        drive_read(Answer(200, JSON, b'{"items":"none"}'), target=b"/v2/orders?referenceId=a")
    assert (caught.value.pointer, caught.value.rule) == ("/items", "orders.list.items")


def test_how_large_a_coded_answer_may_grow_is_asked_for() -> None:
    coded = Answer(200, [*JSON, (b"content-encoding", b"gzip")], gzip.compress(READ))
    request = asked(mapping(), "GET", b"/v2/orders/one")
    for most, whole in ((len(READ), True), (len(READ) - 1, False)):
        running = exchange(mapping(), request, most)
        next(running)
        with pytest.raises(StopIteration if whole else Untranslatable):
            running.send(coded)
