"""One emulator for the whole run, with a fresh platform and a clean record for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from proxy.emulator import Emulator, Misbehaviour
from tests.emulator.caller import Caller, fresh_platform
from tests.servers import emulator


@pytest.fixture(scope="session")
def running() -> Iterator[tuple[str, Emulator]]:
    with emulator(base_url="https://api.example") as started:
        yield started


@pytest.fixture
def call(running: tuple[str, Emulator]) -> Caller:
    url, app = running
    app.platform = fresh_platform()
    app.recorded.clear()
    app.count = 0
    for version in app.mischief.table:
        app.mischief.set(version, Misbehaviour())
    return Caller(url, app)
