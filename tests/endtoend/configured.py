"""Configuration files for a proxy under test."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LINKS = "http://platform.test"
"""The host in the emulator's links: the same for every emulator, wherever it listens."""
PUBLIC = "http://proxy.test"
"""The proxy's `public_url`."""


def configuration(
    folder: Path,
    platform_url: str,
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
    keys: Mapping[str, Any],
) -> Path:
    """A configuration file; `keys` are dotted names, `tables` the lists of tables."""
    values = {
        "upstream.v2.base_url": platform_url,
        "upstream.v2_1.base_url": platform_url,
        "upstream.v2.aliases": [LINKS],
        "server.public_url": PUBLIC,
        "log.divergences": str(folder / "log.jsonl"),
        "log.requests": "all",
        "shadow.max_lag": "10s",
        **keys,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    for name, rows in tables.items():
        for row in rows:
            lines += [f"[[{name}]]", *(f"{key} = {json.dumps(value)}" for key, value in row.items())]
    path = folder / "crossfade.toml"
    path.write_text("\n".join([*lines, ""]), "utf-8")
    return path
