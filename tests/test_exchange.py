"""The exchange by hand: what is called, and what the caller gets, without a socket."""

from __future__ import annotations

import pytest
from msgspec.json import decode, encode

from proxy.errors import Fault, Refused
from proxy.exchange import exchange, record_key
from proxy.types import Answer
from tests.mapping.driving import (
    JSON,
    ORDER,
    OURS,
    READ,
    asked,
    carried,
    lines,
    mapping,
    read,
    wrote,
)
from tests.mapping.goldens import PLATFORM, compiled

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


def without(member: str) -> bytes:
    return encode({name: value for name, value in decode(ORDER).items() if name != member})


@pytest.mark.parametrize(
    ("body", "fault", "pointer", "message"),
    [
        (b"", Fault.JSON, "", "body: is not valid JSON."),
        (b"{", Fault.JSON, "", "body: is not valid JSON."),
        (b'{"a":"\\ud800"}', Fault.JSON, "", "body: is not valid JSON."),
        (b'{"a":' + b"[" * 64 + b"]" * 64 + b"}", Fault.JSON, "", "body: is not valid JSON."),
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
