"""One caller's way through the stages: shadow, canary, a platform that breaks, back by itself, mended, live.

Nothing is played: the commands are run as somebody would type them, the proxy reads its file again, its guard decides, and
the figures are those of its log and its metrics.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from proxy.cli.demo.findings import Findings, Row, comparisons, stage_in_effect
from proxy.cli.demo.live import sentence, spelled
from proxy.cli.demo.material import Rollout, Traffic
from proxy.cli.demo.stage import Stage, fetched
from proxy.cli.demo.traffic import traffic
from proxy.emulator.misbehave import Misbehaviour
from proxy.errors import ConfigError
from proxy.types import Version

_LOOK = 0.05
_PATIENCE = 30.0
_SHARE, _LEAST, _MOST = 1 / 12, 1.5, 4.0
"""How much of the traffic's time a look at one stage takes; the least and the most of it in seconds."""
_CLEAN = 1.0
"""Seconds without a divergence after which all that the broken platform has answered counts as compared."""
_FRAME = ("---", "+++", "@@", " ")
"""How lines of a change begin that are no change."""

_T = TypeVar("_T")


def roll(console: Console, stage: Stage, material: Traffic, rollout: Rollout, seconds: float) -> None:
    """Tell the chapter; `seconds` is how long the traffic before it ran.

    Raises `ConfigError` when the proxy does not follow.
    """
    emulator = stage.watched.emulator
    emulator.platform.clear()
    for version in emulator.mischief.table:
        emulator.mischief.set(version, Misbehaviour())
    findings = Findings(stage.log, stage.callers)
    chapter = Chapter(console, stage, rollout, findings, min(max(seconds * _SHARE, _LEAST), _MOST))
    with traffic(stage.proxy, replace(material, callers=[rollout.caller], stories=())) as running:
        chapter.begins()
        chapter.goes_on("canary", str(rollout.percent))
        chapter.breaks()
        chapter.is_mended()
        chapter.goes_on("canary", str(rollout.percent))
        chapter.goes_on("live")
        chapter.ends(running.failures.total())


@dataclass(frozen=True)
class Chapter:
    """The chapter as it is told; each part prints its figures."""

    console: Console
    stage: Stage
    rollout: Rollout
    findings: Findings
    seconds: float
    """How long each stage is looked at."""

    def begins(self) -> None:
        """Stage shadow, as configured from the start."""
        about, name = self.rollout.endpoint, self.rollout.caller.name
        self._say(f"\nNow the way from v2 to v2.1, for {about} of one caller: {name}.", "bold")
        self._say("In stage shadow v2 answers, and v2.1 is asked the same, to compare.")
        self._watch()

    def goes_on(self, *stage: str) -> None:
        """Type the command, wait until it is in effect, and look."""
        said = self._type("set", self.rollout.endpoint, *stage, "--caller", self.rollout.caller.name)
        self._quote([one for one in said if not one.startswith(_FRAME)])
        self.until(lambda: self._in_effect() == stage[0], f"did not go to {stage[0]}")
        self._say("In effect in the running proxy, without a restart.")
        self._watch()

    def breaks(self) -> None:
        """Break v2.1 and wait for the guard."""
        broken = Misbehaviour().changed(self.rollout.broken)
        self._forget()
        self._say(f"\nNow v2.1 breaks: it {broken.way}. Nobody types anything.", "bold")
        began = time.time()
        self.stage.watched.emulator.mischief.set("v2.1", broken)
        verdict = self.until(self._taken_back, "was not taken back by the guard")
        after = datetime.fromisoformat(verdict["time"]).timestamp() - began
        met = self.findings.rows.get(self.rollout.caller.name, Row()).versions[Version.V2_1.value]
        self._say(
            f"{after:.1f} s later the guard has taken the route back to {verdict['new_stage']}; "
            f"answers of v2.1 that the caller has met since the break: {met}. Why it went back:"
        )
        self._quote(self._type("why", self.rollout.endpoint))
        self._say("v2 answers every call again, while comparing goes on:")
        self._watch()

    def is_mended(self) -> None:
        """Mend v2.1, and let somebody look."""
        self._say("\nSomebody mends v2.1. The comparisons show it:", "bold")
        self.stage.watched.emulator.mischief.set("v2.1", Misbehaviour())
        self.until(self._clean, "went on to diverge")
        self._watch()
        self._say("Setting the stage by hand lifts the guard's override:")

    def ends(self, lost: int) -> None:
        """What it cost, and what is left to do; `lost` are calls without any answer."""
        self._say(f"\nCalls that got no answer on the whole way: {lost}.", "bold")
        self._say(
            "The demo goes on at once; in earnest `crossfade cutover show` says when there is evidence enough. "
            "What remains is stage v2.1, where v2 is never called again."
        )

    def _watch(self) -> None:
        """Let the traffic run, and say what the proxy has seen of it."""
        self._forget()
        before = comparisons(self._metrics())
        until = time.monotonic() + self.seconds
        while (left := until - time.monotonic()) > 0:
            self.stage.check()
            time.sleep(min(left, 0.5))
        self.findings.read()
        row = self.findings.rows.get(self.rollout.caller.name, Row())
        calls, failed = (
            row.statuses.total(),
            sum(count for status, count in row.statuses.items() if status >= 500),
        )
        share = row.versions[Version.V2_1.value] / calls if calls else 0
        lines = [
            f"{self._in_effect()}: {calls} calls, {share:.0%} of them answered by v2.1, {failed} failed",
            f"comparisons: {spelled(comparisons(self._metrics()) - before)}",
        ]
        lines += [
            sentence(one, f"{times} times: ").plain
            for one, times in self.findings.ranked()
            if one.kind == "unexpected"
        ][:1]
        self._quote(lines, "")

    def _forget(self) -> None:
        self.findings.read()
        self.findings.forget()

    def _taken_back(self) -> Mapping[str, Any] | None:
        self.findings.read()
        return next((one for one in self.findings.decisions if one["reason"] == "rolled_back"), None)

    def _clean(self) -> bool:
        before = comparisons(self._metrics())["unexpected"]
        time.sleep(_CLEAN)
        return 0 < before == comparisons(self._metrics())["unexpected"]

    def _in_effect(self) -> str:
        return stage_in_effect(self._metrics(), self.stage.place(self.rollout.caller.name))

    def _metrics(self) -> str | None:
        return fetched(self.stage.admin_port, "/metrics")

    def until(self, what: Callable[[], _T | None], failing: str, patience: float = _PATIENCE) -> _T:
        """What it gives as soon as it gives something. Raises `ConfigError` after `patience` seconds."""
        until = time.monotonic() + patience
        while not (found := what()):
            self.stage.check()
            if time.monotonic() > until:
                raise ConfigError(
                    f"crossfade demo: the route {failing} within {patience:g} s; try again on a quieter machine"
                )
            time.sleep(_LOOK)
        return found

    def _type(self, *words: str) -> list[str]:
        """Run a command, shown as somebody would type it; the lines that it prints."""
        words = ("cutover", *words)
        self._say(f"\n$ crossfade {shlex.join(words)}", "bold cyan")
        return self.stage.typed(*words).splitlines()

    def _quote(self, lines: list[str], style: str = "dim") -> None:
        for one in lines:
            self.console.print(Padding(Text(one, style=style), (0, 0, 0, 2), expand=False))

    def _say(self, text: str, style: str = "") -> None:
        self.console.print(Text(text, style=style))
