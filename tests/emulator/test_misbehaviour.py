"""Trouble on demand, as a caller meets it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from proxy.emulator import Misbehaviour, Mischief, SwitchError, make_app, parse_misbehaviour
from proxy.emulator.drifts import DRIFTS
from tests.emulator.caller import CREDENTIALS, FIRST_REF, JSON, Caller, item, order, person
from tests.servers import fetch, parse, request, serve

BODIES = {
    "orderItems": item(),
    "contacts": person(),
    "consumers": person(),
    "extensions/ext": {"seats": 2, "fare": "ECO"},
}


def trouble(call: Caller, version: str = "v2.1", **values: Any) -> None:
    answer = call.anonymous("POST", "/_emulator/misbehaviour", json.dumps({version: values}), JSON)
    assert answer.status == 200, answer.body


@pytest.mark.parametrize(
    ("name", "status", "wait"), [("error_500", 500, None), ("error_503", 503, None), ("too_many", 429, "1")]
)
def test_a_front_server_answers_in_html_and_does_nothing(
    call: Caller, name: str, status: int, wait: str | None
) -> None:
    trouble(call, "v2", **{name: 1})
    answer = call("POST", "/v2/orders", order())
    assert (answer.status, answer.header("retry-after")) == (status, wait)
    assert (answer.header("content-type"), call.app.platform.orders) == ("text/html; charset=utf-8", {})


def test_one_version_misbehaves_alone(call: Caller) -> None:
    trouble(call, "v2.1", error_503=1)
    assert (call.created("v2"), call.status("POST", "/v2.1/orders", order())) == (FIRST_REF, 503)


def test_a_closed_connection_leaves_the_write_done(call: Caller) -> None:
    trouble(call, close=1)
    body = json.dumps(order()).encode()
    assert fetch(call.url, request("POST", "/v2.1/orders", body, [CREDENTIALS, JSON])) == b""
    assert list(call.app.platform.orders) == [FIRST_REF]


def test_a_cut_answer_is_shorter_than_it_says(call: Caller) -> None:
    trouble(call, truncate=1)
    answer = call("POST", "/v2.1/orders", order())
    assert (answer.status, len(answer.body)) == (201, int(answer.header("content-length") or 0) // 2)
    assert list(call.app.platform.orders) == [FIRST_REF]


def test_a_server_that_cannot_cut_says_so_instead_of_answering_well() -> None:
    with serve(make_app(mischief=Mischief({"v2": Misbehaviour(close=1)}))) as running:
        assert parse(fetch(running.url, request("GET", "/v2/orders/a"))).status == 500


def test_a_slow_answer_waits(call: Caller) -> None:
    trouble(call, slow=1, slow_seconds=0.15)
    before = time.monotonic()
    assert call.status("POST", "/v2.1/orders", order()) == 201
    assert time.monotonic() - before >= 0.15


def drift_of(call: Caller, sent: dict[str, Any]) -> str:
    trouble(call, drift=0)
    call.app.platform.orders.clear()
    good = call.json("POST", "/v2.1/orders", order())
    call.app.platform.orders.clear()
    trouble(call, **sent)
    bad = call.json("POST", "/v2.1/orders", order())
    changed = {name for name in {*good, *bad} if good.get(name) != bad.get(name)} - {"ref", "href"}
    return ", ".join(f"{name}={bad.get(name)}" for name in changed - {"createdAt", "modifiedAt"})


def test_every_drift_of_an_order_occurs(call: Caller) -> None:
    seen = {drift_of(call, {"drift": 1, "seed": seed}) for seed in range(24)}
    assert seen == {"cardType=None", "price=12", "channel=web", "loyaltyTier=gold"}


ITEM = {"status=None", "type=seat", "quantity=1", "price=12.5", "loyaltyTier=gold"}
PERSON = {"lastName=None", "gender=FEMALE"}
EXTENSION = {"key=None", "seats=2"}


@pytest.mark.parametrize(
    ("path", "drifts"),
    [("orderItems", ITEM), ("contacts", PERSON), ("consumers", PERSON), ("extensions/ext", EXTENSION)],
)
@pytest.mark.parametrize("version", ["v2", "v2.1"])
def test_every_drift_of_what_hangs_on_an_order_occurs(
    call: Caller, version: str, path: str, drifts: set[str]
) -> None:
    ref = call.created()
    made = call.json("POST", f"/v2.1/orders/{ref}/{path}", BODIES[path])
    target = made["href"].removeprefix("https://api.example").replace("/v2.1/", f"/{version}/")
    target = target.replace("extensions/ext", f"extext/{made['ref']}") if version == "v2" else target
    good = call.json("GET", target)

    def changed(seed: int) -> str:
        trouble(call, version, drift=1, seed=seed)
        bad = call.json("GET", target)
        return ", ".join(
            f"{name}={bad.get(name)}" for name in {*good, *bad} if good.get(name) != bad.get(name)
        )

    assert {changed(seed) for seed in range(16)} == drifts


def test_every_drift_can_be_wanted_alone(call: Caller) -> None:
    ref = call.created()
    refs = {name: call.hung(ref, name) for name in ("orderItems", "contacts")}
    extension = f"orders/{ref}/extensions/ext"
    call("POST", f"/v2.1/{extension}", {"seats": 2})
    targets = [
        f"orders/{ref}",
        f"orderItems/{refs['orderItems']}",
        f"orderContacts/{refs['contacts']}",
        extension,
    ]
    targets += ["orders?limit=0"]
    good = [call("GET", f"/v2.1/{target}").body for target in targets]
    for way in DRIFTS:
        trouble(call, drift=1, way=way)
        bad = [call("GET", f"/v2.1/{target}").body for target in targets]
        assert good != bad, way
    trouble(call, drift=1, way="drops lastName")
    assert [call("GET", f"/v2.1/{target}").body for target in targets].count(good[2]) == 0
    assert call.json("GET", f"/v2.1/orders/{ref}")["cardType"] == "Visa"


@pytest.mark.parametrize(
    ("only", "failing"),
    [
        ("orders", ["orders", "order"]),
        ("orderItems", ["items", "item"]),
        ("orderContacts", ["contacts"]),
        ("orderConsumers", ["consumers"]),
        ("extensions", ["extension", "item extension"]),
        ("", ["orders", "order", "items", "item", "contacts", "consumers", "extension", "item extension"]),
    ],
)
@pytest.mark.parametrize("version", ["v2", "v2.1"])
def test_one_resource_misbehaves_alone(call: Caller, version: str, only: str, failing: list[str]) -> None:
    extension = "extext" if version == "v2" else "extensions/ext"
    targets = {
        "orders": "orders?referenceId=a",
        "order": "orders/x",
        "items": "orders/x/orderItems/",
        "item": "orderItems/x",
        "contacts": "orders/x/contacts",
        "consumers": "orders/x/consumers",
        "extension": f"orders/x/{extension}",
        "item extension": f"orderItems/x/{extension}",
    }
    trouble(call, version, error_503=1, only=only)
    seen = [name for name, target in targets.items() if call.status("GET", f"/{version}/{target}") == 503]
    assert seen == failing


def test_a_drifting_refusal_has_its_status_as_text(call: Caller) -> None:
    trouble(call, drift=1)
    assert call.json("POST", "/v2.1/orders", order(price=None))["status"] == "BAD_REQUEST"
    assert call.json("GET", "/v2.1/orders/none")["status"] == 404


def test_a_share_is_kept_and_a_seed_repeats_it(call: Caller) -> None:
    def run(seed: int) -> list[int]:
        trouble(call, "v2", error_500=0.2, error_503=0.2, seed=seed)
        return [call.status("GET", "/v2/orders/none") for _ in range(60)]

    first = run(7)
    assert set(first) == {500, 503, 404}
    assert 10 < len([status for status in first if status != 404]) < 40
    assert run(7) == first
    assert run(8) != first


def test_misbehaviour_is_set_by_words() -> None:
    words = ["v2.1:drift=0.5", "slow=1", "v2:seed=9", "v2.1:only=orderItems", "v2.1:way=drops lastName"]
    assert parse_misbehaviour(words) == {
        "v2": Misbehaviour(slow=1.0, seed=9),
        "v2.1": Misbehaviour(drift=0.5, slow=1.0, only="orderItems", way="drops lastName"),
    }


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("drfit=1", "the nearest is 'drift'"),
        ("v3:drift=1", "not of the form"),
        ("drift", "not of the form"),
        ("drift=1.5", "between 0 and 1"),
        ("slow_seconds=-1", "between 0 and 1"),
        ("slow=much", "a number"),
        ("only=orderItem", "it can be orders, orderContacts, orderConsumers, orderItems, extensions"),
        ("way=drops everything", "it can be drops cardType, prints price"),
    ],
)
def test_a_wrong_word_is_told_the_way_out(word: str, says: str) -> None:
    with pytest.raises(SwitchError, match=says):
        parse_misbehaviour([word])


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        '{"v3": {}}',
        '{"v2": {"way": ["x"]}}',
        '{"v2": 1}',
        '{"v2": {"slow": 1}, "v2.1": {"error_500": 0.6, "close": 0.6}}',
    ],
)
def test_a_wrong_setting_changes_nothing(call: Caller, body: str) -> None:
    assert call.anonymous("POST", "/_emulator/misbehaviour", body).status == 400
    assert set(call.app.mischief.table.values()) == {Misbehaviour()}
