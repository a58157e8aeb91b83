"""The evidence engine against real sockets: how comparisons end, what they cost, and that they add up."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proxy.evidence import Observation
from proxy.evidence.classify import Verdict
from proxy.evidence.limits import Limits, pause_asked
from proxy.evidence.observation import wants
from proxy.exchange import Asked
from proxy.json import open_object
from proxy.types import Answer, Call
from proxy.upstream import UpstreamSettings, make_engine
from proxy.wire.target import parameters
from tests.emulator.caller import CREDENTIALS, Caller, fresh_platform
from tests.evidence.answers import MAPPING, played, v2_answer
from tests.evidence.bench import AUTHORIZATION, Bench, bench, shadow_read, story
from tests.servers import RawUpstream, Reply, emulator

ONE = "orders.get/documented-shape"
EXPANDED = "orders.get/expand-order-items"


def message(body: bytes, status: int = 200, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Some", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def read_of(name: str = ONE, authorization: bytes = AUTHORIZATION[1]) -> tuple[Asked, Answer, bytes]:
    """A read, what v2 said to it, and what v2.1 says."""
    _, request, reply = played(name)
    asked = Asked(
        request.endpoint, request.parameters, request.pairs, [(AUTHORIZATION[0], authorization)], b""
    )
    native = re.sub(rb"\n\s*|(?<=:) ", b"", reply.native.body)
    return asked, v2_answer(reply), native


ASKED, V2, NATIVE = read_of()
DEARER = NATIVE.replace(b'"price":50', b'"price":51')

ENDINGS: list[tuple[str, bytes | Reply | None, str, str | None]] = [
    ("the same", message(NATIVE), "equal", None),
    ("another price", message(DEARER), "unexpected", None),
    ("another status", message(b"{}", 404), "unexpected", None),
    ("a failure", message(b"<html>", 500), "failed", "v2_1_failed"),
    ("no JSON", message(b"<html>"), "unexpected", None),
    ("no word", None, "failed", "broken"),
    ("no HTTP", b"SSH-2.0-x\r\n\r\n", "failed", "bad_answer"),
    ("cut off", Reply(message(NATIVE)[:-10], "close"), "failed", "broken"),
    ("silence", Reply(b"", "stall"), "failed", "timeout"),
    ("quota", message(b"{}", 429), "failed", "rate_limited"),
    ("busy", message(b"{}", 503, "Retry-After: 1"), "failed", "rate_limited"),
    ("huge", message(b'"' + b"x" * 70_000 + b'"'), "skipped", "too_large"),
    ("twice", message(NATIVE[:-1] + b',"a":{"b":1,"b":2}}'), "failed", "ambiguous_json"),
]


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda one: one[0])
@story
async def test_a_shadow_read_ends_in_the_class_that_v2_1_has_earned(tmp_path: Path, ending: Any) -> None:
    _, answer, cls, reason = ending
    v2 = Answer(200, [], V2.body[:-1] + b',"a":{"b":1}}') if reason == "ambiguous_json" else V2
    with RawUpstream(lambda _request: answer) as upstream:
        async with bench(tmp_path, upstream.url, timeout="300ms") as made:
            assert await made.judged(shadow_read(ASKED, v2)) == [(cls, reason)]


@story
async def test_nobody_there_is_a_failure(tmp_path: Path) -> None:
    async with bench(tmp_path, "http://127.0.0.1:1") as made:
        assert await made.judged(shadow_read(ASKED, V2)) == [("failed", "unreachable")]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(401, [], b"{}"), "credentials"),
        (Answer(403, [], b"{}"), "credentials"),
        (Answer(429, [], b"{}"), "paused"),
        (Answer(200, [(b"Retry-After", b"5")], V2.body), "paused"),
        (Answer(304, [], b""), "conditional"),
        (Answer(206, [], V2.body[:10]), "conditional"),
        (Answer(503, [], b"{}"), "v2_failed"),
        (Answer(200, [(b"content-length", b"500")], b""), "no_body"),
        (Answer(200, [(b"Content-Encoding", b"br")], b"\x1b"), "coding"),
        (Answer(200, [], b"x" * 70_000), "too_large"),
    ],
)
@story
async def test_an_answer_of_v2_that_deserves_no_second_call_makes_none(
    tmp_path: Path, answer: Answer, reason: str
) -> None:
    with RawUpstream(lambda _request: message(NATIVE)) as upstream:
        async with bench(tmp_path, upstream.url) as made:
            assert await made.judged(shadow_read(ASKED, answer)) == [("skipped", reason)]
        assert upstream.requests == []


@story
async def test_a_compressed_answer_of_v2_is_read(tmp_path: Path) -> None:
    squeezed = Answer(200, [(b"Content-Encoding", b"gzip")], gzip.compress(V2.body))
    with RawUpstream(lambda _request: message(NATIVE)) as upstream:
        async with bench(tmp_path, upstream.url) as made:
            assert await made.judged(shadow_read(ASKED, squeezed)) == [("equal", None)]


@story
async def test_a_call_that_both_versions_refuse_is_no_divergence(tmp_path: Path) -> None:
    endpoint = MAPPING.endpoints["orders.list"]
    both = Asked(endpoint, {}, parameters(b"referenceId=1&guestRef=2"), [AUTHORIZATION], b"")
    error = MAPPING.shape.own(400, "Another wording.", "Another wording.")
    async with bench(tmp_path, "http://127.0.0.1:1") as made:
        assert await made.judged(shadow_read(both, Answer(400, [], error))) == [("noise", None)]
        assert await made.judged(shadow_read(both, Answer(200, [], b"{}"))) == [("unexpected", None)]
        assert made.lines()[-1]["differences"][0]["kind"] == "untranslatable"
        assert made.lines()[-1]["differences"][0]["rule"] == "orders.list.filters"


@story
async def test_the_call_carries_the_callers_credentials_and_each_step_is_one_call(tmp_path: Path) -> None:
    asked, v2, native = read_of(EXPANDED)
    items = bytes(open_object(native)["orderItems"])

    def answer(request: bytes) -> bytes:
        return message(items if b"/orderItems?" in request else native)

    with RawUpstream(answer) as upstream:
        async with bench(tmp_path, upstream.url, max_calls_per_second=4) as made:
            assert await made.judged(shadow_read(asked, v2)) == [("equal", None)]
            assert len(upstream.requests) == 2
            assert all(b"Authorization: " + AUTHORIZATION[1] in one for one in upstream.requests)
            found = Counter(await made.judged(*[shadow_read(asked, v2)] * 3))
            assert found == {("skipped", "rate"): 1, ("equal", None): 2}
            assert len(upstream.requests) == 6


@story
async def test_a_caller_pays_for_a_bounded_number_of_calls_and_others_are_not_touched(tmp_path: Path) -> None:
    with RawUpstream(lambda _request: message(NATIVE)) as upstream:
        async with bench(tmp_path, upstream.url, max_calls_per_second=2) as made:
            offers = [shadow_read(ASKED, V2, caller) for caller in ["a", "b"] for _ in range(10)]
            found = Counter(await made.judged(*offers))
            assert found == {("equal", None): 4, ("skipped", "rate"): 16}
        assert len(upstream.requests) == 4


@story
async def test_a_refused_credential_is_left_alone_and_only_that_one(tmp_path: Path) -> None:
    wrong, *_ = read_of(authorization=b"Basic d3Jvbmc=")

    def answer(request: bytes) -> bytes:
        return message(b"{}", 401) if b"d3Jvbmc=" in request else message(NATIVE)

    with RawUpstream(answer) as upstream:
        async with bench(tmp_path, upstream.url) as made:
            assert await made.judged(shadow_read(wrong, V2)) == [("unexpected", None)]
            assert await made.judged(shadow_read(wrong, V2)) == [("skipped", "credentials")]
            assert await made.judged(shadow_read(ASKED, V2)) == [("equal", None)]
        assert len(upstream.requests) == 2


@story
async def test_a_pause_that_the_platform_asks_for_is_kept_for_that_caller(tmp_path: Path) -> None:
    replies = iter([message(b"{}", 429, "Retry-After: 60"), message(NATIVE)])
    with RawUpstream(lambda _request: next(replies)) as upstream:
        async with bench(tmp_path, upstream.url) as made:
            assert await made.judged(shadow_read(ASKED, V2, "a")) == [("failed", "rate_limited")]
            assert await made.judged(shadow_read(ASKED, V2, "a")) == [("skipped", "paused")]
            assert await made.judged(shadow_read(ASKED, V2, "b")) == [("equal", None)]
        assert len(upstream.requests) == 2


@story
async def test_a_mistake_in_the_comparer_is_never_equal_and_stops_nothing(tmp_path: Path) -> None:
    broken = replace(MAPPING, codecs=None)  # type: ignore[arg-type]  # the mistake
    differing = message(DEARER)
    replies = iter([differing, differing])
    with RawUpstream(lambda _request: next(replies)) as upstream:
        async with bench(tmp_path, upstream.url, broken, workers=1) as made:
            assert await made.judged(shadow_read(ASKED, V2)) == [("failed", "compare_error")]
            mistake = next(line for line in made.lines() if line["event"] == "internal_error")
            assert (mistake["exception"], mistake["place"].partition(":")[0]) == ("AttributeError", "walk.py")
            made.evidence.mapping = MAPPING
            assert await made.judged(shadow_read(ASKED, V2)) == [("unexpected", None)]


@story
async def test_a_listener_that_fails_reaches_neither_traffic_nor_the_next_one_nor_a_worker(
    tmp_path: Path,
) -> None:
    heard: list[str] = []

    def failing(_observation: Observation, _verdict: Verdict) -> None:
        raise RuntimeError("alice@example.com")

    with RawUpstream(lambda _request: message(DEARER)) as upstream:
        async with bench(tmp_path, upstream.url, workers=1, queue_items=1) as made:
            made.evidence.listen(failing)
            made.evidence.listen(lambda _observation, verdict: heard.append(verdict.cls))
            offers = [
                shadow_read(ASKED, V2)
            ] * 2  # the second finds the queue full: it ends while it is offered
            assert await made.judged(*offers) == [("skipped", "dropped"), ("unexpected", None)]
            assert await made.judged(shadow_read(ASKED, V2)) == [("unexpected", None)]
            mistakes = [line for line in made.lines() if line["event"] == "internal_error"]
    assert heard == ["skipped", "unexpected", "unexpected"]
    assert len(mistakes) == 3
    assert "alice" not in json.dumps(mistakes)


@story
async def test_all_comparisons_add_up_at_every_moment(tmp_path: Path) -> None:
    """Answers of every kind, a queue that overflows, a scrape from another thread all the while."""
    answers = [answer for name, answer, *_ in ENDINGS if name not in {"silence", "quota", "busy"}]
    turn = iter(range(10**6))
    wrong: list[dict[str, Any]] = []
    over = threading.Event()

    def scrape(made: Bench) -> None:
        while not over.is_set():
            if not made.adds_up():
                wrong.append(made.samples())

    contract = observed(ONE, "contract")
    with RawUpstream(lambda _request: answers[next(turn) % len(answers)]) as upstream:
        async with bench(tmp_path, upstream.url, queue_items=100, workers=8) as made:
            watcher = threading.Thread(target=scrape, args=[made])
            watcher.start()
            for number in range(600):
                made.evidence.offer(
                    contract if number % 3 == 0 else shadow_read(ASKED, V2, f"caller-{number}")
                )
                if number % 50 == 0:
                    await asyncio.sleep(0.01)
            assert await made.evidence.drain(20)
            over.set()
            watcher.join()
            now = made.samples()
            lines = [line for line in made.lines() if line["event"] == "divergence"]
    assert wrong == []
    assert now["crossfade_comparisons_received_total"][()] == 600
    assert now["crossfade_comparisons_in_flight"][()] == 0
    equal = sum(count for labels, count in now["crossfade_comparisons_total"].items() if labels[2] == "equal")
    reasons = now["crossfade_comparison_reasons_total"]
    dropped = sum(count for labels, count in reasons.items() if "dropped" in labels)
    told = [line for line in lines if line.get("reason") != "dropped"]
    assert len(told) == 600 - equal - dropped
    assert {line["class"] for line in lines} == {"unexpected", "failed", "skipped"}
    assert 1 <= len(lines) - len(told) < dropped  # at most one a second
    assert sum(reasons.values()) == dropped + sum(line["class"] in {"failed", "skipped"} for line in told)


@story
async def test_the_queue_is_bounded_in_bytes_and_offering_never_waits(tmp_path: Path) -> None:
    large = Answer(200, [], b'"' + b"x" * 50_000 + b'"')
    with RawUpstream(lambda _request: Reply(b"", "stall")) as upstream:
        async with bench(tmp_path, upstream.url, queue_bytes="200KiB", workers=1, timeout="200ms") as made:
            for _ in range(20):
                made.evidence.offer(shadow_read(ASKED, large))
            reasons = made.samples()["crossfade_comparison_reasons_total"]
            assert [count for labels, count in reasons.items() if "dropped" in labels] == [16]
            assert [line["reason"] for line in made.lines()] == ["dropped"]


@story
async def test_what_waits_when_the_engine_stops_is_skipped_not_lost(tmp_path: Path) -> None:
    with RawUpstream(lambda _request: Reply(b"", "stall")) as upstream:
        async with bench(tmp_path, upstream.url, workers=2) as made:
            for _ in range(5):
                made.evidence.offer(shadow_read(ASKED, V2))
            await asyncio.sleep(0.1)
            assert not await made.evidence.drain(0.05)
            await made.evidence.stop()
            made.evidence.offer(shadow_read(ASKED, V2))
            assert [line["reason"] for line in made.lines()] == ["stopped"] * 6
            assert made.samples()["crossfade_comparisons_in_flight"][()] == 0


@story
async def test_what_grows_beyond_the_limit_or_has_no_contract_is_not_compared(tmp_path: Path) -> None:
    values = [b'{"new":[' + b",".join([digit] * 30_000) + b"]}" for digit in (b"1", b"2")]
    swollen = gzip.compress(b'{"note":"' + b"x" * 70_000 + b'"}')
    replies = iter([message(values[1]), message(swollen, 200, "Content-Encoding: gzip")])
    with RawUpstream(lambda _request: next(replies)) as upstream:
        async with bench(tmp_path, upstream.url) as made:
            assert await made.judged(shadow_read(ASKED, Answer(200, [], values[0]))) == [
                ("skipped", "too_large")
            ]
            assert await made.judged(shadow_read(ASKED, V2)) == [("skipped", "too_large")]
            undocumented = observed("orders.delete/forwarded", "contract")
            assert await made.judged(undocumented) == [("skipped", "no_contract")]


def test_a_thousand_callers_are_remembered_and_no_more() -> None:
    limits = Limits(1, lambda: 0.0)
    for number in range(1025):
        limits.pause_caller(str(number), 5)
    assert not limits.caller_paused("0")
    assert limits.caller_paused("1")
    assert limits.caller_paused("1024")


@story
async def test_losses_are_counted_by_rule_quiet_ones_too(tmp_path: Path) -> None:
    async with bench(tmp_path, "http://127.0.0.1:1") as made:
        assert await made.judged(observed("orders.get/new-status-searched", "contract")) == [
            ("expected", None)
        ]
        losses = made.samples()["crossfade_losses_total"]
        assert losses["values.status.searched",] == 1
        assert losses["codec.timestamp",] >= 1
        assert "codec.href" not in {rule for (rule,) in losses}


@story
async def test_nothing_of_a_request_reaches_a_line(tmp_path: Path) -> None:
    """Canaries as values and as keys, at every depth, in both versions' answers, and in the credential."""
    ours = NATIVE[:-1] + b',"zebra-key-1":{"zebra-key-2":"zebra-value-1"},"list":[{"zebra-key-3":1}]}'
    theirs = V2.body.replace(b":50", b':"zebra-value-2"')[:-1] + b',"zebra-key-4":["zebra-value-3"]}'
    asked, *_ = read_of(authorization=b"Basic zebra-credential")
    checked = observed(ONE, "contract", Answer(200, [], ours))
    with RawUpstream(lambda _request: message(ours, 200, "Location: /zebra-place")) as upstream:
        async with bench(tmp_path, upstream.url) as made:
            found = await made.judged(shadow_read(asked, Answer(200, [], theirs)), checked)
            assert found == [("unexpected", None)] * 2
            assert await made.judged(shadow_read(asked, Answer(200, [], b"zebra <html>"))) == [
                ("unexpected", None)
            ]
            text = made.log_file.read_text("ascii") + repr(made.samples())
    assert "zebra" not in text
    kinds = {one["kind"] for line in map(json.loads, text.splitlines()[:2]) for one in line["differences"]}
    assert kinds >= {"missing", "extra", "type", "header"}


@story
async def test_a_line_says_what_the_log_page_promises(tmp_path: Path) -> None:
    with RawUpstream(lambda _request: message(DEARER)) as upstream:
        async with bench(tmp_path, upstream.url) as made:
            await made.judged(shadow_read(ASKED, V2))
            await made.judged(shadow_read(ASKED, V2, record=""))
            first, second = made.lines()
    assert {name: first[name] for name in first if name not in {"time", "groups"}} == {
        "event": "divergence",
        "schema": 1,
        "request_id": "request-1",
        "endpoint": "orders.get",
        "stage": "shadow",
        "evidence": "shadow_read",
        "class": "unexpected",
        "caller": "caller-1",
        "record": "abc123",
        "differences": [
            {"pointer": "/price", "kind": "value", "v2": "number", "v2_1": "number", "rule": None}
        ],
    }
    assert second["record"] is None
    assert first["groups"] == second["groups"]


@pytest.mark.parametrize(("stamps", "cls"), [("seconds", "expected"), ("milliseconds", "equal")])
@story
async def test_one_order_read_through_both_versions(tmp_path: Path, stamps: str, cls: str) -> None:
    platform = fresh_platform(v2_1_timestamps=stamps)
    with emulator(platform, base_url="https://api-engage-eu.sitecorecloud.io") as (url, app):
        ref = Caller(url, app).created()
        engine = make_engine("native", UpstreamSettings(url))
        headers = [(CREDENTIALS[0].encode(), CREDENTIALS[1].encode())]
        v2 = await engine.send(Call("GET", f"/v2/orders/{ref}".encode(), headers))
        await engine.close()
        asked = Asked(MAPPING.endpoints["orders.get"], {"orderRef": ref.encode()}, [], headers, b"")
        async with bench(tmp_path, url) as made:
            assert await made.judged(shadow_read(asked, v2)) == [(cls, None)]
            rules = {one["rule"] for line in made.lines() for one in line["differences"]}
            assert rules == ({"codec.timestamp"} if cls == "expected" else set())


def test_a_sample_is_a_share_of_names_and_the_same_each_time() -> None:
    names = [f"request-{number}" for number in range(20_000)]
    chosen = {one for one in names if wants(b"salt", one, 0.1)}
    assert 0.09 < len(chosen) / len(names) < 0.11
    assert chosen <= {one for one in names if wants(b"salt", one, 0.2)}
    assert not any(wants(b"salt", one, 0) for one in names)
    assert all(wants(b"salt", one, 1) for one in names)


@pytest.mark.parametrize("rate", [0.5, 1, 2.5, 5])
def test_no_window_holds_more_calls_than_its_rate_allows(rate: float) -> None:
    now = 0.0
    limits = Limits(rate, lambda: now)
    sent = []
    for _ in range(2_000):
        if not limits.wait("caller"):
            sent.append(now)
        now += 0.013
    width = max(1.0, 1 / rate)
    assert all(sum(one <= other < one + width - 0.01 for other in sent) <= max(1, rate) for one in sent)
    assert len(sent) >= 26 * (rate if rate < 1 else int(rate)) * 0.9


def test_a_rate_of_nothing_sends_nothing() -> None:
    assert Limits(0).wait("caller") > 0


@pytest.mark.parametrize(
    ("status", "value", "seconds"),
    [
        (429, None, 10),
        (200, None, 0),
        (503, b"7", 7),
        (503, b"999999999999", 3600),
        (429, b"Fri, 31 Dec 1999 23:59:59 GMT", 0),
        (429, b"Fri, 31 Dec 2199 23:59:59 GMT", 3600),
        (429, b"soon", 10),
        (429, b"-1", 10),
    ],
)
def test_a_pause_is_as_long_as_asked_for_within_an_hour(
    status: int, value: bytes | None, seconds: float
) -> None:
    headers = [] if value is None else [(b"Retry-After", value)]
    assert pause_asked(Answer(status, headers)) == seconds


def observed(name: str, evidence: Any, answer: Answer | None = None) -> Observation:
    """A golden's answer as traffic hands it over for a contract check."""
    _, request, reply = played(name)
    return Observation(
        evidence=evidence,
        endpoint=request.endpoint,
        stage="canary",
        caller="caller-1",
        record="abc123",
        request_id="request-2",
        answer=answer or reply.answer,
        trace=reply.trace,
    )
