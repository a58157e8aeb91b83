from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from proxy.config.load import Loaded, load

UPSTREAM = """
[upstream.v2]
base_url = "https://api.example.com"
[upstream.v2_1]
base_url = "https://api.example.com"
"""

Loading = Callable[..., Loaded]


@pytest.fixture
def loading(tmp_path: Path) -> Loading:
    """Load a text as crossfade.toml; the required keys are added unless `bare`."""

    def run(text: str = "", environ: Mapping[str, str] | None = None, *, bare: bool = False) -> Loaded:
        path = tmp_path / "crossfade.toml"
        path.write_text(text if bare else f"{text}\n{UPSTREAM}", "utf-8")
        return load(path, environ or {})

    return run
