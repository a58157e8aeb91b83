"""An order's data extension through the whole proxy: found under its own ref, by its one name, in every stage alike."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.emulator.caller import FIRST_REF, order
from tests.endtoend.running import PUBLIC, Carried, carried

LIST = f"/v2/orders/{FIRST_REF}/extext"
OTHER = f"{LIST}/0c2f4b5e-7d1a-4e0b-9a6b-3b1f5d8a9e42"
PAIRS: dict[str, Any] = {"key": "default", "points": 1.5}
STAGES: list[Any] = ["v2", "shadow", {"stage": "canary", "percent": 50}, "live", "v2.1"]


def made(proxy: Carried) -> str:
    """An order with an extension; gives its path."""
    proxy.json("POST", "/v2/orders", order())
    return str(proxy.json("POST", LIST, PAIRS)["href"]).removeprefix(PUBLIC)


@pytest.mark.parametrize("stage", STAGES, ids=str)
def test_an_extension_is_found_under_its_own_ref_alone(stage: Any) -> None:
    with carried([stage], key=bytes(range(32)), keys={"server.v2_hrefs": "proxy"}) as proxy:
        path = made(proxy)
        assert proxy.json("GET", path)["points"] == 1.5
        for method, body in (("GET", ""), ("POST", json.dumps({**PAIRS, "points": 9}))):
            heard = proxy.ask(method, OTHER, body)
            assert (heard.status, json.loads(heard.body)["code"]) == (404, 404)
        assert proxy.json("GET", path)["points"] == 1.5
        assert proxy.json("POST", path, {**PAIRS, "points": 2})["points"] == 2
        assert proxy.json("GET", f"{path}/")["points"] == 2


@pytest.mark.parametrize("name", ["extSpending", "extext1"])
def test_another_name_passes_while_v2_answers_and_is_refused_afterwards(name: str) -> None:
    body = json.dumps(PAIRS)
    with carried(["v2"], keys={"server.v2_hrefs": "proxy"}) as proxy:
        proxy.json("POST", "/v2/orders", order())
        path = proxy.json("POST", f"/v2/orders/{FIRST_REF}/{name}", PAIRS)["href"].removeprefix(PUBLIC)
        assert proxy.json("GET", path)["points"] == 1.5
        assert proxy.ask("POST", path, body).status == 200
    for unmapped in ("refuse", "v2"):
        with carried(["v2.1"], keys={"unmapped": unmapped}) as proxy:
            proxy.json("POST", "/v2/orders", order())
            for method, target in (("GET", path), ("POST", path), ("GET", f"{path}/"), ("HEAD", path)):
                heard = proxy.ask(method, target, body if method == "POST" else "")
                assert (heard.status, heard.header("x-crossfade-code")) == (400, "CF-UNTRANSLATABLE")
