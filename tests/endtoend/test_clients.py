"""Programs that people really use, through the stages: Python's requests, Node's fetch, a browser, keep-alive."""

from __future__ import annotations

import gzip
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator

import pytest
import requests

from tests.emulator.caller import CREDENTIALS, FIRST_REF, order
from tests.endtoend.running import PUBLIC, Carried, carried
from tests.raw import fetch, parse, read_message, request

STAGES = ["v2", "shadow", "v2.1"]
ORIGIN = ("Origin", "https://shop.example")
NODE = """
const [url, order] = process.argv.slice(1);
const headers = {Authorization: 'Basic ' + btoa('client-1:token-1'), 'Content-Type': 'application/json'};
const call = async (method, path, body) => {
  const answer = await fetch(url + path, {method, headers, body});
  return [answer.status, await answer.json()];
};
const said = [await call('POST', '/v2/orders', order)];
const path = '/v2/orders/' + said[0][1].ref;
said.push(await call('GET', path));
said.push(await call('GET', '/v2/orders?referenceId=B94TXY-1'));
said.push(await call('POST', path, JSON.stringify({...said[1][1], status: 'CANCELLED'})));
said.push(await call('GET', '/v2/orders/none'));
console.log(JSON.stringify(said));
"""


@pytest.fixture(params=STAGES)
def proxy(request: pytest.FixtureRequest) -> Iterator[Carried]:
    with carried([request.param]) as running:
        yield running


def sensible(said: list[tuple[int, dict[str, object]]]) -> None:
    """What create, read, list, update and a read of nothing answer."""
    assert [status for status, _ in said] == [201, 200, 200, 200, 404]
    made, read, listed, updated, missing = (body for _, body in said)
    assert (made["ref"], made["price"], read["price"]) == (FIRST_REF, 30.6, 30.6)
    assert listed["items"] == [{"href": made["href"]}]
    assert (updated["status"], updated["referenceId"]) == ("CANCELLED", "B94TXY-1")
    assert (missing["status"], missing["code"]) == (404, 404)


def test_pythons_requests(proxy: Carried) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.auth = ("client-1", "token-1")
        orders = f"{proxy.url}/v2/orders"
        made = session.post(orders, json=order(price=30.6))
        one = f"{orders}/{made.json()['ref']}"
        read = session.get(one)
        listed = session.get(orders, params={"referenceId": "B94TXY-1"})
        updated = session.post(one, json=read.json() | {"status": "CANCELLED"})
        missing = session.get(f"{orders}/none")
        sensible([(said.status_code, said.json()) for said in (made, read, listed, updated, missing)])


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_nodes_fetch(proxy: Carried) -> None:
    words = ["node", "--input-type=module", "-e", NODE, proxy.url, json.dumps(order(price=30.6))]
    done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=True)
    sensible([(status, body) for status, body in json.loads(done.stdout)])


def test_a_browser_reads_across_origins_and_through_gzip(proxy: Carried) -> None:
    proxy.json("POST", "/v2/orders", order(note="x" * 600))
    heard = proxy.ask("GET", f"/v2/orders/{FIRST_REF}", b"", ORIGIN, ("Accept-Encoding", "gzip, deflate, br"))
    body = gzip.decompress(heard.body) if heard.header("content-encoding") == "gzip" else heard.body
    assert json.loads(body)["ref"] == FIRST_REF
    assert heard.header("access-control-allow-origin") == "*"


def test_a_browsers_preflight_is_answered_with_the_methods_of_v2(proxy: Carried) -> None:
    wanted = [
        ORIGIN,
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "authorization"),
    ]
    heard = parse(fetch(proxy.url, request("OPTIONS", f"/v2/orders/{FIRST_REF}", b"", wanted)))
    assert heard.status == 200
    assert heard.header("access-control-allow-origin") == "*"
    assert "POST" in (heard.header("access-control-allow-methods") or "")
    assert "authorization" in (heard.header("access-control-allow-headers") or "").lower()
    assert proxy.emulator.recorded[-1].method == "OPTIONS"


def test_one_connection_carries_many_requests_in_their_order(proxy: Carried) -> None:
    raw = [
        request("POST", "/v2/orders", json.dumps(order()), [CREDENTIALS]),
        request("GET", f"/v2/orders/{FIRST_REF}", b"", [CREDENTIALS]),
        request("HEAD", f"/v2/orders/{FIRST_REF}", b"", [CREDENTIALS]),
        request("GET", "/v2/orders/none", b"", [CREDENTIALS]),
    ]
    host, port = proxy.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 5) as connection:
        connection.sendall(b"".join(raw).replace(b"Connection: close\r\n", b""))
        statuses, pending = [], b""
        for one in raw:
            answer, pending = read_message(connection, pending, bodiless=one.startswith(b"HEAD"))
            statuses.append(parse(answer).status)
    assert statuses == [201, 200, 200, 404]


def test_links_in_a_translated_list_lead_through_the_proxy_page_by_page() -> None:
    with carried(["v2.1"]) as proxy:
        made = [
            proxy.json("POST", "/v2/orders", order(orderedAt=f"2025-0{month}-01T00:00:00.000Z"))["href"]
            for month in range(1, 8)
        ]
        found, target = [], "/v2/orders?referenceId=B94TXY-1&limit=3"
        while target:
            page = proxy.json("GET", target)
            found += [item["href"] for item in page["items"]]
            target = page.get("next", {}).get("href", "").removeprefix(PUBLIC)
        assert found == made
