"""The exchange by hand: what is called, and what the caller gets, without a socket."""

from __future__ import annotations

import gzip

import pytest
from msgspec.json import decode, encode

from proxy.errors import Fault, Refused, Untranslatable
from proxy.exchange import exchange, record_key
from proxy.types import Answer
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
from tests.mapping.goldens import PLATFORM, compiled

BOMB = 32 * 1024 * 1024 + 1


# ---------------------------------------------------------------------------------------------- what is sent


def test_with_nothing_to_edit_the_very_same_body_is_sent() -> None:
    request = asked(mapping(), "POST", b"/v2/orders", ORDER)
    (call,), _ = carried(mapping(), request, Answer(201, JSON, READ))
    assert call.body is request.body
    assert (call.method, call.target) == ("POST", b"/v2.1/orders")


def test_with_nothing_to_edit_the_very_same_answer_comes_back() -> None:
    body = b'{"ref": "one", "price": 10.50, "new": {"b": 1, "a": [ ]}}'
    native = Answer(200, [*JSON, (b"etag", b'"x"')], body)
    reply = read(native)
    assert reply.answer.body is body
    assert reply.answer.headers is native.headers
    assert reply.trace == []


def test_headers_and_raw_parameters_go_along() -> None:
    headers = [(b"Authorization", b"Basic Zm9v"), (b"X-Own", b"1")]
    request = asked(mapping(), "GET", b"/v2/orders/a%20b%2Bc/", headers=headers)
    (call,), _ = carried(mapping(), request, Answer(404, [], b""))
    assert call.target == b"/v2.1/orders/a%20b%2Bc"
    assert call.headers is headers


@pytest.mark.parametrize("coding", [b"gzip", b"br", b"identity, gzip"])
def test_a_coded_body_is_refused_before_anything_is_sent(coding: bytes) -> None:
    request = asked(mapping(), "POST", b"/v2/orders", ORDER, [(b"Content-Encoding", coding)])
    with pytest.raises(Refused) as caught:
        next(exchange(mapping(), request))
    assert caught.value.fault is Fault.CODING


def test_the_coding_identity_is_none() -> None:
    request = asked(mapping(), "POST", b"/v2/orders", ORDER, [(b"Content-Encoding", b"Identity")])
    assert next(exchange(mapping(), request)).body == ORDER


def without(member: str) -> bytes:
    return encode({name: value for name, value in decode(ORDER).items() if name != member})


@pytest.mark.parametrize(
    ("body", "fault", "pointer", "message"),
    [
        (b"", Fault.JSON, "", "body: is not valid JSON."),
        (b"{", Fault.JSON, "", "body: is not valid JSON."),
        (b'{"a":"\\ud800"}', Fault.JSON, "", "body: is not valid JSON."),
        (b"null", Fault.FIELD, "", "body: may not be null."),
        (b"[]", Fault.FIELD, "", "body: must be an object."),
        (without("price"), Fault.FIELD, "/price", "price: may not be null."),
        (ORDER.replace(b"10.50", b'"cheap"'), Fault.FIELD, "/price", "price: must be a number."),
        (ORDER.replace(b'"shop"', b"7"), Fault.FIELD, "/pointOfSale", "pointOfSale: must be a string."),
        (
            ORDER[:-1] + b',"status":"LOST"}',
            Fault.FIELD,
            "/status",
            "status: must be one of its 11 values.",
        ),
        (ORDER[:-1] + b',"price":1}', Fault.DUPLICATE, "/price", "price: may not stand twice."),
        (
            ORDER[:-1] + b',"contacts":{"items":[{"href":"a","href":"b"}]}}',
            Fault.DUPLICATE,
            "/contacts/items/*/href",
            "href: may not stand twice.",
        ),
    ],
)
def test_what_breaks_the_contract_is_refused_with_its_place(
    body: bytes, fault: Fault, pointer: str, message: str
) -> None:
    with pytest.raises(Refused) as caught:
        next(exchange(mapping(), asked(mapping(), "POST", b"/v2/orders", body)))
    assert (caught.value.fault, caught.value.pointer, caught.value.message) == (fault, pointer, message)


def test_a_refusal_names_every_breach_and_no_value() -> None:
    body = b'{"referenceId":"secret","orderedAt":"then","price":"4711","status":"4712"}'
    with pytest.raises(Refused) as caught:
        next(exchange(mapping(), asked(mapping(), "POST", b"/v2/orders", body)))
    for place in ("/price", "/status", "/currencyCode", "/pointOfSale"):
        assert place in caught.value.detail
    for value in ("secret", "4711", "4712"):
        assert value not in caught.value.detail + caught.value.message


def test_an_endpoint_that_is_not_carried_is_refused_and_says_how_to_allow_it() -> None:
    with pytest.raises(Refused) as caught:
        next(exchange(mapping(), asked(mapping(), "DELETE", b"/v2/orders/one")))
    assert (caught.value.fault, caught.value.rule) == (Fault.METHOD, "orders.delete")
    assert "order_delete" in caught.value.detail


# ----------------------------------------------------------------------------------------- what comes back


def test_links_in_header_fields_are_turned_and_others_stay() -> None:
    native = f"{PLATFORM}/v2.1/orders/one".encode()
    headers = [
        (b"Location", native),
        (b"content-location", native),
        (b"X-Link", native),
        (b"Via", b"1.1 edge"),
    ]
    assert wrote(Answer(201, headers, b"")).answer.headers == [
        (b"Location", OURS),
        (b"content-location", OURS),
        (b"X-Link", native),
        (b"Via", b"1.1 edge"),
    ]
    elsewhere = [(b"location", b"https://elsewhere.example/v2.1/x")]
    assert read(Answer(302, elsewhere, b"")).answer.headers == elsewhere


@pytest.mark.parametrize("status", [200, 204, 304])
def test_an_answer_without_a_body_stays_without(status: int) -> None:
    reply = read(Answer(status, [(b"etag", b'"1"')], b""))
    assert (reply.answer.status, reply.answer.body) == (status, b"")
    assert reply.answer.headers == [(b"etag", b'"1"')]


def test_a_redirection_keeps_its_body_as_it_came() -> None:
    body = b"<a href='https://elsewhere.example'>there</a>"
    reply = read(Answer(307, [(b"content-type", b"text/html")], body))
    assert (reply.answer.status, reply.answer.body) == (307, body)


def test_an_edited_answer_carries_no_claim_about_the_old_body() -> None:
    headers = [
        *JSON,
        (b"Content-Length", b"5"),
        (b"ETag", b'"strong"'),
        (b"Content-MD5", b"x"),
        (b"X-A", b"1"),
    ]
    reply = read(Answer(200, headers, READ))
    assert OURS in reply.answer.body
    assert lines(reply.answer.headers) == {b"content-type": b"application/json", b"x-a": b"1"}


def test_an_error_gets_v2s_shape_and_its_media_type() -> None:
    native = Answer(
        401, [(b"content-type", b"text/plain"), (b"WWW-Authenticate", b"Basic")], b'{"status":"X"}'
    )
    reply = read(native)
    assert decode(reply.answer.body)["status"] == 401
    assert lines(reply.answer.headers) == {
        b"www-authenticate": b"Basic",
        b"content-type": b"application/json",
    }
    assert reply.native is native


def test_the_statuses_of_an_update_follow_the_switch() -> None:
    made = compiled({"update_status": 201})
    _, reply = carried(made, asked(made, "POST", b"/v2/orders/one", ORDER), Answer(200, JSON, READ))
    assert reply.answer.status == 201
    assert reply.native.status == 200


# -------------------------------------------------------------------------------------------- coded answers


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


@pytest.mark.parametrize("body", [b"<html>", b"\xff", b'{"ref":"a","ref":"b"}'])
def test_an_untranslatable_answer_to_a_read_is_a_failure_of_the_platform(body: bytes) -> None:
    with pytest.raises(Untranslatable):
        drive_read(Answer(200, JSON, body))


def test_giving_up_on_a_read_names_place_and_rule() -> None:
    with pytest.raises(Untranslatable) as caught:
        drive_read(Answer(200, JSON, b'{"items":"none"}'), target=b"/v2/orders?referenceId=a")
    assert (caught.value.pointer, caught.value.rule) == ("/items", "orders.list.items")


# ------------------------------------------------------------------------------------------- the record key


@pytest.mark.parametrize(
    ("method", "target", "body", "key"),
    [
        ("GET", b"/v2/orders/one", b"", "one"),
        ("POST", b"/v2/orders/a%20b%C3%A9+c", ORDER, "a bé+c"),
        ("GET", b"/v2/orders?limit=5&referenceId=a%20b+c", b"", "a b c"),
        ("GET", b"/v2/orders?referenceId", b"", ""),
        ("GET", b"/v2/orders?guestRef=g", b"", ""),
        ("POST", b"/v2/orders", ORDER, "R 1"),
        ("POST", b"/v2/orders", b'{"referenceId":"\\u00e9"}', "é"),
        ("POST", b"/v2/orders", b'{"referenceId":7}', ""),
        ("POST", b"/v2/orders", b'{"price":7}', ""),
        ("POST", b"/v2/orders", b'{"referenceId":"a","referenceId":"b"}', ""),
        ("POST", b"/v2/orders", b"[]", ""),
        ("POST", b"/v2/orders", b"no JSON", ""),
        ("POST", b"/v2/orders", b"\xff\xfe", ""),
        ("POST", b"/v2/orders", b"", ""),
    ],
)
def test_the_record_is_named_by_path_query_or_body(method: str, target: bytes, body: bytes, key: str) -> None:
    one = asked(mapping(), method, target, body)
    assert record_key(one.endpoint, one.parameters, one.pairs, one.body) == key
