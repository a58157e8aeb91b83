"""Compiling refuses by itself what the lint would have found: a `Source` may have been made by hand."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from proxy.errors import MappingError
from proxy.mapping.api import Source, read
from tests.mapping.goldens import BASES, FOLDER

HREF = '[[codec]]\ntype = "href"'
MISTAKES = {
    "no such fault": ("orders.toml", 'fault = "CF-METHOD"', 'fault = "CF-NOPE"', "'CF-NOPE' is no code"),
    "no query rule": (
        "orders.toml",
        'do = "clamp"',
        'do = "optional"',
        "orders.list.limit: 'optional' is not for queries",
    ),
    "no operation": (
        "orders.toml",
        '"PUT /v2.1/orders/{orderRef}"',
        '"PUT /v2.1/x"',
        "no operation 'PUT /v2.1/x'; it has",
    ),
    "no switch": (
        "orders.toml",
        "when = { guest_ref =",
        "when = { guest =",
        "there is no switch 'guest' under [compat]",
    ),
    "no codec": (
        "api.toml",
        HREF,
        '[[codec]]\ntype = "timestamp"',
        "'link' needs a codec for the leaf type 'href'",
    ),
    "two rules": (
        "orders.toml",
        'place = ["/contacts"]',
        'place = ["/consumers"]',
        "rules orders.get.contacts and orders.get.consumers both make /consumers",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mapping_that_does_not_hold_together_is_not_compiled(tmp_path: Path, mistake: str) -> None:
    name, good, bad, words = MISTAKES[mistake]
    folder = Path(shutil.copytree(FOLDER, tmp_path / "mappings"))
    text = (folder / name).read_text("utf-8")
    assert good in text
    (folder / name).write_text(text.replace(good, bad, 1), "utf-8")
    source = read(folder)
    assert isinstance(source, Source)
    with pytest.raises(MappingError) as caught:
        source.compiled({}, BASES)
    assert words in str(caught.value)
