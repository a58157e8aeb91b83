"""An airline's day, lived through every stage, ends as it does straight through v2.

"As" leaves out refs, the hosts of links and the moments of writing. Two views are held against the straight run: what the
caller reads through the proxy, and what v2 shows to somebody who asks the platform itself. `TELLING` is all in which they may
differ, and only where v2.1 has written: v2 has never seen the flight details that v2.1 keeps in an item's extension, and the
other way round (F§3.4), and v2.1 has its own words for the types of items (F§6.11).
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from proxy.cli.app import app
from proxy.cli.demo.material import Template
from proxy.cli.demo.story import Outgoing
from tests.emulator.caller import fresh_platform
from tests.emulator.day import lived, wanted
from tests.endtoend.configured import LINKS
from tests.endtoend.running import Carried, carried
from tests.endtoend.test_day import said, through
from tests.endtoend.test_guard import until
from tests.endtoend.test_items import doubts
from tests.servers import Heard, emulator

Ask = Callable[[Outgoing], Heard]
TELLING = frozenset({"type", "name", "flightSegments", "passengerTypeCode"})
"""Members of an item that tell which version has written it."""
CANARY = {"stage": "canary", "percent": 50}
KEY = bytes(range(32))
"""Of the identity, so that the same records fall to the same version in every run."""
STEPS_BEFORE = 9
"""So far the order has been made, and its contact, its items and its travellers."""


def state(ask: Ask, day: Mapping[str, Heard]) -> dict[str, Any]:
    """All that is left of the day: each resource by itself and as a part of its order. Of what is gone only that it is."""
    ref = {name: json.loads(heard.body)["ref"] for name, heard in day.items() if heard.status == 201}
    order = f"/v2/orders/{ref.pop('reserve')}"
    targets = {name: f"/v2/orderItems/{one}" for name, one in ref.items()}
    targets |= {"who booked": f"/v2/orderContacts/{ref['who booked']}"}
    targets |= {name: f"/v2/orderConsumers/{ref[name]}" for name in ("traveller", "travelling child")}
    targets |= {"order": order, "whole order": f"{order}?expand=orderItems"}
    targets |= {name: f"{order}/{name}" for name in ("contacts", "consumers", "orderItems")}
    targets |= {"found": "/v2/orders?referenceId=DAY-1"}
    read = {name: ask(Outgoing("", Template("", "GET", one), one, b"")) for name, one in targets.items()}
    return {name: one if one[0] < 300 else one[0] for name, one in said(read).items()}


def apart(one: Any, other: Any, place: str = "") -> set[str]:
    """The places in which two documents differ, positions in lists left out."""
    if isinstance(one, dict) and isinstance(other, dict):
        names = one.keys() | other.keys()
        return set().union(
            *(apart(one.get(name, ...), other.get(name, ...), f"{place}/{name}") for name in names)
        )
    if isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        return set().union(*(apart(a, b, place) for a, b in zip(one, other, strict=True)))
    return set() if one == other else {place}


FLIGHTS = ("flight out, with a stop", "flight back", "flight of the child")
OTHERWISE = {f"/{place}/{name}" for place in (*FLIGHTS, "whole order/orderItems/items") for name in TELLING}
"""Where an item shows which version has written it."""


@pytest.fixture(scope="module")
def straight() -> dict[str, Any]:
    """What is left of the day on a platform that nobody stands in front of."""
    with emulator(fresh_platform(), base_url=LINKS) as (url, _app):
        ask = through(url)
        return state(ask, lived(ask))


def answered_by(proxy: Carried) -> set[str]:
    return {one["version"] for one in proxy.log_lines("request")}


def test_the_straight_day_leaves_what_an_airline_expects(straight: dict[str, Any]) -> None:
    assert {name for name, one in straight.items() if one == 404} == {"who booked", "bag, paid back"}
    assert straight["order"][1]["status"] == "CANCELLED"
    assert [len(straight[name][1]["items"]) for name in ("contacts", "consumers", "orderItems")] == [0, 2, 3]


@pytest.mark.parametrize(
    ("stage", "versions", "caller_sees", "v2_shows"),
    [
        pytest.param("v2", {"v2"}, set(), set(), id="v2"),
        pytest.param("shadow", {"v2"}, set(), set(), id="shadow"),
        pytest.param(CANARY, {"v2", "v2.1"}, OTHERWISE, OTHERWISE, id="canary 50"),
        pytest.param("live", {"v2.1"}, set(), OTHERWISE, id="live"),
        pytest.param("v2.1", {"v2.1"}, set(), OTHERWISE, id="v2.1"),
    ],
)
def test_the_day_ends_as_it_does_straight_through_v2(
    stage: Any, versions: set[str], caller_sees: set[str], v2_shows: set[str], straight: dict[str, Any]
) -> None:
    with carried([stage], key=KEY) as proxy:
        day = lived(through(proxy.url))
        assert {name: heard.status for name, heard in day.items()} == wanted()
        assert answered_by(proxy) == versions
        assert apart(state(through(proxy.url), day), straight) <= caller_sees
        assert apart(state(through(proxy.platform_url), day), straight) <= v2_shows


def test_in_canary_nothing_tells_the_versions_apart_but_the_flights(straight: dict[str, Any]) -> None:
    """Orders and people move by halves; items stay with v2 until all of them can go."""
    with carried([{"endpoint": "items.*", "stage": "v2"}, CANARY], key=KEY) as proxy:
        day = lived(through(proxy.url))
        assert answered_by(proxy) == {"v2", "v2.1"}
        assert apart(state(through(proxy.platform_url), day), straight) == set()


def cutover(proxy: Carried, *words: str) -> Result:
    """`crossfade cutover …` as an operator types it beside the running proxy."""
    path = proxy.log_file.parent / "crossfade.toml"
    return CliRunner().invoke(app, ["cutover", *words, "--config", str(path)])


def taken_back(proxy: Carried, *words: str) -> Ask:
    """Someone to live the day, in the middle of which `crossfade cutover rollback` is typed and takes effect."""
    ask, steps = through(proxy.url), itertools.count()

    def asking(step: Outgoing) -> Heard:
        if next(steps) == STEPS_BEFORE:
            assert answered_by(proxy) >= {"v2.1"}
            done = cutover(proxy, "rollback", *words)
            assert done.exit_code == 0, done.output
            until(lambda: "by_hand" in {one["reason"] for one in proxy.log_lines("decision")})
        return ask(step)

    return asking


@pytest.mark.parametrize(
    ("routes", "words", "otherwise"),
    [
        pytest.param([{"endpoint": "items.*", "stage": "v2"}, CANARY], ["*"], set(), id="items still on v2"),
        pytest.param([CANARY], ["*", "--force"], OTHERWISE, id="items behind the point of no return"),
    ],
)
def test_after_a_rollback_from_canary_the_day_ends_as_on_v2(
    routes: list[Any], words: list[str], otherwise: set[str], straight: dict[str, Any]
) -> None:
    with carried(routes, key=KEY, steered=True) as proxy:
        day = lived(taken_back(proxy, *words))
        assert {name: heard.status for name, heard in day.items()} == wanted()
        asked = [one["version"] for one in proxy.log_lines("request")]
        assert set(asked[STEPS_BEFORE:]) == {"v2"}
        assert apart(state(through(proxy.url), day), straight) <= otherwise
        assert apart(state(through(proxy.platform_url), day), straight) <= otherwise


def test_without_force_a_rollback_leaves_items_where_reads_still_understand_them() -> None:
    with carried([CANARY], key=KEY, steered=True) as proxy:
        lived(through(proxy.url))
        until(lambda: "crossed" in {one["reason"] for one in proxy.log_lines("decision")})
        done = cutover(proxy, "rollback", "*")
        assert (done.exit_code, "point of no return" in done.output) == (1, True)


def test_a_flight_whose_details_fail_stays_and_the_day_goes_on(straight: dict[str, Any]) -> None:
    with carried(["v2.1"], key=KEY) as proxy:
        ask, mischief = through(proxy.url), proxy.emulator.mischief

        def asking(step: Outgoing) -> Heard:
            failing = step.template.name == FLIGHTS[0]
            broken = {"error_503": 1.0 if failing else 0.0, "only": "extensions"}
            mischief.set("v2.1", mischief.table["v2.1"].changed(broken))
            return ask(step)

        day = lived(asking)
        assert {name: heard.status for name, heard in day.items()} == wanted()
        partial = {name for name, heard in day.items() if heard.header("x-crossfade-partial")}
        assert partial == {FLIGHTS[0]}
        (entry,) = doubts(proxy.log_file.parent / "crossfade.journal")
        assert (entry.endpoint, entry.step) == ("items.create", 2)
        where = (FLIGHTS[0], "whole order/orderItems/items")
        lost = {f"/{place}/{name}" for place in where for name in ("flightSegments", "passengerTypeCode")}
        assert apart(state(ask, day), straight) == lost
