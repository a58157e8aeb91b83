"""The changes that mutants are made of: what another process is sent is what it applies."""

from __future__ import annotations

import pickle
import tomllib
from pathlib import Path

from tests.laws.alterations import alterations

FOLDER = Path(__file__).parents[2] / "mappings"


def test_a_change_means_the_same_in_the_process_that_judges_it() -> None:
    files = {one.name: tomllib.loads(one.read_text("utf-8")) for one in FOLDER.glob("*.toml")}
    found = [one for one in alterations(files) if one.file != "accepted.toml"]
    assert len(found) > 400
    for one in found:
        there = pickle.loads(pickle.dumps(one))
        assert str(there) == str(one)
        assert there.applied(files) == one.applied(files)
