"""The point of no return and the files that remember it: told when it is passed, and never forgotten in silence."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from proxy.cli.app import app
from proxy.cutover.memory import recall
from proxy.emulator import Misbehaviour
from tests.emulator.caller import FIRST_REF, order
from tests.endtoend.process import Served, served
from tests.endtoend.running import PUBLIC, Carried, carried
from tests.endtoend.test_guard import until
from tests.endtoend.test_items import FLIGHT
from tests.endtoend.test_reload import metric, ready, rewritten
from tests.servers import emulator

BAG: dict[str, Any] = {
    "type": "OTHER",
    "name": "A bag",
    "currencyCode": "EUR",
    "price": 20,
    "status": "CONFIRMED",
    "productId": "BAG",
    "referenceId": "R-2",
}
ITEMS = f"/v2/orders/{FIRST_REF}/orderItems"
ROUTES: list[Any] = [{"endpoint": "items.*", "stage": "live"}, {"stage": "live"}]
FAILING = Misbehaviour(error_500=1.0)


def decided(proxy: Carried | Served) -> list[tuple[str, str]]:
    """Rule and reason of each decision in the log."""
    lines = proxy.log_lines() if isinstance(proxy, Carried) else proxy.events()
    return [(one["rule"], one["reason"]) for one in lines if one["event"] == "decision"]


def typed(folder: Path, *words: str) -> Any:
    """What `crossfade cutover …` gives."""
    return CliRunner().invoke(app, ["cutover", *words, "--config", str(folder / "crossfade.toml")])


def test_the_first_item_that_v2_would_show_raw_passes_the_point_of_no_return() -> None:
    with carried(ROUTES, steered=True) as proxy:
        folder = proxy.log_file.parent
        proxy.json("POST", "/v2/orders", order())
        made = proxy.json("POST", ITEMS, BAG)["href"].removeprefix(PUBLIC)
        assert proxy.ask("DELETE", made).status == 204
        assert "no return" not in typed(folder, "show").output
        assert decided(proxy) == [], "a bag is the same in both, and so is no bag"
        proxy.json("POST", ITEMS, FLIGHT)
        until(lambda: decided(proxy) == [("mapping", "crossed")])
        until(lambda: "items is behind its point of no return" in typed(folder, "show").output, 5)
        why = typed(folder, "why", "items.create").output
        assert (
            "left in what is stored by: values.itemType, values.item-type.flight, items.create.flight" in why
        )
        proxy.json("POST", ITEMS, FLIGHT)
        kept = typed(folder, "rollback", "items.get")
        assert (kept.exit_code, "items is behind its point of no return" in kept.output) == (1, True)
        proxy.emulator.mischief.set("v2.1", FAILING)
        for number in range(60):
            proxy.ask("GET", f"/v2/orderItems/{number}")
            proxy.ask("GET", f"/v2/orders?referenceId={number}")
        assert decided(proxy)[1:] == [("guard.failed", "unsafe"), ("guard.failed", "rolled_back")]
        stages = [one.stage for one in proxy.snapshot.decider.routes.entries]
        assert stages == ["live", "shadow"], "only what cannot go back stays"


def test_before_that_items_go_back_by_themselves() -> None:
    with carried(ROUTES, steered=True) as proxy:
        proxy.json("POST", "/v2/orders", order())
        proxy.json("POST", ITEMS, BAG)
        proxy.emulator.mischief.set("v2.1", FAILING)
        for number in range(60):
            proxy.ask("GET", f"/v2/orderItems/{number}")
        assert decided(proxy) == [("guard.failed", "rolled_back")]


def test_a_write_that_was_at_work_while_its_entry_was_changed_counts_as_well() -> None:
    with carried([{"stage": "live"}], steered=True) as proxy:
        proxy.json("POST", "/v2/orders", order())
        proxy.emulator.mischief.set("v2.1", Misbehaviour(slow=1.0, slow_seconds=1.5))
        writing = threading.Thread(target=proxy.json, args=("POST", ITEMS, {**FLIGHT, "flightSegments": []}))
        writing.start()
        before = proxy.snapshot.hash
        rewritten(proxy, 'stage = "live"', 'stage = "live"\nsticky = "caller"')
        until(lambda: proxy.snapshot.hash != before)
        assert decided(proxy) == [], "it has not been answered yet"
        writing.join()
        until(lambda: decided(proxy) == [("mapping", "crossed")])


@contextmanager
def restarted(folder: Path, broken: str, text: str) -> Iterator[tuple[Served, Any]]:
    """A process that finds one of its files broken; it has served before."""
    keys = {"log.requests": "all"}
    with emulator(base_url="http://platform.test") as (url, behind):
        with served(folder, url, {"route": ROUTES}, keys) as proxy:
            assert proxy.ask("GET", "/v2/orders?referenceId=a").status == 200
            proxy.end(signal.SIGTERM)
        (folder / f"crossfade.journal{broken}").write_text(text, "utf-8")
        with served(folder, url, {"route": ROUTES}, keys) as proxy:
            yield proxy, behind


def degraded(proxy: Served) -> list[str]:
    found: list[str] = json.loads(proxy.ask("GET", "/-/readyz").body).get("degraded", [])
    return found


def told_states(proxy: Served) -> list[tuple[str, str | None]]:
    lines = [one for one in proxy.events() if one["event"] == "degraded" and one["part"] == "guard"]
    return [(one["state"], one.get("reason")) for one in lines]


def test_what_the_guard_has_learnt_and_cannot_be_read_counts_as_a_point_passed(tmp_path: Path) -> None:
    text = '{"format": 1, "crossed": {"ite'
    file = tmp_path / "crossfade.journal.guard"
    with restarted(tmp_path, ".guard", text) as (proxy, behind):
        assert degraded(proxy) == ["guard"]
        assert "crossfade_guard_degraded 1.0" in proxy.operator("/metrics").body.decode()
        assert told_states(proxy) == [("degraded", "unreadable")]
        behind.mischief.set("v2.1", FAILING)
        for number in range(60):
            proxy.ask("GET", f"/v2/orderItems/{number}")
            proxy.ask("GET", f"/v2/orders?referenceId={number}")
        assert decided(proxy) == [("guard.failed", "unsafe"), ("guard.failed", "rolled_back")]
        assert file.read_text("utf-8") == text, "it may be mended"
        refused = typed(tmp_path, "rollback", "items.get")
        assert (refused.exit_code, "crossfade.journal.guard: holds nothing" in refused.stderr) == (1, True)
        file.unlink()
        until(lambda: degraded(proxy) == [])
        assert told_states(proxy)[1:] == [("recovered", None)]
        assert recall(file).crossed == {}
        assert typed(tmp_path, "rollback", "items.get").exit_code == 0


def version(proxy: Served) -> str:
    """Which version answers a read now."""
    proxy.ask("GET", "/v2/orders?referenceId=b")
    until(lambda: [one for one in proxy.events() if one["event"] == "request"])
    return str([one for one in proxy.events() if one["event"] == "request"][-1]["version"])


def test_overrides_that_cannot_be_read_hold_back_what_they_may_be_about(tmp_path: Path) -> None:
    with restarted(tmp_path, ".overrides", "{") as (proxy, _):
        assert version(proxy) == "v2"
        assert degraded(proxy) == ["guard"]
        shown = proxy.operator("/metrics").body.decode()
        assert "crossfade_overrides 2.0" in shown
        assert "crossfade_guard_degraded 1.0" in shown
        assert told_states(proxy) == [("degraded", "unreadable")]
        refused = typed(tmp_path, "show")
        assert (refused.exit_code, "crossfade.journal.overrides: holds no overrides" in refused.stderr) == (
            2,
            True,
        )
        (tmp_path / "crossfade.journal.overrides").unlink()
        until(lambda: degraded(proxy) == [])
        until(lambda: version(proxy) == "v2.1")


def test_another_share_is_a_decision_of_the_file() -> None:
    with carried([{"stage": "canary", "percent": 5}], steered=True) as proxy:
        rewritten(proxy, "percent = 5", "percent = 50")
        (line,) = proxy.log_lines("decision", least=1)
        expected = {"rule": "file", "reason": "configured", "old_stage": "canary", "new_stage": "canary"}
        assert {name: line[name] for name in expected} == expected
        assert (line["old_percent"], line["new_percent"]) == (5.0, 50.0)
        why = typed(proxy.log_file.parent, "why").output
        assert "canary 5 % → 50 %" in why
        assert metric(proxy, "crossfade_guard_degraded") == 0
        assert ready(proxy) == []
