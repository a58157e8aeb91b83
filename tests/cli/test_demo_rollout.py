"""The demo's way through the stages: what it reads from log and metrics, and what it says when something does not follow."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from proxy.cli.demo.findings import Findings, stage_in_effect
from proxy.cli.demo.material import read_rollout
from proxy.cli.demo.rollout import Chapter
from proxy.cli.demo.stage import Member, staged
from proxy.errors import ConfigError


def test_the_stage_in_effect_is_read_from_the_metrics() -> None:
    page = (
        "# TYPE crossfade_route_stage gauge\n"
        'crossfade_route_stage{route="0",stage="v2"} 0.0\ncrossfade_route_stage{route="10",stage="canary"} 2.0\n'
        "# TYPE crossfade_overrides gauge\ncrossfade_overrides 0.0\n"
    )
    assert [stage_in_effect(page, route) for route in (0, 10, 1)] == ["v2", "canary", ""]
    assert not stage_in_effect(None, 0)


def test_decisions_are_kept_in_their_order(tmp_path: Path) -> None:
    made = [{"event": "decision", "reason": reason} for reason in ("lapsed", "rolled_back")]
    (tmp_path / "log").write_text("".join(json.dumps(one) + "\n" for one in made))
    findings = Findings(tmp_path / "log", {})
    findings.read()
    assert findings.decisions == made
    findings.forget()
    assert findings.decisions == []


def test_a_command_that_fails_and_a_route_that_does_not_follow_are_said_in_sentences() -> None:
    with staged([Member("somebody", "shadow")], 0) as stage:
        with pytest.raises(ConfigError, match=r"crossfade cutover set nothing live failed:\n.*nothing"):
            stage.typed("cutover", "set", "nothing", "live")
        chapter = Chapter(Console(file=io.StringIO()), stage, read_rollout(), Findings(stage.log, {}), 0.1)
        with pytest.raises(ConfigError, match=r"the route stood still within 0\.2 s; try again"):
            chapter.until(lambda: False, "stood still", patience=0.2)
