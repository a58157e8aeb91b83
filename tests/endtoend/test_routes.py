"""Which version is asked, seen at the platform: routes by endpoint, kind and caller, and what no mapping covers."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.emulator.caller import CREDENTIALS, FIRST_REF, order
from tests.endtoend.running import Carried, carried
from tests.raw import Heard, fetch, parse, request

READ, LIST = f"/v2/orders/{FIRST_REF}", "/v2/orders?referenceId=B94TXY-1"


def went(proxy: Carried, method: str, target: str, body: Any = None, user: str = "client-1") -> str:
    """The version that was asked, empty for none."""
    proxy.emulator.recorded.clear()
    credentials = base64.b64encode(f"{user}:token".encode()).decode()
    data = b"" if body is None else json.dumps(body)
    fetch(proxy.url, request(method, target, data, [("Authorization", f"Basic {credentials}")]))
    return "+".join(one.target.decode().split("/")[1] for one in proxy.emulator.recorded)


def asked(proxy: Carried, **changes: Any) -> dict[str, str]:
    """Each kind of call, and where it went."""
    return {
        "create": went(proxy, "POST", "/v2/orders", order(**changes)),
        "read": went(proxy, "GET", READ),
        "head": went(proxy, "HEAD", READ),
        "list": went(proxy, "GET", LIST),
        "update": went(proxy, "POST", READ, order(**changes)),
    }


@pytest.mark.parametrize(
    ("routes", "moved"),
    [
        ([], set()),
        (["v2"], set()),
        (["shadow"], set()),
        (["live"], {"create", "read", "head", "list", "update"}),
        (["v2.1"], {"create", "read", "head", "list", "update"}),
        ([{"reads": True, "stage": "v2.1"}], {"read", "head", "list"}),
        ([{"writes": True, "stage": "v2.1"}], {"create", "update"}),
        ([{"endpoint": "orders.get", "stage": "v2.1"}], {"read", "head"}),
        (
            [{"endpoint": "orders.get", "stage": "v2"}, {"endpoint": "orders.*", "stage": "v2.1"}],
            {"create", "list", "update"},
        ),
        ([{"endpoint": "*", "reads": True, "stage": "v2"}, "v2.1"], {"create", "update"}),
        ([{"stage": "canary", "percent": 100}], {"create", "read", "head", "list", "update"}),
    ],
)
def test_the_first_route_that_matches_decides(routes: list[Any], moved: set[str]) -> None:
    with carried(routes, keys={"shadow.sample": 0.0}) as proxy:
        assert {name for name, version in asked(proxy).items() if version == "v2.1"} == moved


def test_callers_are_told_apart_by_id_and_by_name() -> None:
    with carried(["v2"]) as proxy:
        ids = {user: proxy.snapshot.callers.of_user(user.encode()) for user in ("by-id", "by-name", "other")}
        key = proxy.snapshot.key
    routes = [{"callers": [ids["by-id"], "the shop"], "stage": "v2.1"}]
    names = {"caller": [{"id": ids["by-name"], "name": "the shop"}]}
    with carried(routes, key=key, tables=names) as proxy:
        said = {user: went(proxy, "GET", READ, user=user) for user in (*ids, "")}
    assert said == {"by-id": "v2.1", "by-name": "v2.1", "other": "v2", "": "v2"}


def test_a_canary_keeps_each_record_on_its_version() -> None:
    with carried(
        [{"stage": "canary", "percent": 50}], keys={"shadow.sample": 0}
    ) as proxy:  # no reads but the callers'
        targets = [f"/v2/orders/record-{number}" for number in range(60)]
        first = [went(proxy, "GET", target) for target in targets]
        assert [went(proxy, "HEAD", target) for target in targets] == first
        assert 15 <= first.count("v2.1") <= 45


UNMAPPED = [
    ("GET", "/v2/orders/r1/attachments"),
    ("GET", "/v2/orderItems/r1/attachments"),
    ("GET", "/v2/orders?referenceId=a&colour=red"),
    ("POST", "/v2/orders/r1/attachments"),
]


@pytest.mark.parametrize(("method", "target"), UNMAPPED)
def test_an_unmapped_order_call_goes_to_v2_until_the_caller_has_left_it(method: str, target: str) -> None:
    partly: list[Any] = [{"endpoint": "orders.create", "stage": "v2"}, "v2.1"]
    with carried(partly) as proxy:
        assert went(proxy, method, target) == "v2"
    with carried(["v2.1"], keys={"unmapped": "v2"}) as proxy:
        assert went(proxy, method, target) == "v2"
    with carried(["v2.1"]) as proxy:
        heard = proxy.ask(method, target)
        assert (heard.status, heard.header("x-crossfade-code")) == (501, "CF-UNMAPPED")
        assert not proxy.emulator.recorded
        assert proxy.log_lines("request", least=1)[-1]["code"] == "CF-UNMAPPED"


def test_other_resources_stay_with_v2_and_native_calls_with_v2_1() -> None:
    with carried(["v2.1"]) as proxy:
        assert went(proxy, "GET", "/v2/guests/1") == "v2"
        body = json.dumps(order(pointOfSale=..., orderedAt="2024-01-01T16:17:16Z"))
        heard = proxy.ask("POST", "/v2.1/orders", body, ("Content-Type", "application/json"))
        assert (heard.status, proxy.emulator.recorded[-1].body) == (201, body.encode())
        assert json.loads(heard.body)["href"].startswith("http://platform.test/v2.1/orders/")
        assert went(proxy, "PATCH", f"/v2.1/orders/{FIRST_REF}", {"price": 1}) == "v2.1"
        unauthorised = parse(fetch(proxy.url, request("GET", f"/v2.1/orders/{FIRST_REF}")))
        assert json.loads(unauthorised.body)["status"] == "UNAUTHORIZED"


@pytest.mark.parametrize(
    "target", ["/", "/v2", "/v3/orders", "/V2/orders", "/v2.1", "/favicon.ico", "/-/", "/-/metrics"]
)
def test_elsewhere_is_404_in_v2s_shape(target: str) -> None:
    with carried(["v2"]) as proxy:
        heard = proxy.ask("GET", target)
        assert (heard.status, json.loads(heard.body)["code"]) == (404, 404)
        assert not proxy.emulator.recorded


def test_load_balancers_ask_for_health_on_the_callers_port() -> None:
    with carried(["v2"]) as proxy:
        assert (health(proxy, "livez"), health(proxy, "readyz")) == (200, 200)
        proxy.gateway.draining = True
        assert (health(proxy, "livez"), health(proxy, "readyz")) == (200, 503)
        assert proxy.ask("GET", READ).status == 404
        assert len(proxy.emulator.recorded) == 1


def health(proxy: Carried, name: str) -> int:
    heard: Heard = parse(fetch(proxy.url, request("GET", f"/-/{name}")))
    assert "status" in json.loads(heard.body)
    return heard.status


def test_only_known_hosts_are_served_where_they_are_listed() -> None:
    with carried(["v2"], keys={"server.allowed_hosts": ["crossfade.example", "[::1]"]}) as proxy:
        known = {
            "crossfade.example": 404,
            "CROSSFADE.example:8080": 404,
            "[::1]:80": 404,
            "evil.example": 400,
        }
        for host, status in known.items():
            raw = request("GET", "/v2/orders/r", b"", [CREDENTIALS], host=host)
            assert parse(fetch(proxy.url, raw)).status == status, host


def test_a_deleted_order_needs_the_operators_word() -> None:
    with carried(["v2.1"], compat={"order_delete": "forward"}) as proxy:
        proxy.json("POST", "/v2/orders", order())
        assert proxy.ask("DELETE", READ).status in {200, 204}
        assert proxy.ask("GET", READ).status == 404
