"""At the end of a run the declared losses that it met are printed, with their counts, over all processes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.laws.ledger import Ledger, lines
from tests.laws.run import LONG
from tests.laws.world import world

FOLDER = Path(__file__).parents[2] / "mappings"
UNREACHABLE = {
    "L-FROZEN orders.update.frozen": "only the comparison of two live answers can meet it",
}
"""Declared losses that no law can meet, each with its reason."""
LEDGER = pytest.StashKey[Ledger]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LEDGER] = Ledger()


@pytest.fixture(scope="session")
def ledger(pytestconfig: pytest.Config) -> Ledger:
    """What this process has met."""
    return pytestconfig.stash[LEDGER]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["losses"] = dict(session.config.stash[LEDGER].seen)
    elif LONG and unmet(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def unmet(config: pytest.Config) -> set[str]:
    """The declared losses that a run did not meet although the laws could."""
    shipped = world(FOLDER)
    return config.stash[LEDGER].unmet(shipped.mapping(one) for one in shipped.choices) - UNREACHABLE.keys()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    node.config.stash[LEDGER].seen.update(Counter(getattr(node, "workeroutput", {}).get("losses", {})))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    seen = config.stash[LEDGER].seen
    if seen:
        terminalreporter.section("declared losses that the laws met")
        for line in lines(seen):
            terminalreporter.write_line(line)
        for name in sorted(unmet(config)) if LONG else ():
            terminalreporter.write_line(f"   never  {name}: declare it no longer, or let the laws meet it")
