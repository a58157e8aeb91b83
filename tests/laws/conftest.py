"""At the end of a run the declared losses that it met are printed, with their counts, over all processes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.laws.ledger import Ledger, lines

LEDGER = pytest.StashKey[Ledger]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LEDGER] = Ledger()


@pytest.fixture(scope="session")
def ledger(pytestconfig: pytest.Config) -> Ledger:
    """What this process has met."""
    return pytestconfig.stash[LEDGER]


def pytest_sessionfinish(session: pytest.Session) -> None:
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["losses"] = dict(session.config.stash[LEDGER].seen)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    node.config.stash[LEDGER].seen.update(Counter(getattr(node, "workeroutput", {}).get("losses", {})))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    seen = config.stash[LEDGER].seen
    if seen:
        terminalreporter.section("declared losses that the laws met")
        for line in lines(seen):
            terminalreporter.write_line(line)
