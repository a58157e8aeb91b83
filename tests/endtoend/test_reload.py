"""Hot reload: nothing fails while it happens, each request sees one configuration, and a bad file changes nothing."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from proxy.config.model import Config
from proxy.mapping.api import SHIPPED
from proxy.reload import AT_START, kept
from tests.config.conftest import UPSTREAM
from tests.config.test_bad import BAD as MISTAKES
from tests.emulator.caller import order
from tests.endtoend.process import served
from tests.endtoend.running import Carried, carried
from tests.endtoend.test_guard import traffic, until
from tests.servers import emulator

RELOADS = 100 if os.environ.get("CROSSFADE_RELOADS") == "long" else 12
"""`make reloads` asks for 100."""


def rewritten(proxy: Carried, old: str, new: str) -> None:
    """Change the configuration's text."""
    path = proxy.log_file.parent / "crossfade.toml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def outcomes(proxy: Carried, count: int) -> list[dict[str, Any]]:
    lines = proxy.log_lines("config", least=count)
    assert len(lines) == count, lines
    return lines


def ready(proxy: Carried) -> list[str]:
    found: list[str] = json.loads(proxy.ask("GET", "/-/readyz").body).get("degraded", [])
    return found


def metric(proxy: Carried, name: str) -> float:
    (value,) = re.findall(rf"^{re.escape(name)} (\S+)$", proxy.metrics(), re.MULTILINE)
    return float(value)


def test_a_changed_file_takes_effect_within_a_second_or_so() -> None:
    with carried(["v2"], steered=True) as proxy:
        assert proxy.went() == "v2"
        begun = time.monotonic()
        rewritten(proxy, 'stage = "v2"', 'stage = "live"')
        until(lambda: proxy.went() == "v2.1", 5)
        assert time.monotonic() - begun < 3, "two looks of a quarter of a second, and the compiling"
        (line,) = outcomes(proxy, 1)
        assert (line["outcome"], line["findings"]) == ("loaded", [])
        (decision,) = proxy.log_lines("decision")
        told = {"rule": "file", "reason": "configured", "old_stage": "v2", "new_stage": "live"}
        assert {name: decision[name] for name in told} == told
        assert metric(proxy, 'crossfade_config_reloads_total{outcome="loaded"}') == 1


BAD = [
    ('stage = "v2"', 'stage = "v3"', r"route\[0\]\.stage: must be"),
    ('stage = "v2"', "stage = ", r"line \d+"),
    (
        'stage = "v2"',
        'stage = "v2"\nendpoint = "nothing"',
        r'route\[0\]\.endpoint: "nothing" matches no endpoint',
    ),
    ('stage = "v2"', 'stage = "v2"\n[compat]\nfoo = "bar"', r"compat\.foo: there is no such switch"),
    (
        'stage = "v2"',
        'stage = "v2"\n[store]\nurl_file = "missing"',
        r"store\.url_file: the file cannot be read",
    ),
]


@pytest.mark.parametrize(("old", "new", "said"), BAD)
def test_a_bad_file_changes_nothing_and_says_so(old: str, new: str, said: str) -> None:
    with carried([{"stage": "v2"}], steered=True) as proxy:
        before = proxy.snapshot
        rewritten(proxy, old, new)
        (line,) = outcomes(proxy, 1)
        assert (line["outcome"], line["config"]) == ("refused", before.hash)
        assert re.search(said, line["findings"][0]), line
        assert "crossfade.toml" in line["findings"][0]
        assert re.search(r"; |must be ", line["findings"][0]), "the way out"
        assert proxy.snapshot is before
        assert ready(proxy) == ["config"]
        assert metric(proxy, "crossfade_config_refused") == 1
        assert proxy.went() == "v2"
        rewritten(proxy, new, old)
        outcomes(proxy, 2)
        until(lambda: ready(proxy) == [], 5)
        assert metric(proxy, "crossfade_config_refused") == 0


def test_every_kind_of_mistake_is_refused_by_a_running_proxy_and_the_last_good_file_stays() -> None:
    with carried(["v2"], steered=True) as proxy:
        before, path = proxy.snapshot, proxy.log_file.parent / "crossfade.toml"
        good = path.read_text("utf-8")
        loop: Any = proxy.program.loop
        for text, *expected in MISTAKES.values():
            path.write_text(f"{text}\n{UPSTREAM}", "utf-8")
            assert not asyncio.run_coroutine_threadsafe(proxy.program.reloader.reload(), loop).result(20)
            line = proxy.log_lines("config")[-1]
            assert (line["outcome"], line["config"]) == ("refused", before.hash), text
            assert all(part in line["findings"][0] for part in expected), (text, line)
            assert proxy.snapshot is before
            assert metric(proxy, "crossfade_config_refused") == 1
        assert len(MISTAKES) >= 40
        assert ready(proxy) == ["config"]
        assert proxy.went() == "v2"
        path.write_text(good, "utf-8")
        until(lambda: ready(proxy) == [], 5)


def test_a_mapping_folder_is_watched_and_a_bad_mapping_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "mappings"
    shutil.copytree(SHIPPED, folder, ignore=shutil.ignore_patterns("__pycache__", "examples"))
    with carried(["live"], keys={"mappings": str(folder)}, steered=True) as proxy:
        before = proxy.snapshot
        good = (folder / "api.toml").read_text("utf-8")
        (folder / "api.toml").write_text("nonsense = 1\n" + good, "utf-8")
        (line,) = outcomes(proxy, 1)
        assert line["outcome"] == "refused"
        assert "api.toml" in line["findings"][0]
        assert proxy.snapshot is before
        (folder / "api.toml").write_text(good + "\n# looked at again\n", "utf-8")
        assert outcomes(proxy, 2)[1]["outcome"] == "loaded"
        assert proxy.snapshot.mapping is not before.mapping
        assert proxy.json("POST", "/v2/orders", order())["ref"]
        assert proxy.snapshot.v2_1 is before.v2_1, "connections are kept"


def test_what_only_a_start_can_change_is_named_and_the_rest_is_taken_over() -> None:
    with carried(["v2"], keys={"server.port": 1}, steered=True) as proxy:
        rewritten(proxy, "server.port = 1", "server.port = 2")
        rewritten(proxy, 'stage = "v2"', 'stage = "shadow"')
        lines = proxy.log_lines("config", least=1)
        assert lines[-1]["findings"] == ["server.port: takes effect at the next start"]
        assert proxy.snapshot.config.server.port == 1
        assert proxy.snapshot.config.route[0].stage == "shadow"


@pytest.mark.parametrize("section", AT_START)
def test_the_keys_of_the_start_exist(section: str) -> None:
    fields = Config.model_fields[section].annotation
    assert fields is not None
    assert set(AT_START[section]) <= set(fields.model_fields)


def test_keys_of_the_start_keep_their_old_value() -> None:
    address = {"base_url": "http://localhost"}
    both = {"upstream": {"v2": address, "v2_1": address}}
    old = Config.model_validate(both, context={"folder": Path()})
    new = Config.model_validate(
        {**both, "admin": {"port": 9}, "unmapped": "v2"}, context={"folder": Path("/elsewhere")}
    )
    config, waiting = kept(old, new)
    assert waiting == ["admin.port", "identity.key_file", "journal.path", "store.url"]
    assert (config.admin.port, config.unmapped) == (8081, "v2")
    assert config.identity == old.identity


def test_a_stage_that_changes_for_one_caller_only_is_told() -> None:
    with carried([{"stage": "v2", "callers": ["a1b2c3d4"]}, "v2.1"], steered=True) as proxy:
        rewritten(proxy, 'stage = "v2"\n', 'stage = "shadow"\n')
        outcomes(proxy, 1)
        (decision,) = proxy.log_lines("decision", least=1)
        assert (decision["old_stage"], decision["new_stage"], decision["route"]) == ("v2", "shadow", 0)


def test_a_file_that_says_the_same_is_no_change() -> None:
    with carried(["v2"], steered=True) as proxy:
        before = proxy.snapshot
        path = proxy.log_file.parent / "crossfade.toml"
        path.write_text(path.read_text("utf-8"), "utf-8")
        (line,) = outcomes(proxy, 1)
        assert (line["outcome"], line["config"]) == ("unchanged", before.hash)
        assert proxy.snapshot is before


def test_another_upstream_gets_another_engine_and_the_old_one_is_closed() -> None:
    keys = {"shadow.timeout": "100ms"}
    with (
        emulator(base_url="http://platform.test") as (other, app),
        carried(["v2"], keys=keys, steered=True) as proxy,
    ):
        proxy.ask("GET", "/v2/orders")
        old = proxy.snapshot
        engine: Any = old.v2
        v2 = f'upstream.v2.base_url = "{proxy.platform_url}"'
        rewritten(proxy, v2, f'upstream.v2.base_url = "{other}"')
        outcomes(proxy, 1)
        assert proxy.snapshot.v2 is not engine
        assert proxy.snapshot.v2_1 is old.v2_1
        assert proxy.snapshot.shadow is not old.shadow
        proxy.ask("GET", "/v2/orders")
        assert len(app.recorded) == 1
        time.sleep(0.6)
        assert not engine._closed, "a request may still hold the old configuration"
        del old
        until(lambda: engine._closed, 5)


@contextmanager
def reloading(proxy: Carried, count: int) -> Iterator[list[bool]]:
    """Another configuration over and over: stages, unmapped calls, shadowing and pools change."""
    done: list[bool] = []
    path = proxy.log_file.parent / "crossfade.toml"
    text = path.read_text("utf-8")
    loop: Any = proxy.program.loop

    def run() -> None:
        for number in range(count):
            stage = ('"v2"', '"live"', '"canary"\npercent = 50')[number % 3]
            size = 90 + number % 4 // 2
            changed = text.replace('stage = "v2"', f"stage = {stage}")
            path.write_text(f"upstream.v2.pool_size = {size}\n{changed}", "utf-8")
            future = asyncio.run_coroutine_threadsafe(proxy.program.reloader.reload(), loop)
            done.append(future.result(20))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield done
    finally:
        thread.join()


def test_many_reloads_under_load_fail_no_request(tmp_path: Path) -> None:
    count = RELOADS
    shutil.copytree(SHIPPED, tmp_path / "m", ignore=shutil.ignore_patterns("__pycache__", "examples"))
    keys = {"mappings": str(tmp_path / "m")}
    with carried(["v2"], keys=keys, steered=True) as proxy, traffic(proxy.ask, 2) as callers:
        with reloading(proxy, count) as done:
            until(lambda: len(done) == count, 100)
        callers.stopping.set()
        assert all(done), proxy.log_lines("config")
        assert len(callers.answers) > count
        assert {status for _, _, status in callers.answers} <= {200, 201}
        lines = proxy.log_lines("request", least=len(callers.answers))
        pairs = {(one["stage"], one["version"]) for one in lines}
        assert pairs <= {("v2", "v2"), ("live", "v2.1"), ("canary", "v2"), ("canary", "v2.1")}
        assert {stage for stage, _ in pairs} == {"v2", "live", "canary"}


def test_sighup_reloads_at_once(tmp_path: Path) -> None:
    with emulator() as (url, _), served(tmp_path, url, {"route": [{"stage": "v2"}]}) as proxy:
        path = tmp_path / "crossfade.toml"
        path.write_text(path.read_text("utf-8").replace('stage = "v2"', 'stage = "shadow"'), "utf-8")
        proxy.process.send_signal(signal.SIGHUP)
        until(lambda: "config" in [one["event"] for one in proxy.events()], 10)
        (line,) = [one for one in proxy.events() if one["event"] == "config"]
        assert line["outcome"] == "loaded"
        assert proxy.ask("GET", "/v2/orders?referenceId=x").status == 200


def test_the_page_names_the_keys_of_the_start() -> None:
    page = (Path(__file__).parents[2] / "docs" / "cutover.md").read_text("utf-8")
    listed = page.partition("<!-- keys -->")[2].partition("<!-- end -->")[0]
    assert re.findall(r"`([a-z_.]+)`", listed) == [
        f"{section}.{key}" for section, keys in AT_START.items() for key in keys
    ]


def test_a_file_that_is_gone_changes_nothing() -> None:
    with carried(["v2"], steered=True) as proxy:
        path = proxy.log_file.parent / "crossfade.toml"
        path.rename(path.with_name("moved"))
        (line,) = outcomes(proxy, 1)
        assert line["outcome"] == "refused"
        assert "cannot be read" in line["findings"][0]
        assert proxy.went() == "v2"
        path.with_name("moved").rename(path)
        assert outcomes(proxy, 2)[1]["outcome"] == "loaded"


def test_a_mistake_while_loading_is_refused_like_a_bad_file() -> None:
    with carried(["v2"], steered=True, mistakes=True) as proxy:
        proxy.program.reloader._read = lambda _: 1 / 0  # type: ignore[assignment,return-value] # the mistake
        rewritten(proxy, 'stage = "v2"', 'stage = "live"')
        (line,) = outcomes(proxy, 1)
        assert (line["outcome"], proxy.went()) == ("refused", "v2")
        assert [one["exception"] for one in proxy.log_lines("internal_error")] == ["ZeroDivisionError"]
