"""The order of the demo: what will happen, the examples, the traffic, what to try by hand."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

from proxy.cli.demo import curl, sides
from proxy.cli.demo.findings import Findings
from proxy.cli.demo.live import follow, summary
from proxy.cli.demo.material import Examples, Traffic, read_examples, read_rollout, read_traffic
from proxy.cli.demo.rollout import roll
from proxy.cli.demo.stage import Member, Stage, staged
from proxy.cli.demo.story import stage_of
from proxy.cli.demo.traffic import traffic
from proxy.emulator.misbehave import Misbehaviour
from proxy.emulator.platform import random_refs
from proxy.mapping.api import SHIPPED, load
from proxy.mapping.links import Bases

SHOWN_STAGES = ("v2", "shadow", "v2.1")
_SHOWN = 20
"""Kinds of divergences at the end of the traffic, what must be looked at first on top."""
_QUIET = 0.2
"""Seconds without a call after which the comparison of an example counts as over."""
_PATIENCE = 3.0


def demo(seconds: float, port: int, *, with_traffic: bool, hold: bool) -> None:
    """Run everything. Raises `ConfigError` when something cannot be started; KeyboardInterrupt goes through."""
    console = _console()
    examples, material, rollout = read_examples(), read_traffic(), read_rollout()
    _announce(console, seconds, with_traffic=with_traffic)
    members = [Member(f"stage-{one}", one) for one in SHOWN_STAGES]
    members += [Member(one.name, one.stage) for one in material.callers if one.credential]
    members += _tellers(material)
    members.append(Member(rollout.caller.name, rollout.caller.stage, rollout.endpoint))
    with staged(members, port) as stage:
        _say(
            console, f"crossfade listens on {stage.proxy}, the stand-in for the platform on {stage.platform}."
        )
        for name in SHOWN_STAGES:
            _examples(console, stage, examples, name)
        if with_traffic:
            _traffic(console, stage, material, seconds)
            roll(console, stage, material, rollout, seconds)
        _hand_over(console, stage, examples, hold=hold)


def _tellers(material: Traffic) -> list[Member]:
    """Those who tell stories, at the stage that the shipped mapping lets them have."""
    nowhere = "http://platform.invalid"
    mapping = load(SHIPPED).compiled({}, Bases(nowhere, nowhere, nowhere))
    return [
        Member(one.name, stage_of(story, one, mapping)) for story in material.stories for one in story.tellers
    ]


def _traffic(console: Console, stage: Stage, material: Traffic, seconds: float) -> None:
    """Mixed traffic on a platform that misbehaves; what the proxy found in it."""
    emulator = stage.watched.emulator
    emulator.platform.clear()
    for version in emulator.mischief.table:
        emulator.mischief.set(version, Misbehaviour().changed(material.misbehaviour[version]))
    findings = Findings(stage.log, stage.callers)
    findings.read()
    findings.forget()
    callers = len(material.callers) + sum(len(story.tellers) for story in material.stories)
    _say(
        console,
        f"Now traffic of {callers} callers. The platform's v2.1 drifts from its documents, on purpose.",
    )
    with traffic(stage.proxy, material) as running:
        counts = follow(console, stage, findings, seconds)
    findings.read()
    console.print(summary(stage, findings, counts, f"After {seconds:g} s:", rows=_SHOWN))
    if running.failures:
        kinds = ", ".join(f"{count} {kind}" for kind, count in running.failures.items())
        _say(console, f"Calls without any answer: {kinds}")


def _console() -> Console:
    console = Console(highlight=False)
    console.width = min(max(console.width, 80), 200)
    return console


def _announce(console: Console, seconds: float, *, with_traffic: bool) -> None:
    tool = "curl" if curl.curl_path() else "Python, since curl is not installed"
    _say(
        console,
        "crossfade starts here, together with a stand-in for the platform; nothing leaves this machine.",
        "bold",
    )
    _say(
        console,
        f"First the platform's own v2 examples run by {tool}, through the stages {', '.join(SHOWN_STAGES)}.",
    )
    then = (
        f"Then {seconds:g} s of mixed traffic, and the divergences that crossfade finds; then one caller goes all the way, "
        "and v2.1 breaks underneath."
        if with_traffic
        else ""
    )
    _say(console, f"{then} Ctrl-C ends everything and leaves nothing behind.".strip())


def _examples(console: Console, stage: Stage, examples: Examples, name: str) -> None:
    """Run all examples through one stage, each time on a platform that knows only the order they need."""
    user = f"stage-{name}"
    names = {stage.proxy: "http://crossfade", stage.platform: "http://platform"}
    _prepare(stage, examples)
    for one in examples.examples:
        stage.watched.exchanges.clear()
        caller = curl.run(curl.command(one.text, stage.proxy, user))
        _settle(stage)
        sides.show(console, sides.Example(one.title, name, caller, list(stage.watched.exchanges)), names)


def _prepare(stage: Stage, examples: Examples) -> None:
    """A well-behaved platform that knows only the order that the examples need."""
    emulator = stage.watched.emulator
    for version in emulator.mischief.table:
        emulator.mischief.set(version, Misbehaviour())
    emulator.platform.clear()
    emulator.platform.refs = itertools.chain(examples.refs, random_refs())
    curl.run(curl.command(examples.before, stage.platform, "somebody"))


def _settle(stage: Stage) -> None:
    until, count, quiet = time.monotonic() + _PATIENCE, -1, 0.0
    while time.monotonic() < until and quiet < _QUIET:
        seen = len(stage.watched.exchanges)
        quiet = quiet + 0.05 if seen == count else 0.0
        count = seen
        time.sleep(0.05)


def _hand_over(console: Console, stage: Stage, examples: Examples, *, hold: bool) -> None:
    if not hold:
        _say(
            console,
            "Everything is stopped. With --hold it stays up for you to try; next: README.md and docs/.",
        )
        return
    _say(
        console,
        "Try it yourself, in another terminal; stage-v2, stage-shadow and stage-v2.1 are callers:",
        "bold",
    )
    for one in examples.examples:
        console.print(Text(curl.command(one.text, stage.proxy, "stage-v2.1")), soft_wrap=True)
        console.print()
    port = stage.admin_port
    _say(console, f"metrics        http://127.0.0.1:{port}/metrics    health  http://127.0.0.1:{port}/readyz")
    _say(console, f"log            {_near(stage.log)}")
    _say(console, f"configuration  {_near(stage.config)}")
    _say(console, f"stages         crossfade cutover show --config {_near(stage.config)}")
    _say(console, "Everything stays up until Ctrl-C.", "bold")
    while True:
        stage.check()
        time.sleep(0.5)


def _near(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(Text(text, style=style))
