"""Links of ours that come back in stage v2, and v2's own links pointed at the proxy where that is wanted."""

from __future__ import annotations

import json

import pytest

from tests.emulator.caller import FIRST_REF, order
from tests.endtoend.running import LINKS, PUBLIC, carried

ESCAPED = PUBLIC.replace("/", "\\/")


@pytest.mark.parametrize("stage", ["v2", "shadow"])
def test_our_links_in_a_body_or_a_target_reach_v2_as_the_platforms(stage: str) -> None:
    with carried([stage]) as proxy:
        body = (
            json.dumps(order(href=f"{PUBLIC}/v2/orders/1", note="x"))[:-1] + f', "n": "{ESCAPED}\\/v2\\/x"}}'
        )
        proxy.json("POST", "/v2/orders", body)
        proxy.ask("GET", f"/v2/guests?next={PUBLIC}/v2/guests&a=1")
        written, asked = proxy.emulator.recorded
        theirs = proxy.platform_url
        escaped = theirs.replace("/", "\\/")
        assert written.body.decode() == body.replace(PUBLIC, theirs).replace(ESCAPED, escaped)
        assert int(written.header("content-length")) == len(written.body)
        assert asked.target.decode() == f"/v2/guests?next={theirs}/v2/guests&a=1"


def test_a_link_that_v2_1_gave_is_read_back_when_v2_answers_again() -> None:
    routes = [{"endpoint": "orders.update", "stage": "v2"}, "v2.1"]
    with carried(routes) as proxy:
        made = proxy.json("POST", "/v2/orders", order())
        assert made["href"] == f"{PUBLIC}/v2/orders/{FIRST_REF}"
        again = proxy.json("POST", f"/v2/orders/{FIRST_REF}", made)
        assert (
            json.loads(proxy.emulator.recorded[-1].body)["href"]
            == f"{proxy.platform_url}/v2/orders/{FIRST_REF}"
        )
        assert again["href"] == f"{LINKS}/v2/orders/{FIRST_REF}"


@pytest.mark.parametrize(("choice", "base"), [("platform", LINKS), ("proxy", PUBLIC)])
def test_v2s_own_links_point_where_the_operator_wants(choice: str, base: str) -> None:
    with carried(["v2"], keys={"server.v2_hrefs": choice}) as proxy:
        proxy.json("POST", "/v2/orders", order())
        heard = proxy.ask("GET", "/v2/orders?referenceId=B94TXY-1")
        assert int(heard.header("content-length") or 0) == len(heard.body)
        assert json.loads(heard.body)["items"] == [{"href": f"{base}/v2/orders/{FIRST_REF}"}]


def test_v2s_links_are_found_in_a_compressed_answer_too() -> None:
    with carried(["v2"], keys={"server.v2_hrefs": "proxy"}) as proxy:
        proxy.json("POST", "/v2/orders", order(note="x" * 600))
        heard = proxy.ask("GET", f"/v2/orders/{FIRST_REF}", b"", ("Accept-Encoding", "gzip"))
        assert heard.header("content-encoding") is None
        assert json.loads(heard.body)["href"] == f"{PUBLIC}/v2/orders/{FIRST_REF}"
