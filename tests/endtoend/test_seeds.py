"""The commands of the platform's own pages, run as they stand with real curl: through v2 and through v2.1.

The pages print the address with its closing quote only; the opening one is put there with the address.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.caller import fresh_platform
from tests.endtoend.running import LINKS, PUBLIC, Carried, carried

COMMANDS = {path.stem: path.read_text("utf-8") for path in (Path(__file__).parent / "seeds").glob("*.curl")}
NAMED = "d680c9be-4c07-4731-857e-9602034b15f2"
"""The order that the update command names."""

pytestmark = pytest.mark.skipif(
    shutil.which("curl") is None and not os.environ.get("CI"), reason="curl is not installed"
)


def run(name: str, proxy: Carried) -> dict[str, Any]:
    """What a command of the page prints; only address and credentials are filled in."""
    filled = COMMANDS[name].replace("<baseURL>", f"'{proxy.url}")
    filled = filled.replace("<username>", "client-1").replace("<password>", "token-1")
    done = subprocess.run(
        ["/bin/sh", "-c", filled],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
        env={"PATH": os.defpath},
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def pages(stage: str) -> dict[str, dict[str, Any]]:
    """The answers to both commands, in the order of the pages; the order to be updated stands there already."""
    refs = iter([NAMED, "15d0417e-75a8-4340-9052-51b9ca36aab0"])
    platform = fresh_platform()
    platform.refs = refs
    with carried([stage], platform=platform) as proxy:
        first = json.dumps({**EXAMPLE, "status": "PENDING"})
        assert proxy.ask("POST", "/v2/orders", first).status == 201
        said = {name: run(name, proxy) for name in ("update", "create")}
        writes = [one for one in proxy.emulator.recorded if one.method != "GET"]  # comparing reads
        labels = [one.header("content-type") for one in writes]
        assert (
            labels[1:] == ["application/x-www-form-urlencoded" if stage != "v2.1" else "application/json"] * 2
        )
        return said


EXAMPLE = json.loads("{" + COMMANDS["update"].partition("'\n{")[2].rstrip("'\n"))


def dateless(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what two runs need not share: the moments, and the base of links."""
    text = json.dumps({k: v for k, v in answer.items() if k not in {"createdAt", "modifiedAt", "orderedAt"}})
    shown: dict[str, Any] = json.loads(text.replace(PUBLIC, LINKS))
    return shown


@pytest.mark.parametrize("stage", ["shadow", "v2.1"])
def test_the_documented_commands_print_the_same_at_every_stage(stage: str) -> None:
    v2, moved = pages("v2"), pages(stage)
    for name in COMMANDS:
        assert dateless(moved[name]) == dateless(v2[name])
        assert set(moved[name]) == set(v2[name])


@pytest.mark.parametrize("stage", ["v2", "v2.1"])
def test_the_documented_commands_print_the_documented_members(stage: str) -> None:
    said = pages(stage)
    base = PUBLIC if stage == "v2.1" else LINKS
    assert said["update"]["href"] == f"{base}/v2/orders/{NAMED}"
    for name, answer in said.items():
        sent = json.loads("{" + COMMANDS[name].partition("'\n{")[2].rstrip("'\n"))
        assert {key: answer[key] for key in sent if key != "orderedAt"} == {
            k: sent[k] for k in sent if k != "orderedAt"
        }
        assert answer["orderedAt"][:19] == sent["orderedAt"][:19]
        empty: dict[str, Any] = {"items": []}
        assert [answer[name] for name in ("contacts", "consumers", "orderItems")] == [empty] * 3


def test_the_commands_are_those_of_the_pages() -> None:
    for text in COMMANDS.values():
        assert "<baseURL>/v2/orders" in text
        assert "-u '<username>:<password>' \\\n" in text
        assert "Content-Type" not in text
