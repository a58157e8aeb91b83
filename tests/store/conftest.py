"""Every test of the store runs against both databases."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.servers import PostgreSQL, postgresql

MISSING = "no PostgreSQL server is installed (Debian: apt-get install postgresql)"


@pytest.fixture(scope="session")
def server() -> Iterator[PostgreSQL]:
    """One cluster for all tests that do not stop it."""
    with postgresql() as running:
        if running is None:
            pytest.skip(MISSING)
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store of its own."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'crossfade.db'}"
    server: PostgreSQL = request.getfixturevalue("server")
    return server.created(f"test_{os.getpid()}_{os.urandom(4).hex()}")
