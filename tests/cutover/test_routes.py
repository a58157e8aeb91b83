"""Routes: the first entry that matches decides; what cannot work is refused with the way out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from proxy.config.model import Config
from proxy.cutover.routes import Routes
from proxy.cutover.stage import Stage
from proxy.errors import ConfigError

ENDPOINTS = {
    "orders.create": True,
    "orders.update": True,
    "orders.get": False,
    "orders.list": False,
    "items.get": False,
}
CALLERS = {"booking": "a1b2c3d4", "refunds": "ffffffff"}
SOMEBODY = "00000000"


def configured(*routes: dict[str, Any]) -> Config:
    address = {"base_url": "http://localhost"}
    callers = [{"id": id_, "name": name} for name, id_ in CALLERS.items()]
    return Config.model_validate(
        {"upstream": {"v2": address, "v2_1": address}, "caller": callers, "route": list(routes)}
    )


def compiled(*routes: dict[str, Any]) -> Routes:
    return Routes.compile(configured(*routes), ENDPOINTS)


def test_without_entries_v2_answers() -> None:
    route = compiled().route_for("orders.get", SOMEBODY)
    assert (route.stage, route.index, route.percent) == (Stage.V2, None, 0.0)


def test_the_example_of_the_documents() -> None:
    routes = compiled(
        {"endpoint": "orders.create", "callers": ["booking"], "stage": "canary", "percent": 10},
        {"reads": True, "stage": "shadow"},
        {"stage": "v2"},
    )
    canary = routes.route_for("orders.create", CALLERS["booking"])
    assert (canary.stage, canary.percent, canary.index) == (Stage.CANARY, 10, 0)
    assert routes.route_for("orders.create", CALLERS["refunds"]).index == 2
    assert routes.route_for("orders.list", CALLERS["booking"]).stage is Stage.SHADOW
    assert routes.route_for("orders.update", SOMEBODY).stage is Stage.V2


@pytest.mark.parametrize(
    ("sticky", "expected"),
    [
        ("record", ("record", None)),
        ("caller", ("caller", None)),
        ("header:X-Shop-Id", ("header", b"x-shop-id")),
    ],
)
def test_what_keeps_a_call_on_its_version(sticky: str, expected: tuple[str, bytes | None]) -> None:
    route = compiled({"stage": "live", "sticky": sticky}).route_for("orders.get", SOMEBODY)
    assert (route.sticky, route.sticky_header) == expected


@pytest.mark.parametrize(("stage", "percent"), [("v2", 0), ("shadow", 0), ("live", 100), ("v2.1", 100)])
def test_a_stage_without_percent_is_all_or_nothing(stage: str, percent: float) -> None:
    assert compiled({"stage": stage}).route_for("orders.get", SOMEBODY).percent == percent


def test_a_name_and_an_id_mean_the_same_caller_and_an_unnamed_id_is_one_too() -> None:
    routes = compiled({"callers": ["booking", "ffffffff", "0123456789ab", "anonymous"], "stage": "live"})
    for caller in ("a1b2c3d4", "ffffffff", "0123456789ab", "anonymous"):
        assert routes.route_for("orders.get", caller).stage is Stage.LIVE
    assert routes.route_for("orders.get", SOMEBODY).stage is Stage.V2


def test_v2_is_over_only_when_every_endpoint_of_the_caller_stands_at_v2_1() -> None:
    routes = compiled(
        {"endpoint": "orders.*", "stage": "v2.1"},
        {"callers": ["booking"], "stage": "v2.1"},
        {"stage": "live"},
    )
    orders = [endpoint for endpoint in ENDPOINTS if endpoint.startswith("orders.")]
    assert routes.all_v2_1(SOMEBODY, orders)
    assert not routes.all_v2_1(SOMEBODY, ENDPOINTS)
    assert routes.all_v2_1(CALLERS["booking"], ENDPOINTS)
    assert not routes.all_v2_1(SOMEBODY, [])


BAD: dict[str, tuple[list[dict[str, Any]], str, str]] = {
    "endpoint": ([{"endpoint": "orders.creat", "stage": "v2"}], "route[0].endpoint", 'mean "orders.create"?'),
    "prefix": ([{"endpoint": "order.*", "stage": "v2"}], "route[0].endpoint", 'did you mean "orders.*"?'),
    "nothing near": (
        [{"endpoint": "zzz", "stage": "v2"}],
        "matches no endpoint",
        "valid here: orders.create",
    ),
    "star inside": ([{"endpoint": "o*.get", "stage": "v2"}], "no pattern", "write an id, name.* or *"),
    "other signs": ([{"endpoint": "order?.get", "stage": "v2"}], "no pattern", "write an id, name.* or *"),
    "no such kind": (
        [{"endpoint": "items.*", "writes": True, "stage": "v2"}],
        "route[0].writes",
        "remove writes",
    ),
    "caller": ([{"callers": ["bookin"], "stage": "v2"}], "route[0].callers", 'did you mean "booking"?'),
    "way out for a caller": ([{"callers": ["x"], "stage": "v2"}], "no caller", "add a [[caller]]"),
    "after everything": (
        [{"stage": "v2"}, {"reads": True, "stage": "live"}],
        "route[1]: is never",
        "move it up",
    ),
    "after its parts": (
        [{"reads": True, "stage": "v2"}, {"writes": True, "stage": "v2"}, {"stage": "live"}],
        "route[2]: is never",
        "remove it",
    ),
    "same caller again": (
        [{"callers": ["booking"], "stage": "v2"}, {"callers": ["a1b2c3d4"], "stage": "live"}],
        "route[1]: is never",
        "move it up",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_an_entry_that_cannot_work_is_refused_with_the_way_out(name: str) -> None:
    entries, *expected = BAD[name]
    with pytest.raises(ConfigError) as caught:
        compiled(*entries)
    (line,) = str(caught.value).splitlines()
    for part in expected:
        assert part in line


def test_an_ignore_rule_for_no_endpoint_is_refused() -> None:
    rule = {"path": "/a", "reason": "r", "owner": "o", "until": "2027-01-31"}
    config = configured()
    for endpoint, expected in (("orders.*", None), ("*", None), ("orders.gt", 'did you mean "orders.get"?')):
        changed = config.model_dump(mode="json") | {"ignore": [rule | {"endpoint": endpoint}]}
        if expected is None:
            Routes.compile(Config.model_validate(changed), ENDPOINTS)
            continue
        with pytest.raises(ConfigError) as caught:
            Routes.compile(Config.model_validate(changed), ENDPOINTS)
        assert str(caught.value).startswith("ignore[0].endpoint: ")
        assert expected in str(caught.value)


def test_all_findings_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        compiled({"endpoint": "x", "callers": ["y"], "stage": "v2"}, {"endpoint": "z", "stage": "v2"})
    places = [line.split(":")[0] for line in str(caught.value).splitlines()]
    assert places == ["route[0].endpoint", "route[0].callers", "route[1].endpoint"]


ENTRIES = st.fixed_dictionaries(
    {"stage": st.sampled_from(["v2", "shadow", "live", "v2.1"])},
    optional={
        "endpoint": st.sampled_from([*ENDPOINTS, "orders.*", "items.*", "*"]),
        "kind": st.sampled_from(["reads", "writes"]),
        "callers": st.lists(
            st.sampled_from([*CALLERS, *CALLERS.values(), "12345678"]), min_size=1, max_size=3
        ),
    },
)


def matches(entry: dict[str, Any], endpoint: str, caller: str) -> bool:
    """What the documents say, one condition after the other."""
    pattern = entry.get("endpoint", "*")
    fits = endpoint.startswith(pattern[:-1]) if pattern.endswith("*") else endpoint == pattern
    if "kind" in entry:
        fits = fits and ENDPOINTS[endpoint] == (entry["kind"] == "writes")
    if "callers" in entry:
        fits = fits and caller in [CALLERS.get(named, named) for named in entry["callers"]]
    return fits


@given(st.lists(ENTRIES, max_size=6))
def test_the_first_entry_that_matches_decides(entries: list[dict[str, Any]]) -> None:
    routes = [
        {key: value for key, value in entry.items() if key != "kind"}
        | ({entry["kind"]: True} if "kind" in entry else {})
        for entry in entries
    ]
    pairs = [(e, c) for e in ENDPOINTS for c in [*CALLERS.values(), "12345678", SOMEBODY, "anonymous"]]
    expected = {
        pair: next((n for n, entry in enumerate(entries) if matches(entry, *pair)), None) for pair in pairs
    }
    reachable = set(expected.values()) >= set(range(len(entries)))
    if not reachable:
        with pytest.raises(ConfigError):
            compiled(*routes)
        return
    table = compiled(*routes)
    assert {pair: table.route_for(*pair).index for pair in pairs} == expected


@given(st.lists(ENTRIES, max_size=4), st.sampled_from(sorted(ENDPOINTS)))
def test_an_entry_for_everything_at_the_end_changes_no_earlier_decision(
    entries: list[dict[str, Any]], endpoint: str
) -> None:
    routes = [{key: value for key, value in entry.items() if key != "kind"} for entry in entries]
    try:
        before = compiled(*routes).route_for(endpoint, SOMEBODY)
        after = compiled(*routes, {"stage": "live"}).route_for(endpoint, SOMEBODY)
    except ConfigError:
        assume(False)
    assert after == before if before.index is not None else after.stage is Stage.LIVE
