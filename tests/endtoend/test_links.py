"""Links of ours that come back in stage v2, v2's own pointed at the proxy, and clients that follow links, each in its way."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.emulator.caller import FIRST_REF, item, order, person
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


SECURE = "https://proxy.test"
WAYS: dict[str, Callable[[str], str]] = {
    "as it was given": lambda link: link,
    "by http": lambda link: link.replace("https:", "http:"),
    "with a slash at its end": lambda link: f"{link}/",
    "with escaped slashes": lambda link: link.replace("/", "\\/"),
    "by http with escaped slashes": lambda link: link.replace("https:", "http:").replace("/", "\\/"),
    "with its host in capitals": lambda link: link.replace("proxy.test", "PROXY.TEST"),
}
"""How clients write a link that they were given into the JSON of a request."""
STAGES: list[Any] = ["v2", "shadow", {"stage": "canary", "percent": 50}, "live", "v2.1"]
NAMED = [one if isinstance(one, str) else "canary 50" for one in STAGES]
KEY = bytes(range(32))


@pytest.mark.parametrize("stage", STAGES, ids=NAMED)
def test_a_link_of_ours_in_a_body_means_its_resource_however_it_is_written(stage: Any) -> None:
    with carried([stage], keys={"server.public_url": SECURE}, key=KEY) as proxy:
        proxy.json("POST", "/v2/orders", order())
        ref = proxy.json("POST", f"/v2/orders/{FIRST_REF}/orderItems", item())["ref"]
        for way, write in WAYS.items():
            link = write(f"{SECURE}/v2/orderItems/{ref}")
            body = json.dumps(person())[:-1] + f', "orderItems": {{"items": [{{"href": "{link}"}}]}}}}'
            made = proxy.ask("POST", f"/v2/orders/{FIRST_REF}/consumers", body)
            assert made.status == 201, (way, made)
            read = proxy.json("GET", f"/v2/orderConsumers/{json.loads(made.body)['ref']}")
            (held,) = read["orderItems"]["items"]
            assert held["href"].rstrip("/").endswith(f"/v2/orderItems/{ref}"), way


def split(link: str) -> str:
    """The path that a client builds which keeps only the ref, as what stands behind the last slash."""
    kind, ref = link.rstrip("/").rsplit("/", 2)[1:]
    return f"/v2/{kind}/{ref}"


FOLLOWS: dict[str, Callable[[str], str]] = {
    "the path": lambda link: "/" + link.split("/", 3)[3],
    "the path and a slash": lambda link: "/" + link.split("/", 3)[3] + "/",
    "what stands behind the last slash": split,
}
"""What clients ask for that were given a link."""


@pytest.mark.parametrize("stage", STAGES, ids=NAMED)
def test_every_link_of_an_answer_can_be_followed(stage: Any) -> None:
    keys = {"server.public_url": SECURE, "server.v2_hrefs": "proxy"}
    with carried([stage], keys=keys, key=KEY) as proxy:
        made = proxy.json("POST", "/v2/orders", order())
        things = {"orderItems": item(), "contacts": person(), "consumers": person()}
        links = [
            proxy.json("POST", f"/v2/orders/{FIRST_REF}/{name}", one)["href"] for name, one in things.items()
        ]
        for link in (made["href"], *links):
            assert link.startswith(f"{SECURE}/v2/")
            for way, follow in FOLLOWS.items():
                heard = proxy.ask("GET", follow(link))
                assert heard.status == 200, (way, link, heard)
                assert json.loads(heard.body)["href"].rstrip("/") == link, way
