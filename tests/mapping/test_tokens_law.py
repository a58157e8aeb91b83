"""Laws over the whole exchange, with random orders: what no rule names comes out token for token, both ways."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from proxy.json import check_document, open_object
from proxy.types import Answer
from tests.mapping.driving import asked, carried, mapping

NUMBERS = st.from_regex(rb"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,6})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
BLANKS = st.sampled_from([b"", b"", b" ", b"\n  "])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6).map(
    lambda text: json.dumps(text, ensure_ascii=len(text) % 2 == 0).encode()
)
SCALARS = NUMBERS | TEXTS | st.sampled_from([b"null", b"true", b"false", b'"0001-01-01T00:00:00Z"', b'"\\/"'])


def _array(items: list[bytes], blank: bytes) -> bytes:
    return b"[" + blank + (b"," + blank).join(items) + b"]"


def _object(members: dict[str, bytes], blank: bytes = b"") -> bytes:
    pairs = (json.dumps(name).encode() + b":" + blank + value for name, value in members.items())
    return b"{" + blank + (b"," + blank).join(pairs) + blank + b"}"


VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.builds(_array, st.lists(inner, max_size=3), BLANKS)
        | st.builds(_object, st.dictionaries(st.text("abc/~é ", max_size=3), inner, max_size=3), BLANKS)
    ),
    max_leaves=6,
)
UNKNOWN = st.dictionaries(st.text("abcxyzé_", min_size=1, max_size=5).map("my_".__add__), VALUES, max_size=4)

SENT: dict[str, st.SearchStrategy[bytes]] = {
    "referenceId": TEXTS,
    "orderedAt": st.sampled_from([b'"2024-03-10T12:00:00.000Z"', b'"2024-03-10T12:00:00+01:00"']),
    "price": NUMBERS,
    "currencyCode": st.just(b'"EUR"'),
    "pointOfSale": TEXTS,
}
STATUSES = st.sampled_from([b'"PURCHASED"', b'"PARTIALY_CONFIRMED"', b'"CONFIRMED"'])


@st.composite
def orders(draw: st.DrawFn) -> dict[str, bytes]:
    """Random orders, members in random order, without anything that a rule would edit."""
    members = {name: draw(how) for name, how in SENT.items()} | draw(UNKNOWN)
    if draw(st.booleans()):
        members["status"] = draw(STATUSES)
    return {name: members[name] for name in draw(st.permutations(sorted(members)))}


def kept(body: bytes) -> dict[str, bytes]:
    return {name: bytes(value) for name, value in open_object(body).items()}


@given(orders(), BLANKS, st.sampled_from([b"/v2/orders", b"/v2/orders/one"]))
def test_with_nothing_to_edit_the_very_same_body_is_sent(
    order: dict[str, bytes], blank: bytes, target: bytes
) -> None:
    body = _object(order, blank)
    (call,), _ = carried(mapping(), asked(mapping(), "POST", target, body), Answer(204, [], b""))
    assert call.body is body


@given(
    orders(),
    st.sampled_from(["href", "ref", "createdAt", "contacts", "consumers", "orderItems", "channel"]),
    BLANKS,
)
def test_an_edit_leaves_every_other_token_and_the_order_of_members(
    order: dict[str, bytes], edited: str, blank: bytes
) -> None:
    body = _object({**order, edited: b"null"}, blank)
    (call,), _ = carried(mapping(), asked(mapping(), "POST", b"/v2/orders", body), Answer(204, [], b""))
    check_document(call.body)
    assert kept(call.body) == order
    assert list(kept(call.body)) == list(order)


CHILDREN = dict.fromkeys(("contacts", "consumers", "orderItems"), b'{"items":[]}')
LINK = b'"https://api-engage-eu.sitecorecloud.io/v2.1/orders/one"'


@given(orders(), BLANKS)
def test_an_answer_with_nothing_to_edit_is_the_very_same_object(
    order: dict[str, bytes], blank: bytes
) -> None:
    members = {name: value for name, value in order.items() if name != "orderedAt"} | CHILDREN
    body = _object(members, blank)
    _, reply = carried(
        mapping(),
        asked(mapping(), "POST", b"/v2/orders", b'{"status":"CONFIRMED",' + BARE),
        Answer(201, [], body),
    )
    assert reply.answer.body is body
    assert reply.trace == []


BARE = b'"referenceId":"r","orderedAt":"2024-03-10T12:00:00.000Z","price":1,"currencyCode":"EUR","pointOfSale":"p"}'


@given(orders(), BLANKS, st.sampled_from([b"/v2/orders/one", b"/v2/orders/one?expand=orderItems"]))
def test_a_read_keeps_every_token_that_no_rule_names(
    order: dict[str, bytes], blank: bytes, target: bytes
) -> None:
    native = _object({**order, "href": LINK}, blank)
    items = b'{"items":[' + _object(order, blank) + b"]}"
    answers = [Answer(200, [], native), Answer(200, [], items)][: 1 + (b"?" in target)]
    _, reply = carried(mapping(), asked(mapping(), "GET", target), *answers)
    came = kept(reply.answer.body)
    named: set[str] = {"href", "orderedAt", "contacts", "consumers", "orderItems"}
    assert {name: value for name, value in came.items() if name not in named} == {
        name: value for name, value in order.items() if name not in named
    }
    assert came["href"].startswith(b'"http://localhost:8080/v2/orders/one')
    if b"?" in target:
        (item,) = json.loads(came["orderItems"], parse_float=str, parse_int=str)["items"]
        sent: dict[str, Any] = json.loads(_object(order), parse_float=str, parse_int=str)
        assert {k: v for k, v in item.items() if k not in named} == {
            k: v for k, v in sent.items() if k not in named
        }


@given(UNKNOWN, BLANKS)
def test_an_error_keeps_every_member_that_v2_does_not_know(members: dict[str, bytes], blank: bytes) -> None:
    native = _object({"status": b'"NO"', **members}, blank)
    _, reply = carried(mapping(), asked(mapping(), "GET", b"/v2/orders/one"), Answer(400, [], native))
    came = kept(reply.answer.body)
    assert {name: value for name, value in came.items() if name.startswith("my_")} == members
    assert came["status"] == b"400"
