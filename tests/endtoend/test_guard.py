"""The guard in earnest: the platform breaks on purpose, and every new request is back on v2; nothing dropped or doubled."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from proxy.cutover.overrides import OverrideFile, overrides_path
from proxy.emulator import Misbehaviour
from proxy.emulator.drifts import DRIFTS
from proxy.errors import ConfigError
from proxy.retired import Retired
from proxy.store import Store
from proxy.store.rows import Override
from tests.emulator.caller import order
from tests.endtoend.process import Served, served
from tests.endtoend.running import Carried, carried
from tests.servers import emulator

CANARY: dict[str, Any] = {"stage": "canary", "percent": 50}
EVERYTHING = {"shadow.sample": 1.0, "shadow.max_calls_per_second": 10_000}
PREFIXES = (
    "crossfade_guard",
    "crossfade_split",
    "crossfade_overrides",
    "crossfade_route",
    "crossfade_config",
)
TYPED = next(name for name in DRIFTS if name.startswith("prints price"))


@dataclass
class Traffic:
    """Callers that create orders and read them back, each order once, until they are told to stop."""

    ask: Any
    answers: list[tuple[float, float, int]] = field(default_factory=list)
    """When a call began, when it ended, its status; 0 for a call that got no answer."""
    created: Counter[str] = field(default_factory=Counter)
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self, name: str) -> None:
        number = 0
        while not self.stopping.is_set() and number < 2_000:
            number += 1
            reference = f"{name}-{number}"
            self._call("POST", "/v2/orders", json.dumps(order(referenceId=reference)))
            self.created[reference] += 1
            self._call("GET", f"/v2/orders?referenceId={reference}", "")

    def _call(self, method: str, target: str, body: str) -> None:
        began = time.time()
        try:
            status = self.ask(method, target, body).status
        except Exception:  # noqa: BLE001 - whatever it is: the caller got no answer
            status = 0
        self.answers.append((began, time.time(), status))


@contextmanager
def traffic(ask: Any, callers: int = 3) -> Iterator[Traffic]:
    made = Traffic(ask)
    threads = [threading.Thread(target=made.run, args=(f"c{number}",)) for number in range(callers)]
    for one in threads:
        one.start()
    try:
        yield made
    finally:
        made.stopping.set()
        for one in threads:
            one.join()


def until(what: Any, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def moment(line: dict[str, Any]) -> float:
    """When a line of the log was written, seconds since 1970."""
    return datetime.fromisoformat(line["time"]).timestamp()


BREAKS = [
    pytest.param("live", Misbehaviour(drift=1.0, way=TYPED), "guard.contract", id="answers in another form"),
    pytest.param(CANARY, Misbehaviour(error_500=1.0), "guard.failed", id="v2.1 fails"),
    pytest.param("live", Misbehaviour(slow=1.0, slow_seconds=0.5), "guard.slow", id="v2.1 is slow"),
    pytest.param(
        {"stage": "live", "slow_after": "50ms"},
        Misbehaviour(slow=1.0, slow_seconds=0.2),
        "guard.slow",
        id="v2.1 is slow for this route",
    ),
]


@pytest.mark.parametrize(("stage", "trouble", "rule"), BREAKS)
def test_every_new_request_is_back_on_v2_within_a_second(
    stage: Any, trouble: Misbehaviour, rule: str
) -> None:
    with (
        carried([stage], keys={"guard.slow_after": "400ms"}, steered=True) as proxy,
        traffic(proxy.ask) as callers,
    ):
        until(lambda: len(callers.answers) > 60)
        assert proxy.log_lines("decision") == []
        proxy.emulator.mischief.set("v2.1", trouble)
        until(lambda: proxy.log_lines("decision"))
        seen = len(callers.answers)
        until(lambda: len(callers.answers) > seen + 100)
        callers.stopping.set()
        (decision,) = proxy.log_lines("decision")
        expected = {"rule": rule, "reason": "rolled_back", "new_stage": "shadow", "route": 0}
        assert {name: decision[name] for name in expected} == expected
        assert decision["unexpected"] >= 2
        verdict = moment(decision)
        time.sleep(0.2)
        assert_back_on_v2(proxy, callers, verdict)


def assert_back_on_v2(proxy: Carried, callers: Traffic, verdict: float) -> None:
    late = [
        one
        for one in proxy.log_lines("request")
        if one["version"] == "v2.1" and moment(one) - one["duration_ms"] / 1000 > verdict + 0.05
    ]
    assert late == []
    assert all(status for _, _, status in callers.answers), "no call may go without an answer"
    assert all(status < 300 for began, _, status in callers.answers if began > verdict + 0.5)
    written = Counter(
        json.loads(one.body)["referenceId"]
        for one in list(proxy.emulator.recorded)
        if one.method == "POST" and one.body
    )
    assert written.total() > 50
    assert set(written.values()) == {1}, "no write was sent twice"


def test_a_route_that_shall_only_be_reported_stays() -> None:
    keys = {"guard.action": "report"}
    with carried(["live"], keys=keys, steered=True) as proxy, traffic(proxy.ask, 1) as callers:
        proxy.emulator.mischief.set("v2.1", Misbehaviour(drift=1.0, way=TYPED))
        until(lambda: proxy.log_lines("decision"))
        seen = len(callers.answers)
        until(lambda: len(callers.answers) > seen + 10)
        (decision,) = proxy.log_lines("decision")
        assert (decision["reason"], decision["old_stage"], decision["new_stage"]) == (
            "reported",
            "live",
            "live",
        )
        assert proxy.log_lines("request")[-1]["version"] == "v2.1"


@pytest.mark.parametrize("stage", ["shadow", "v2.1"])
def test_where_there_is_nothing_to_take_back_it_is_announced(stage: str) -> None:
    reasons = {"shadow": "v2_answers", "v2.1": "v2_is_over"}
    with carried([stage], keys=EVERYTHING, steered=True) as proxy, traffic(proxy.ask, 1):
        proxy.emulator.mischief.set("v2.1", Misbehaviour(error_500=1.0))
        until(lambda: proxy.log_lines("decision"))
        (decision,) = proxy.log_lines("decision")
        assert (decision["reason"], decision["new_stage"]) == (reasons[stage], stage)


def test_an_override_survives_a_restart_without_the_store_and_lapses_with_its_entry(tmp_path: Path) -> None:
    keys = {"log.requests": "all"}
    live = [{"stage": "live"}]
    with emulator(base_url="http://platform.test") as (url, app):
        with served(tmp_path, url, {"route": live}, keys) as proxy:
            with traffic(proxy.ask, 1):
                app.mischief.set("v2.1", Misbehaviour(drift=1.0, way=TYPED))
                until(lambda: decisions(proxy))
            assert versions(proxy) == "v2"
            proxy.end(signal.SIGINT)
        with Store(f"sqlite:///{tmp_path / 'crossfade.db'}") as store:
            assert [one.rule for one in store.decisions()] == ["guard.contract"]
            assert [one.stage for one in store.overrides()] == ["shadow"]
        app.mischief.set("v2.1", Misbehaviour())
        keys["store.url"] = "sqlite:////proc/no/such/store.db"
        with served(tmp_path, url, {"route": live}, keys) as proxy:
            assert versions(proxy) == "v2"
            written = (tmp_path / "crossfade.toml").read_text("utf-8")
            (tmp_path / "crossfade.toml").write_text(written + 'sticky = "caller"\n', "utf-8")
            until(lambda: versions(proxy) == "v2.1")
            (tmp_path / "crossfade.toml").write_text(written, "utf-8")
            until(lambda: len([one for one in proxy.events() if one["event"] == "config"]) == 2)
            assert versions(proxy) == "v2.1", "it has lapsed for good"


def decisions(proxy: Served) -> list[dict[str, Any]]:
    return [one for one in proxy.events() if one["event"] == "decision"]


def versions(proxy: Served) -> str:
    """Which version answers a read now."""
    proxy.ask("GET", "/v2/orders?referenceId=somebody")
    until(lambda: any(one["event"] == "request" for one in proxy.events()))
    time.sleep(0.05)
    return str([one for one in proxy.events() if one["event"] == "request"][-1]["version"])


def test_metrics_say_what_the_guard_knows() -> None:
    with carried([CANARY], steered=True) as proxy:
        with traffic(proxy.ask, 1) as callers:
            until(lambda: len(callers.answers) > 40)
        shown = proxy.metrics()
    page = (Path(__file__).parents[2] / "docs" / "cutover.md").read_text("utf-8")
    names = {line.split("{")[0].split(" ")[0] for line in shown.splitlines() if not line.startswith("#")}
    ours = {one for one in names if one.startswith(PREFIXES) and not one.endswith("_created")}
    assert ours == {
        "crossfade_config_refused",
        "crossfade_guard_bar",
        "crossfade_guard_degraded",
        "crossfade_guard_evidence",
        "crossfade_guard_records",
        "crossfade_overrides",
        "crossfade_route_stage",
        "crossfade_split_keys",
        "crossfade_split_percent",
    }
    assert all(f"`{one}" in page for one in {*ours, "crossfade_config_reloads_total"})
    assert 'crossfade_route_stage{route="0",stage="canary"} 2.0' in shown


def test_where_nothing_can_be_written_the_rollback_holds_and_is_written_later() -> None:
    with carried(["live"], steered=True) as proxy:
        file = overrides_path(proxy.log_file.parent / "crossfade.journal")
        file.mkdir()
        with traffic(proxy.ask, 1):
            proxy.emulator.mischief.set("v2.1", Misbehaviour(error_500=1.0))
            until(lambda: proxy.log_lines("decision"))
        until(lambda: "guard" in json.loads(proxy.ask("GET", "/-/readyz").body).get("degraded", []))
        time.sleep(0.6)
        assert proxy.snapshot.decider.routes.entries[0].stage == "shadow"
        file.rmdir()
        until(lambda: [one.stage for one in OverrideFile(file).overrides()] == ["shadow"])
        until(lambda: "degraded" not in json.loads(proxy.ask("GET", "/-/readyz").body))
        time.sleep(0.6)
        assert proxy.snapshot.decider.routes.entries[0].stage == "shadow"
        states = [one["state"] for one in proxy.log_lines("degraded") if one["part"] == "guard"]
        assert states == ["degraded", "recovered"]


def test_who_keeps_the_folder_locked_holds_up_no_request() -> None:
    with carried(["live"], steered=True) as proxy:
        folder = os.open(proxy.log_file.parent, os.O_RDONLY)
        fcntl.flock(folder, fcntl.LOCK_EX)
        with traffic(proxy.ask, 1):
            proxy.emulator.mischief.set("v2.1", Misbehaviour(error_500=1.0))
            until(lambda: proxy.log_lines("decision"))
            assert proxy.went() == "v2"
        assert "guard" in json.loads(proxy.ask("GET", "/-/readyz").body)["degraded"]
        file = OverrideFile(overrides_path(proxy.log_file.parent / "crossfade.journal"), patience=0.05)
        with pytest.raises(ConfigError, match="another process keeps it locked; end that one"):
            file.lift(["anything"])
        os.close(folder)
        until(lambda: [one.stage for one in file.overrides()] == ["shadow"])


def test_a_mistake_in_the_guard_is_written_down_and_hurts_nobody() -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with carried(["live"], steered=True, mistakes=True) as proxy:
        proxy.program.steering.guard.hear = broken  # type: ignore[assignment] # the mistake
        assert proxy.ask("GET", "/v2/orders?referenceId=a").status == 200
        first = proxy.log_lines("internal_error", least=1)
        assert {one["exception"] for one in first} == {"ZeroDivisionError"}
        assert proxy.ask("GET", "/v2/orders?referenceId=b").status == 200
        assert len(proxy.log_lines("internal_error", least=len(first) + 1)) > len(first)


def test_a_mistake_in_the_watching_does_not_end_it() -> None:
    with carried(["live"], steered=True, mistakes=True) as proxy:
        steering: Any = proxy.program.steering
        steering._retired = None
        proxy.log_lines("internal_error", least=2)
        steering._retired = Retired()
        path = proxy.log_file.parent / "crossfade.journal"
        key = proxy.snapshot.decider.routes.entries[0].key
        OverrideFile(overrides_path(path)).override(Override(key, "v2", "command.rollback", 1))
        until(lambda: proxy.snapshot.decider.routes.entries[0].stage == "v2", 5)
        (decision,) = proxy.log_lines("decision", least=1)
        assert (decision["reason"], decision["new_stage"]) == ("by_hand", "v2")


def test_what_was_set_again_while_nothing_ran_is_judged_afresh(tmp_path: Path) -> None:
    with emulator(base_url="http://platform.test") as (url, app):
        app.mischief.set("v2.1", Misbehaviour(error_500=1.0))
        for _ in range(2):
            with served(tmp_path, url, {"route": [{"stage": "live"}]}) as proxy:
                with traffic(proxy.ask, 1):
                    until(lambda: decisions(proxy), 10)
                assert [one["reason"] for one in decisions(proxy)] == ["rolled_back"]
                proxy.end(signal.SIGINT)
            file = OverrideFile(overrides_path(tmp_path / "crossfade.journal"))
            file.lift([one.route for one in file.overrides()])


def test_a_guard_that_may_act_from_now_on_acts() -> None:
    with carried(["live"], keys={"guard.action": "report"}, steered=True) as proxy, traffic(proxy.ask, 1):
        proxy.emulator.mischief.set("v2.1", Misbehaviour(error_500=1.0))
        until(lambda: proxy.log_lines("decision"))
        path = proxy.log_file.parent / "crossfade.toml"
        path.write_text(path.read_text("utf-8").replace('"report"', '"rollback"'), "utf-8")
        until(lambda: len(proxy.log_lines("decision")) == 2)
        assert [one["reason"] for one in proxy.log_lines("decision")] == ["reported", "rolled_back"]


def test_a_killed_process_loses_at_most_a_second_of_evidence(tmp_path: Path) -> None:
    def judged(proxy: Served) -> float:
        shown = proxy.operator("/metrics").body.decode()
        return sum(
            float(line.split()[-1])
            for line in shown.splitlines()
            if line.startswith("crossfade_guard_records")
        )

    with emulator(base_url="http://platform.test") as (url, _):
        with served(tmp_path, url, {"route": [{"stage": "live"}]}) as proxy:
            with traffic(proxy.ask, 1) as callers:
                until(lambda: len(callers.answers) > 40)
            before = judged(proxy)
            assert before > 40
            time.sleep(1)
            proxy.end(signal.SIGKILL)
        with served(tmp_path, url, {"route": [{"stage": "live"}]}) as proxy:
            assert judged(proxy) >= before


def test_one_file_that_can_be_written_does_not_hide_another_that_cannot() -> None:
    with carried(["live"], steered=True) as proxy:
        file = overrides_path(proxy.log_file.parent / "crossfade.journal")
        file.write_text("no overrides", "utf-8")
        memory = file.with_suffix(".guard")
        with traffic(proxy.ask, 1):
            until(memory.exists)
            first = memory.stat().st_ino
            until(lambda: memory.stat().st_ino != first)
        assert [one["state"] for one in proxy.log_lines("degraded")] == ["degraded"]
        file.unlink()
        until(lambda: len(proxy.log_lines("degraded")) == 2)
        assert proxy.log_lines("degraded")[1]["state"] == "recovered"
