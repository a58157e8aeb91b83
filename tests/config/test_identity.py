"""The identity key: made once, private, never overwritten."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from proxy.config.identity import load_key
from proxy.errors import ConfigError


def test_a_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "identity.key"
    key = load_key(path)
    assert len(key) == 32
    assert load_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["identity.key"]


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: load_key(tmp_path / "identity.key"), range(64)))
    assert len(keys) == 1


@pytest.mark.parametrize("content", [b"", b"abcd\n", b"geheim" * 20, b"\xff\xfe", b"00" * 31])
def test_a_file_without_a_key_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "identity.key"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"holds no key.*or move it away") as caught:
        load_key(path)
    assert path.read_bytes() == content
    assert "geheim" not in str(caught.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"identity.key_file: .*No such file.*first start"):
        load_key(tmp_path / "none" / "identity.key")
