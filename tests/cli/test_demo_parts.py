"""The parts of the demo: the documents' commands, two sides of an example, sentences about divergences, traffic."""

from __future__ import annotations

import io
import json
import shutil
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from proxy.cli.demo import curl, sides
from proxy.cli.demo.findings import Finding, Findings, comparisons
from proxy.cli.demo.material import read_examples, read_traffic
from proxy.cli.demo.stage import Member
from proxy.cli.demo.traffic import Plan, traffic
from proxy.errors import ConfigError
from proxy.types import Answer, Call
from tests.servers import RawUpstream

ROOT = Path(__file__).parents[2]
SEED_BODY = b"""
{
    "pointOfSale": "spinair.com/france",
    "channel": "WEB",
    "currencyCode": "EUR",
    "price": 12,
    "orderedAt": "2025-12-19T12:07:18.149Z",
    "referenceId": "B94TXY-1",
    "paymentType": "Card",
    "cardType": "Visa",
    "status": "PURCHASED"
}"""
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


def heard(text: str, *, without_curl: bool, monkeypatch: pytest.MonkeyPatch) -> tuple[bytes, Call, Answer]:
    if without_curl:
        monkeypatch.setenv("PATH", "/nowhere")
    with RawUpstream(lambda _: EMPTY) as upstream:
        call, answer = curl.run(curl.command(text, upstream.url, "somebody"))
        return upstream.requests[0].replace(str(upstream.port).encode(), b"PORT"), call, answer


def head(request: bytes) -> tuple[bytes, set[bytes]]:
    first, *lines = request.partition(b"\r\n\r\n")[0].split(b"\r\n")
    return first, {line for line in lines if not line.lower().startswith(b"user-agent")}


def test_the_bytes_of_the_documents_reach_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    request, call, answer = heard(
        read_examples().examples[0].text, without_curl=False, monkeypatch=monkeypatch
    )
    assert request.partition(b"\r\n\r\n")[2] == call.body == SEED_BODY
    assert (answer.status, answer.body) == (200, b"{}")
    first, lines = head(request)
    assert first == b"POST /v2/orders HTTP/1.1"
    assert b"Content-Type: application/x-www-form-urlencoded" in lines


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("example", read_examples().examples, ids=lambda example: example.title)
def test_without_curl_the_same_request_is_sent(example: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    by_curl, said, _ = heard(example.text, without_curl=False, monkeypatch=monkeypatch)
    by_python, told, _ = heard(example.text, without_curl=True, monkeypatch=monkeypatch)
    assert head(by_curl) == head(by_python)
    assert by_curl.partition(b"\r\n\r\n")[2] == by_python.partition(b"\r\n\r\n")[2]
    assert (said.method, said.target, said.body) == (told.method, told.target, told.body)


def test_an_example_without_an_answer_is_said_in_a_sentence() -> None:
    with (
        RawUpstream(lambda _: None) as upstream,
        pytest.raises(ConfigError, match="an example got no answer"),
    ):
        curl.run(curl.command(read_examples().examples[0].text, upstream.url, "somebody"))


def shown(example: sides.Example, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    sides.show(
        console, example, {"http://127.0.0.1:1": "http://crossfade", "http://127.0.0.1:2": "http://platform"}
    )
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def exchange(target: bytes, body: bytes, answer: bytes) -> sides.Exchange:
    headers = [
        (b"Authorization", b"Basic c2VjcmV0"),
        (b"Content-Type", b"application/json"),
        (b"X-Other", b"1"),
    ]
    return Call("POST", target, headers, body), Answer(201, [(b"content-type", b"application/json")], answer)


@pytest.mark.parametrize("width", [80, 200])
def test_what_differs_between_the_sides_is_marked_and_nothing_else(width: int) -> None:
    left = exchange(
        b"/v2/orders", b'{"price": 12.50}', b'{"href": "http://127.0.0.1:1/v2/o", "price": 12.50}'
    )
    right = exchange(
        b"/v2.1/orders", b'{"price": 12.50}', b'{"href": "http://127.0.0.1:2/v2.1/o", "price": 12.50}'
    )
    text = shown(sides.Example("Create", "v2.1", left, [right]), width)
    marked = [line.split("•")[1:] for line in text.splitlines() if "•" in line]
    assert [[half.strip().replace("\xa0", " ") for half in line] for line in marked] == [
        ["→ POST /v2/orders", "→ POST /v2.1/orders"],
        ['href: "http://crossfade/v2/o"', 'href: "http://platform/v2.1/o"'],
    ]
    assert text.count("price:\xa012.50") == 4
    assert "c2VjcmV0" not in text
    assert "X-Other" not in text
    assert max(map(len, text.splitlines())) <= width


def test_a_refused_example_shows_that_nothing_was_sent() -> None:
    text = shown(sides.Example("Create", "v2.1", exchange(b"/v2/orders", b"{", b'{"status": 400}'), []))
    assert "nothing was sent" in text
    assert "status:\xa0400" in text


def test_each_stage_says_why_there_is_a_second_call() -> None:
    one = exchange(b"/v2/orders", b"", b"<html>")
    assert "Then v2.1 is asked the same" in shown(sides.Example("Read", "shadow", one, [one, one]), 200)
    assert "one more call" in shown(sides.Example("Read", "v2.1", one, [one, one]), 200)


def divergence(kind: str = "unexpected", *differences: dict[str, Any], **more: Any) -> bytes:
    event = {"event": "divergence", "endpoint": "orders.get", "class": kind, "differences": list(differences)}
    return json.dumps(event | more).encode() + b"\n"


def difference(kind: str, pointer: str = "/price", **more: Any) -> dict[str, Any]:
    return {"pointer": pointer, "kind": kind, "v2": "number", "v2_1": "string", "rule": None} | more


@pytest.mark.parametrize(
    ("line", "finding"),
    [
        (
            divergence("unexpected", difference("type")),
            ("unexpected", "/price is number in v2, string in v2.1"),
        ),
        (divergence("unexpected", difference("missing")), ("unexpected", "/price is missing in v2.1")),
        (
            divergence("unexpected", difference("value", rule="codec.x")),
            ("expected", "/price has another value in v2.1 (declared by codec.x)"),
        ),
        (
            divergence("unexpected", difference("status", "", v2=200, v2_1=404)),
            ("unexpected", "v2 answers 200, v2.1 404"),
        ),
        (
            divergence("unexpected", difference("status", "", v2=None, v2_1="429")),
            ("unexpected", "v2 does not name the status 429 of v2.1"),
        ),
        (divergence("unexpected", difference("new kind", "")), ("unexpected", "the answer differs")),
        (divergence("skipped", reason="paused"), ("skipped", "not compared: paused")),
        (divergence("failed"), ("failed", "not compared: no reason given")),
    ],
)
def test_a_divergence_is_a_sentence(tmp_path: Path, line: bytes, finding: tuple[str, str]) -> None:
    (tmp_path / "log").write_bytes(line)
    assert Findings(tmp_path / "log", {}).read() == [Finding(finding[0], "orders.get", finding[1])]


def test_the_log_is_read_as_it_grows_whole_lines_only(tmp_path: Path) -> None:
    path = tmp_path / "log"
    line = divergence("unexpected", difference("type"))
    request = {"event": "request", "caller": "a1", "status": 200, "duration_ms": 2.0, "version": "v2"}
    path.write_bytes(json.dumps(request).encode() + b'\n{"event":"started"}\n' + line + line[:20])
    findings = Findings(path, {"a1": Member("shop", "shadow")})
    assert [one.kind for one in findings.read()] == ["unexpected"]
    assert (findings.rows["shop"].statuses, findings.rows["shop"].typical) == ({200: 1}, 2.0)
    assert findings.other == {"started": 1}
    with path.open("ab") as file:
        file.write(line[20:] + divergence("noise", difference("value")))
    assert [one.kind for one in findings.read()] == ["noise"]
    assert [(one.kind, times) for one, times in findings.ranked()] == [("unexpected", 2), ("noise", 1)]
    findings.forget()
    assert (findings.ranked(), findings.rows, findings.read()) == ([], {}, [])


def test_comparisons_are_added_up_by_class() -> None:
    name = "crossfade_comparisons_total"
    page = (
        f"# TYPE {name} counter\n"
        f'{name}{{endpoint="a",evidence="contract",class="equal"}} 2.0\n'
        f'{name}{{endpoint="b",evidence="contract",class="equal"}} 3.0\n'
        f'{name}{{endpoint="b",evidence="contract",class="noise"}} 1.0\n'
        "# TYPE crossfade_other gauge\ncrossfade_other 7.0\n"
    )
    assert comparisons(page) == {"equal": 5, "noise": 1}
    assert comparisons(None) == {}


def test_the_traffic_has_all_channels_and_statuses_and_all_kinds_of_calls() -> None:
    material = read_traffic()
    plan = Plan(material)
    kinds: Counter[tuple[str, str]] = Counter()
    bodies = b""
    for _ in range(3000):
        planned = plan.next()
        assert b"$" not in planned.body
        assert "$" not in planned.target
        kinds[planned.caller.name, planned.template.name] += 1
        bodies += planned.body
        if planned.template.name.startswith("create"):
            plan.learn(planned, b'{"ref": "r-1"}')
    assert set(kinds) == {(caller.name, kind) for caller in material.callers for kind in caller.calls}
    contract = json.loads((ROOT / "mappings" / "contracts" / "v2.json").read_text())
    values = {value for known in enums(contract) for value in known}
    for word in (*material.choices["channel"], *material.choices["status"]):
        assert f'"{word}"'.encode() in bodies
        assert word in values
    assert b"0001-01-01T00:00:00" in bodies


def enums(tree: Any) -> list[list[str]]:
    if isinstance(tree, dict):
        own = [tree["enum"]] if isinstance(tree.get("enum"), list) else []
        return own + [found for value in tree.values() for found in enums(value)]
    return [found for value in tree for found in enums(value)] if isinstance(tree, list) else []


def test_an_answer_that_names_no_order_is_not_learned() -> None:
    plan = Plan(read_traffic())
    planned = plan.next()
    for answer in (b"<html>", b"[]", b"{}"):
        plan.learn(planned, answer)
    assert not any(plan.orders.values())


def test_the_traffic_keeps_its_rate_and_counts_calls_without_answer() -> None:
    with RawUpstream(lambda _: None) as upstream, traffic(upstream.url, read_traffic(), rate=20) as running:
        time.sleep(1)
        assert 5 <= len(upstream.requests) <= 30
    assert running.failures["RemoteDisconnected"] > 0
