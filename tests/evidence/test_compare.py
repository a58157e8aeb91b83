"""Every way in which v2's answer can differ is found at its place and called by its name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.errors import Refused
from proxy.evidence.classify import classify
from proxy.evidence.compare import compare, steps
from proxy.evidence.difference import Difference
from proxy.evidence.walk import TooManyNodes
from proxy.json import check_document, open_object
from proxy.mapping.nodes import Firing
from proxy.types import Answer
from tests.evidence.answers import MAPPING, differences, hashed, played, table, v2_answer
from tests.mapping.goldens import PLATFORM

ONE = "orders.get/odd-links-stamps-and-unknown-members"
EXPANDED = "orders.get/expand-order-items"
PAGE = "orders.list/by-guest-in-pages"
MISSING = "orders.get/error-link-of-the-old-client"
DENIED = "orders.get/upstream-401"
REF = "2d7de9df-45a2-45ea-872c-30e45139007d"
LOYALTY = f"/{{unknown:{hashed('loyalty')}}}"
STRINGS, NUMBERS = ("string", "string"), ("number", "number")


def place(*names: str) -> str:
    return "".join(f"/{{unknown:{hashed(name)}}}" for name in names)


MUTATIONS = [
    # members that come and go
    (ONE, '"price":30.60,', "", "/price", "extra", (None, "number")),
    (ONE, '"price"', '"paymentType":"Card","price"', "/paymentType", "missing", ("string", None)),
    (ONE, '"price"', '"paymentType":null,"price"', "/paymentType", "missing", ("null", None)),
    (ONE, ',"note":null', "", place("note"), "extra", (None, "null")),
    (ONE, '"note"', '"guestName":"x","note"', place("guestName"), "missing", ("string", None)),
    (ONE, '"tier":"gold",', "", place("loyalty", "tier"), "extra", (None, "string")),
    (ONE, '"tier"', '"since":1,"tier"', place("loyalty", "since"), "missing", ("number", None)),
    (ONE, '"tier"', '"TIER"', place("loyalty", "TIER"), "missing", ("string", None)),
    (EXPANDED, ',"quantity":1', "", "/orderItems/items/*/quantity", "extra", (None, "number")),
    (PAGE, '"first":', '"self":{},"first":', place("self"), "missing", ("object", None)),
    (PAGE, '"limit":5,', "", "/limit", "extra", (None, "number")),
    # another kind of value
    (ONE, '"price":30.60', '"price":"30.60"', "/price", "type", ("string", "number")),
    (ONE, '"price":30.60', '"price":null', "/price", "type", ("null", "number")),
    (ONE, '"currencyCode":"EUR"', '"currencyCode":true', "/currencyCode", "type", ("boolean", "string")),
    (ONE, '"points":[', '"points":[[],', f"{place('loyalty', 'points')}", "length", ("array", "array")),
    (ONE, '"points":[1e2,', '"points":["1e2",', f"{place('loyalty', 'points')}/*", "type", ("string", "number")),
    (PAGE, '"items":[{', '"items":[[],{', "/items", "length", ("array", "array")),
    # another value of the same kind
    (ONE, '"currencyCode":"EUR"', '"currencyCode":"USD"', "/currencyCode", "value", STRINGS),
    (ONE, '"price":30.60', '"price":31.60', "/price", "value", NUMBERS),
    (ONE, '"price":30.60', '"price":-30.60', "/price", "value", NUMBERS),
    (ONE, '"gold"', '"silver"', place("loyalty", "tier"), "value", STRINGS),
    (ONE, "orders/" + REF + "/contacts", "orders/x/contacts", "/contacts/href", "value", STRINGS),
    (ONE, "/v2/orders/", "/v3/orders/", "/href", "value", STRINGS),
    (ONE, "2024-01-01T16:17:16.100Z", "2024-01-01T17:17:16.100Z", "/orderedAt", "value", STRINGS),
    (EXPANDED, '"price":-45.00', '"price":-46.00', "/orderItems/items/*/price", "value", NUMBERS),
    (PAGE, "offset=0&limit=5", "offset=1&limit=5", "/first/href", "value", STRINGS),
    (PAGE, '"offset":10', '"offset":11', "/offset", "value", NUMBERS),
    # the same, not quite
    (ONE, "2024-01-01T16:17:16.100Z", "2024-01-01T16:17:16.900Z", "/orderedAt", "precision", STRINGS),
    (ONE, '"price":30.60', '"price":30.604', "/price", "precision", NUMBERS),
    (ONE, '"price":30.60', '"price":30.6', "/price", "format", NUMBERS),
    (ONE, '"price":30.60', '"price":306e-1', "/price", "format", NUMBERS),
    (ONE, "1e2", "100", f"{place('loyalty', 'points')}/*", "format", NUMBERS),
    (EXPANDED, '"price":-45.00', '"price":-45.0', "/orderItems/items/*/price", "format", NUMBERS),
    # words of closed lists
    (EXPANDED, '"type":"BAG"', '"type":"MEAL_KIT"', "/orderItems/items/*/type", "enum", STRINGS),
    (ONE, "PARTIALY_REFUNDED", "PARTIALLY_REFUNDED", "/status", "enum", STRINGS),
    (ONE, "PARTIALY_REFUNDED", "PURCHASED", "/status", "value", STRINGS),
    # arrays
    (ONE, "[1e2,-0,null]", "[-0,1e2,null]", place("loyalty", "points"), "order", ("array", "array")),
    (ONE, "[1e2,-0,null]", "[1e2,-0]", place("loyalty", "points"), "length", ("array", "array")),
    (PAGE, '{"href":"' + PLATFORM + "/v2/orders/" + REF + '"}', "", "/items/*", "extra", (None, "object")),
    (PAGE, '"items":[', '"items":[{"href":"x"},', "/items/*", "missing", ("object", None)),
    # errors
    (MISSING, '"code":404', '"code":40401', "/code", "value", NUMBERS),
    (DENIED, '"status":401', '"status":"UNAUTHORIZED"', "/status", "type", ("string", "number")),
    (DENIED, '"code":401,', "", "/code", "extra", (None, "number")),
]  # fmt: skip


@pytest.mark.parametrize("change", MUTATIONS)
def test_a_change_in_v2s_answer_is_found_at_its_place(change: tuple[Any, ...]) -> None:
    name, old, new, pointer, kind, kinds = change
    found = differences(name, old, new)
    assert Difference(pointer, kind, *kinds) in found
    assert classify(found, (200, 200)).cls == "unexpected"


READS = [one for one in table() if one.startswith(("orders.get/", "orders.list/"))]
ANSWERED = [one for one in READS if "code" not in table()[one].content["answer"]]


@pytest.mark.parametrize("name", ANSWERED)
def test_versions_that_agree_are_equal_although_their_links_have_other_hosts(name: str) -> None:
    assert differences(name) == []


def spelled(value: Any, random: Random | None = None) -> str:
    """A document with its numbers as they are; with `random`, members in any order, blanks, escapes."""
    blank = random.choice(["", " ", "\n\t"]) if random else ""
    if isinstance(value, dict):
        members = list(value.items())
        if random:
            random.shuffle(members)
        inner = ",".join(f"{blank}{spelled(k, random)}:{spelled(v, random)}{blank}" for k, v in members)
        return "{" + inner + "}"
    if isinstance(value, list):
        return "[" + ",".join(blank + spelled(one, random) for one in value) + blank + "]"
    if isinstance(value, Token):
        return str(value)
    text = json.dumps(value, ensure_ascii=bool(random and random.random() < 0.5))
    return text.replace("/", "\\/") if random and random.random() < 0.5 else text


class Token(str):
    """A number in its own spelling."""

    __slots__ = ()


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_another_spelling_of_the_same_answer_is_equal(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([ONE, EXPANDED, PAGE, DENIED, "orders.list/expanded"]))
    _, request, reply = played(name)
    base = data.draw(st.sampled_from([PLATFORM, "http://api.boxever.com", "http://localhost:8080"]))
    body = v2_answer(reply).body.decode().replace(PLATFORM, base)
    tree = json.loads(body, parse_int=Token, parse_float=Token)
    v2 = v2_answer(reply, spelled(tree, data.draw(st.randoms(use_true_random=False))).encode())
    assert compare(v2, reply, request.endpoint, MAPPING, hashed) == []


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [leaf for k, v in value.items() for leaf in leaves(v, (*path, k))]
    if isinstance(value, list):
        return [leaf for i, v in enumerate(value) for leaf in leaves(v, (*path, i))]
    return [path]


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_any_leaf_that_is_replaced_by_a_strange_text_is_found(data: st.DataObject) -> None:
    """Also inside objects that no contract knows, and whatever the text is."""
    name = data.draw(st.sampled_from([ONE, EXPANDED, PAGE, "orders.list/expanded"]))
    _, request, reply = played(name)
    tree = json.loads(v2_answer(reply).body, parse_int=Token, parse_float=Token)
    path = data.draw(st.sampled_from(leaves(tree)))
    target = tree
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = "strange " + data.draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
    found = compare(v2_answer(reply, spelled(tree).encode()), reply, request.endpoint, MAPPING, hashed)
    assert any(one.unexpected for one in found)
    assert "strange" not in repr(found)


def test_a_status_of_its_own_says_it_all() -> None:
    _, request, reply = played(ONE)
    v2 = Answer(404, [], b'{"status":404}')
    assert compare(v2, reply, request.endpoint, MAPPING, hashed) == [Difference("", "status", 404, 200)]


@pytest.mark.parametrize(
    ("v2", "ours", "found"),
    [
        (PLATFORM + "/v2/orders/1", "http://localhost:8080/v2/orders/1", []),
        (PLATFORM + "/v2/orders/1", "http://localhost:8080/v2/orders/2", [("string", "string")]),
        ("/orders/1", "/orders/1", []),
        ("/orders/1", "/orders/2", [("string", "string")]),
        (PLATFORM + "/v2/orders/1", None, [("string", None)]),
        (None, "http://localhost:8080/v2/orders/1", [(None, "string")]),
    ],
)
def test_a_location_leads_to_the_same_record(v2: str | None, ours: str | None, found: list[Any]) -> None:
    _, request, reply = played(ONE)
    made = Answer(200, [(b"Location", ours.encode())] if ours else [], reply.answer.body)
    theirs = Answer(200, [(b"location", v2.encode())] if v2 else [], v2_answer(reply).body)
    changed = type(reply)(made, reply.native, reply.trace)
    differing = compare(theirs, changed, request.endpoint, MAPPING, hashed)
    assert differing == [Difference("Location", "header", *kinds) for kinds in found]


@pytest.mark.parametrize(
    ("v2", "ours", "found"),
    [
        (b"<html>", b"<html>", []),
        (b"<html>", b"<HTML>", [("value", None, None)]),
        (b"<html>", b"{}", [("type", None, "object")]),
        (b"[]", b"<html>", [("type", "array", None)]),
        (b"[]", b"{}", [("type", "array", "object")]),
        (b"", b"{}", [("extra", None, "object")]),
        (b"{}", b"", [("missing", "object", None)]),
        (b" ", b"\n", []),
    ],
)
def test_bodies_without_places_are_compared_whole(v2: bytes, ours: bytes, found: list[Any]) -> None:
    _, request, reply = played(ONE)
    changed = type(reply)(Answer(200, [], ours), Answer(200, [], ours), [])
    differing = compare(Answer(200, [], v2), changed, request.endpoint, MAPPING, hashed)
    assert differing == [Difference("", *one) for one in found]


def test_elements_match_by_their_key_before_their_position() -> None:
    _, request, reply = played(PAGE)
    items = [{"href": f"{PLATFORM}/v2/orders/{n}", "price": n} for n in range(5)]
    ours: list[dict[str, Any]] = [
        {"href": f"http://localhost:8080/v2/orders/{n}", "price": n} for n in range(5)
    ]
    made = Answer(200, [], json.dumps({"items": ours}).encode())
    changed = type(reply)(made, made, [])

    def against(order: list[dict[str, Any]]) -> list[Difference]:
        v2 = Answer(200, [], json.dumps({"items": order}).encode())
        return compare(v2, changed, request.endpoint, MAPPING, hashed)

    assert against(items) == []
    blank: dict[str, Any] = {"price": 7}
    assert against([blank, *items]) == [Difference("/items", "length", "array", "array")]
    ours.append(blank)
    made = Answer(200, [], json.dumps({"items": ours}).encode())
    changed = type(reply)(made, made, [])
    assert against([*items, {"price": 8}]) == [Difference("/items/*/price", "value", "number", "number")]
    assert against([blank, *items]) == [Difference("/items", "order", "array", "array")]
    ours.pop()
    made = Answer(200, [], json.dumps({"items": ours}).encode())
    changed = type(reply)(made, made, [])
    assert against(items[::-1]) == [Difference("/items", "order", "array", "array")]
    assert against([*items[:2], *items[3:]]) == [Difference("/items/*", "extra", None, "object")]
    assert against([*items[:2], {**items[2], "price": 9}, *items[3:]]) == [
        Difference("/items/*/price", "value", "number", "number")
    ]


@pytest.mark.parametrize(
    ("old", "new", "noise"),
    [
        ('"message":"', '"message":"Sorry: ', True),
        ('"developerMessage":"', '"developerMessage":"Sorry: ', True),
        ('"moreInfoUrl"', '"moreInfo"', True),
        ('"message":"', '"massage":"', False),
    ],
)
def test_how_an_error_is_worded_is_noise_but_not_whether_it_has_a_message(
    old: str, new: str, noise: bool
) -> None:
    found = differences(DENIED, old, new)
    assert found
    assert classify(found, (401, 401)).cls == ("noise" if noise else "unexpected")


def test_a_declared_loss_explains_just_what_it_took_away() -> None:
    name = "orders.get/new-status-searched"
    searched = differences(name, '"status":"UNKNOWN"', '"status":"SEARCHED"')
    assert searched == [Difference("/status", "enum", "string", "string", "values.status.searched")]
    assert classify(searched, (200, 200)).cls == "expected"
    for other in ("BROWSED", "PURCHASED", "searched"):
        found = differences(name, '"status":"UNKNOWN"', f'"status":"{other}"')
        assert [one.rule for one in found] == [None]
        assert classify(found, (200, 200)).cls == "unexpected"


def test_lost_milliseconds_are_a_declared_loss_and_other_seconds_are_not() -> None:
    name = "orders.get/documented-shape"
    lost = differences(
        name, '"orderedAt":"2024-01-01T16:17:16.000Z"', '"orderedAt":"2024-01-01T16:17:16.123Z"'
    )
    assert lost == [Difference("/orderedAt", "precision", "string", "string", "codec.timestamp")]
    wrong = differences(
        name, '"orderedAt":"2024-01-01T16:17:16.000Z"', '"orderedAt":"2024-01-01T16:17:17.000Z"'
    )
    assert [one.rule for one in wrong] == [None]


def test_a_loss_in_one_element_explains_nothing_in_another() -> None:
    _, request, reply = played(PAGE)

    def page(*states: str) -> bytes:
        return json.dumps(
            {"items": [{"href": f"{PLATFORM}/v2/orders/{n}", "status": one} for n, one in enumerate(states)]}
        ).encode()

    shown = type(reply)(
        Answer(200, [], page("UNKNOWN", "UNKNOWN")), Answer(200, [], page("BROWSED", "SEARCHED")), []
    )
    agreed = Answer(200, [], page("BROWSED", "SEARCHED"))
    crossed = Answer(200, [], page("SEARCHED", "BROWSED"))
    rules = [one.rule for one in compare(agreed, shown, request.endpoint, MAPPING, hashed)]
    assert rules == ["values.status.browsed", "values.status.searched"]
    assert [one.rule for one in compare(crossed, shown, request.endpoint, MAPPING, hashed)] == [None]


def test_a_record_that_changed_in_between_is_a_race_and_its_neighbours_are_not() -> None:
    _, request, reply = played(PAGE)
    base = {"modifiedAt": "2024-01-01T16:17:16.000Z", "price": 1}
    ours = [{"href": f"{PLATFORM}/v2/orders/{n}", **base} for n in range(2)]
    made = Answer(200, [], json.dumps({"items": ours}).encode())
    changed = type(reply)(made, made, [])

    def against(*changes: dict[str, Any]) -> str:
        items = [{**one, **change} for one, change in zip(ours, changes, strict=True)]
        v2 = Answer(200, [], json.dumps({"items": items}).encode())
        return classify(compare(v2, changed, request.endpoint, MAPPING, hashed), (200, 200)).cls

    later = {"modifiedAt": "2024-01-01T16:17:40.000Z", "price": 2}
    assert against({}, later) == "race"
    assert against({"price": 2}, later) == "unexpected"
    assert against({}, {**later, "modifiedAt": "yesterday"}) == "unexpected"


def test_documents_without_end_are_given_up() -> None:
    _, request, reply = played(ONE)
    many = [b"[" + b",".join([number] * 30_000) + b"]" for number in (b"1", b"2")]
    changed = type(reply)(Answer(200, [], many[0]), Answer(200, [], many[0]), [])
    with pytest.raises(TooManyNodes):
        compare(Answer(200, [], many[1]), changed, request.endpoint, MAPPING, hashed)


def test_a_large_page_is_compared_in_small_slices() -> None:
    """Nobody waits long for the event loop: no step looks at more than a small part of the documents."""
    _, request, reply = played(PAGE)
    items = [{"href": f"{PLATFORM}/v2/orders/{n}", "price": n, "status": "PURCHASED"} for n in range(400)]
    ours, v2 = (json.dumps({"items": [{**one, "price": n} for one in items]}).encode() for n in (1, 2))
    changed = type(reply)(Answer(200, [], ours), Answer(200, [], ours), [])
    running = steps(Answer(200, [], v2), changed, request.endpoint, MAPPING, hashed)
    pauses = 0

    def watched() -> Iterator[None]:
        found = yield from running
        assert list(found) == [Difference("/items/*/price", "value", "number", "number")]

    for _ in watched():
        pauses += 1
    assert pauses >= 400 * 3 * 2 / 100


def test_elements_that_agree_are_opened_once_and_v2_1s_own_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Links differ in every answer, by their hosts: a comparison of two that agree may not cost more for it.

    An object that holds nothing but a link is not opened at all.
    """

    def record(link: str) -> dict[str, Any]:
        return {"href": link, "contacts": {"href": f"{link}/contacts"}, "price": 1}

    _, request, reply = played(PAGE)
    v2, ours = (
        json.dumps({"items": [record(f"{base}/v2/orders/{n}") for n in range(100)]}, separators=(",", ":"))
        for base in (PLATFORM, "http://localhost:8080")
    )
    opened: list[Any] = []

    def counted(text: Any) -> Any:
        opened.append(text)
        return open_object(text)

    monkeypatch.setattr("proxy.evidence.walk.open_object", counted)
    monkeypatch.setattr("proxy.evidence.opened.open_object", counted)
    changed = type(reply)(Answer(200, [], ours.encode()), Answer(200, [], v2.encode()), [])
    assert compare(Answer(200, [], v2.encode()), changed, request.endpoint, MAPPING, hashed) == []
    assert len(opened) == 2 * (1 + 100)


@pytest.mark.parametrize(
    ("v2", "ours", "kind"),
    [
        ("12345678901234567890", "12345678901234567000", "precision"),
        ("12345678901234567890", "12345678901234500000", "value"),
        ("0.1", "0.19", "precision"),
        ("0.1", "0.2", "value"),
        ("12", "12.99", "precision"),
        ("100", "12", "value"),
        ("1e400", "1e401", "value"),
        ("1", "1" + "0" * 60, "value"),
        ("-0", "0", "format"),
        ("true", "false", "value"),
    ],
)
def test_how_far_two_values_agree(v2: str, ours: str, kind: str) -> None:
    _, request, reply = played(ONE)
    made = Answer(200, [], f'{{"price":{ours}}}'.encode())
    theirs = Answer(200, [], f'{{"price":{v2}}}'.encode())
    found = compare(theirs, type(reply)(made, made, []), request.endpoint, MAPPING, hashed)
    assert [one.kind for one in found] == [kind]


def test_what_a_declared_rule_takes_away_is_expected_and_nothing_else() -> None:
    """No shipped answer rule drops a member with a loss; a mapping of the future may."""
    _, request, reply = played(ONE)
    rule = "orders.response-only"
    native = Answer(200, [], b'{"paymentType":"Card"}')
    dropped = type(reply)(Answer(200, [], b"{}"), native, [Firing(rule, "/paymentType", b'"Card"', None)])

    def against(body: bytes) -> list[str | None]:
        v2 = Answer(200, [], body)
        return [one.rule for one in compare(v2, dropped, request.endpoint, MAPPING, hashed)]

    assert against(b'{"paymentType":"Card"}') == [rule]
    assert against(b'{"paymentType":"Cash"}') == [None]
    assert against(b'{"cardType":"Card"}') == [None]


def test_an_error_that_v2_does_not_list_is_read_like_one_that_it_lists() -> None:
    _, request, reply = played(DENIED)
    body = reply.answer.body
    made = Answer(409, [], body)
    v2 = Answer(409, [], body.replace(b'"message":"', b'"message":"Sorry: '))
    found = compare(v2, type(reply)(made, made, []), request.endpoint, MAPPING, hashed)
    assert found == [Difference("/message", "value", "string", "string", None, "noise")]


def test_depth_costs_no_recursion() -> None:
    _, request, reply = played(ONE)
    deep = [b"[" * 64 + number + b"]" * 64 for number in (b"1", b"2")]
    check_document(deep[0])
    changed = type(reply)(Answer(200, [], deep[0]), Answer(200, [], deep[0]), [])
    found = compare(Answer(200, [], deep[1]), changed, request.endpoint, MAPPING, hashed)
    assert found == [Difference("/*" * 64, "value", "number", "number")]


def test_a_member_that_stands_twice_is_not_compared() -> None:
    with pytest.raises(Refused):
        differences(ONE, '"price":30.60', '"price":30.60,"price":1')
