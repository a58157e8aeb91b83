"""The small parts of the evidence, one by one: breaker, lag, races, conflicts, what is hidden, writes translated only."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import pytest

from proxy.evidence.breaker import FAILURES, LONGEST, PAUSE, Breaker
from proxy.evidence.classify import Verdict, classify
from proxy.evidence.compare import Found, compare, steps
from proxy.evidence.comparisons import raced, record_read
from proxy.evidence.conflict import makes_record, matched
from proxy.evidence.difference import Difference
from proxy.evidence.hidden import hidden
from proxy.evidence.kinds import kinds
from proxy.evidence.lag import Lag
from proxy.evidence.translate_only import translate_only
from proxy.exchange import Asked, Reply
from proxy.mapping.check import Checker
from proxy.mapping.codecs import Plain
from proxy.mapping.nodes import Firing
from proxy.types import Answer, Version
from tests.emulator.caller import order
from tests.evidence.answers import MAPPING, hashed, table
from tests.evidence.bench import story
from tests.mapping.goldens import PLATFORM, compiled
from tests.mapping.goldens import asked as golden_asked

CREATE, UPDATE = MAPPING.endpoints["orders.create"], MAPPING.endpoints["orders.update"]
PRICE = Difference("/price", "value", "number", "number")


def finished(running: Generator[None, None, Verdict]) -> Verdict:
    while True:
        try:
            next(running)
        except StopIteration as end:
            found: Verdict = end.value
            return found


def translated(body: Any, status: int = 201, *, met: bool = False, mapping: Any = MAPPING) -> Verdict:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    asked = Asked(mapping.endpoints["orders.create"], {}, [], [], data)
    return finished(translate_only(asked, Answer(status, [], b"{}"), mapping, hashed, met=met))


@pytest.mark.parametrize(
    ("body", "status", "cls", "kind"),
    [
        (order(), 201, "equal", None),
        (order(extra={"a": [1.50]}, contacts={"items": []}, cardType=None), 201, "equal", None),
        (order(createdAt="2025-01-01T00:00:00.000Z"), 201, "equal", None),
        (order(price="x"), 201, "unexpected", "untranslatable"),
        (order(price="x"), 400, "equal", None),
        (order(price="x"), 404, "skipped", None),
        (order(), 400, "skipped", None),
        (order(), 503, "skipped", None),
        (b"{", 201, "unexpected", "untranslatable"),
    ],
)
def test_a_write_is_translated_and_nothing_more(body: Any, status: int, cls: str, kind: str | None) -> None:
    verdict = translated(body, status)
    assert verdict.cls == cls
    assert [one.kind for one in verdict.differences] == ([kind] if kind else [])


def test_a_match_is_a_conflict_unless_it_is_looked_up() -> None:
    assert [(one.v2, one.v2_1) for one in translated(order(), met=True).differences] == [(201, 409)]
    looked = compiled({"on_conflict": "update"})
    assert translated(order(), met=True, mapping=looked).cls == "equal"


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"required": frozenset({"quantity"})}, ("/quantity", "missing", None, "number")),
        ({"types": ("number",)}, ("/price", "type", "number", "string")),
        ({"enum": ("BUS",)}, ("/channel", "enum", "string", "string")),
        ({"drop": "cardType"}, ("/cardType", "extra", "string", None)),
    ],
)
def test_what_v2_1_promises_to_refuse_is_found_without_sending_it(
    change: dict[str, Any], found: tuple[Any, ...]
) -> None:
    """v2.1's contract, made stricter than it is."""
    assert CREATE.native_check is not None
    schema = CREATE.native_check.schema
    members = dict(schema.members)
    if "required" in change:
        members["quantity"] = replace(members["price"])
        schema = replace(schema, required=schema.required | change["required"])
    if "types" in change:
        members["price"] = replace(members["price"], types=("string",))
    if "enum" in change:
        members["channel"] = replace(members["channel"], enum=change["enum"])
    members.pop(change.get("drop", ""), None)
    strict = replace(CREATE, native_check=Checker(replace(schema, members=members)))
    asked = Asked(strict, {}, [], [], json.dumps(order()).encode())
    verdict = finished(translate_only(asked, Answer(201, [], b"{}"), MAPPING, hashed, met=False))
    assert verdict.cls == "unexpected"
    assert [(one.pointer, one.kind, one.v2, one.v2_1) for one in verdict.differences] == [found]


@pytest.mark.parametrize(("key", "cls"), [("default", "equal"), ("x", "unexpected")])
def test_a_write_before_which_v2_1_is_asked_is_translated_as_if_it_had_the_record(key: str, cls: str) -> None:
    body = json.dumps({"key": key, "points": 1.5}).encode()
    asked = Asked(
        MAPPING.endpoints["extensions.update"], {"orderRef": b"o", "extRef": b"a%20b"}, [], [], body
    )
    assert finished(translate_only(asked, Answer(200, [], b"{}"), MAPPING, hashed, met=False)).cls == cls


def test_a_breaker_opens_tries_again_and_closes() -> None:
    now = 0.0
    breaker = Breaker(lambda: now)
    assert [breaker.failed() for _ in range(FAILURES)] == [False] * (FAILURES - 1) + [True]
    assert not breaker.failed(), "a call that was on its way already changes nothing"
    assert not breaker.passes()
    pause = PAUSE
    for _ in range(6):
        now += pause
        assert breaker.passes()
        assert not breaker.passes(), "one call tries, the others wait"
        breaker.failed()
        pause = min(pause * 2, LONGEST)
        now += pause - 0.1
        assert not breaker.passes()
        now += 0.1 - pause
    now += LONGEST
    assert breaker.passes()
    assert breaker.answered()
    assert breaker.passes()
    assert not breaker.open
    assert not breaker.answered()


@story
async def test_a_late_loop_is_noticed_at_once_and_for_a_while() -> None:
    lag = Lag(0.1)
    lag.start()
    await asyncio.sleep(0.2)
    assert not lag.late()
    time.sleep(0.4)  # noqa: ASYNC251 - what keeps a loop from its work
    assert lag.late()
    await asyncio.sleep(0.2)
    assert lag.late()
    await asyncio.sleep(1.2)
    assert not lag.late()
    await lag.stop()


def test_only_what_has_changed_meanwhile_is_a_race() -> None:
    other = Difference("/cardType", "missing", "string", None)
    stamp = Difference("/modifiedAt", "value", "string", "string", None, "race")
    at = {one: {one.pointer} for one in (PRICE, other, stamp)}
    found = {one: at[one] for one in (PRICE, other)}
    assert [one.excuse for one in raced(found, {PRICE: at[PRICE]})] == ["race", ""]
    assert [one.excuse for one in raced(found, {stamp: at[stamp]})] == ["race", "race"]
    assert [one.excuse for one in raced(found, {})] == ["", ""]
    gone = {Difference("", "status", 200, 404): {""}}
    assert [one.excuse for one in raced(gone, gone)] == ["race"]


@pytest.mark.parametrize(
    ("ours", "later", "excuse"),
    [
        ((2, 1), (2, 1), "race"),  # the first has changed
        ((2, 1), (3, 1), "race"),  # and once more
        ((2, 2), (2, 1), ""),  # the second has not
        ((1, 2), (2, 1), ""),
        ((2, 2), (2, 2), "race"),
        ((2, None), (2, 1), ""),
    ],
)
def test_an_element_that_has_changed_excuses_nothing_in_its_neighbours(
    ours: tuple[Any, ...], later: tuple[Any, ...], excuse: str
) -> None:
    """v2 said that both cost 1; then v2.1 was asked, then v2 once more."""
    asked = MAPPING.endpoints["orders.list"]

    def page(prices: tuple[Any, ...]) -> Answer:
        items = [{"href": f"{PLATFORM}/v2/orders/{n}", "price": price} for n, price in enumerate(prices)]
        return Answer(200, [], json.dumps({"items": items}).encode())

    def against(prices: tuple[Any, ...]) -> Found:
        said = page(prices)
        running = steps(page((1, 1)), Reply(said, said, []), asked, MAPPING, hashed)
        while True:
            try:
                next(running)
            except StopIteration as end:
                found: Found = end.value
                return found

    judged = raced(against(ours), against(later))
    assert classify(judged, (200, 200)).cls == (excuse or "unexpected")


@pytest.mark.parametrize(
    ("created", "modified", "date", "met"),
    [
        ("2026-01-02T03:04:05.000Z", "2026-01-02T03:04:05.000Z", "", False),
        ("2026-01-02T03:04:05.000Z", "2026-01-02T03:04:05.900Z", "", False),
        ("2026-01-01T03:04:05.000Z", "2026-01-02T03:04:05.000Z", "", True),
        ("2026-01-02T03:04:05.000Z", None, "Fri, 02 Jan 2026 03:04:05 GMT", False),
        ("2026-01-01T03:04:05.000Z", None, "Fri, 02 Jan 2026 03:04:05 GMT", True),
        ("2026-01-01T03:04:05.000Z", None, "soon", True),
        ("2999-01-01T03:04:05.000Z", None, "", False),
        ("yesterday", "2026-01-02T03:04:05.000Z", "", False),
        (None, None, "", False),
    ],
)
def test_a_record_that_is_older_than_its_create_was_there_before(
    created: str | None, modified: str | None, date: str, met: bool
) -> None:
    members = {name: one for name, one in (("createdAt", created), ("modifiedAt", modified)) if one}
    answer = Answer(201, [(b"Date", date.encode())] if date else [], json.dumps(members).encode())
    assert makes_record(CREATE, answer)
    assert matched(CREATE, answer, 0.5, 1000) is met


def test_only_a_create_that_went_well_and_can_be_read_says_anything() -> None:
    assert not makes_record(UPDATE, Answer(200, [], b"{}"))
    assert not makes_record(CREATE, Answer(400, [], b"{}"))
    assert not makes_record(MAPPING.endpoints["orders.get"], Answer(200, [], b"{}"))
    for body in (b"[]", b"", b"{", b"x" * 2000):
        assert not matched(CREATE, Answer(201, [], body), 0.5, 1000)
    assert not matched(CREATE, Answer(201, [(b"Content-Encoding", b"br")], b"{}"), 0.5, 1000)


@pytest.mark.parametrize(
    ("before", "after", "hides"),
    [
        (b'"SEARCHED"', b'"UNKNOWN"', True),
        (b'"2024-01-01T16:17:16Z"', b'"2024-01-01T16:17:16.000Z"', False),
        (b'"x"', None, True),
        (None, b'"x"', False),
        (b'{"href":"a","items":[]}', b'{"href":"b"}', True),
        (b'{"href":"a"}', b'{"href":"b"}', False),
        (b"[1]", b'{"href":"b"}', True),
        (b"{", b"{", True),
    ],
)
def test_what_does_not_lead_back_was_hidden(before: bytes | None, after: bytes | None, hides: bool) -> None:
    assert hidden([Firing("a.rule", "/place", before, after)] * 2, MAPPING) == (["a.rule"] if hides else [])
    assert hidden([Firing("a.rule", "?query", b"x", None)], MAPPING) == []


def test_a_codec_turns_its_own_change_back_and_no_other_is_asked() -> None:
    """Each answer of v2.1 is looked at, a link and some times in it: this is on the event loop."""

    class Unasked(Plain):
        def same(self, v2: bytes, ours: bytes) -> bool:
            raise AssertionError("asked")

    codecs = {"other": Unasked("codec.other"), **MAPPING.codecs}
    time = Firing("codec.timestamp", "/createdAt", b'"2024-01-01T16:17:16Z"', b'"2024-01-01T16:17:16.000Z"')
    assert hidden([time], replace(MAPPING, codecs=codecs)) == []


@pytest.mark.parametrize(
    ("stage", "version", "writes", "status", "found"),
    [
        ("shadow", Version.V2, True, 400, ("translate_only",)),
        ("live", Version.V2_1, True, 409, ("contract",)),
        ("live", Version.V2_1, False, 503, ("contract",)),
        ("live", Version.V2_1, False, 404, ("contract", "reverse_shadow")),
        ("live", Version.V2, False, 200, ()),
        ("v2.1", Version.V2_1, True, 200, ("contract",)),
    ],
)
def test_what_failed_leaves_nothing_to_read_again(
    stage: str, version: Version, writes: bool, status: int, found: tuple[str, ...]
) -> None:
    assert kinds(stage, version, writes=writes, status=status) == found


@pytest.mark.parametrize(
    ("body", "ref"),
    [
        (b'{"href":"%s/v2/orders/abc?x=1"}' % PLATFORM.encode(), b"abc"),
        (b'{"href":"http://localhost:8080/v2/orders/abc"}', b"abc"),
        (b'{"href":"https://elsewhere.test/v2/orders/abc"}', None),
        (b'{"href":7}', None),
        (b"{}", None),
        (b"[]", None),
        (b"{", None),
        (b"", None),
    ],
)
def test_a_new_record_is_read_at_its_own_link(body: bytes, ref: bytes | None) -> None:
    headers = [(b"Content-Type", b"application/json"), (b"Authorization", b"Basic x")]
    found = record_read(Asked(CREATE, {}, [], headers, b"{}"), Answer(201, [], body), MAPPING)
    if ref is None:
        assert found is None
        return
    assert found is not None
    assert (found.endpoint.id, found.parameters, found.body) == ("orders.get", {"orderRef": ref}, b"")
    assert found.headers == [(b"Authorization", b"Basic x")]


def test_a_place_that_the_contract_calls_volatile_is_noise_and_all_below_it() -> None:
    endpoint = MAPPING.endpoints["orders.get"]
    schema = endpoint.schemas[200]
    members = {name: replace(one, volatile=name == "contacts") for name, one in schema.members.items()}
    volatile = replace(endpoint, schemas={200: replace(schema, members=members)})
    ours = Answer(200, [], b'{"price":1,"contacts":{"href":"a"}}')
    reply = Reply(ours, ours, [])

    def against(body: bytes) -> str:
        v2 = Answer(200, [], body)
        return classify(compare(v2, reply, volatile, MAPPING, hashed), (200, 200)).cls

    assert against(b'{"price":1,"contacts":{"href":"b"}}') == "noise"
    assert against(b'{"price":1}') == "noise"
    assert against(b'{"price":2,"contacts":{"href":"b"}}') == "unexpected"


ANSWERED = [
    name
    for name, one in table().items()
    if "code" not in one.content["answer"] and one.content["answer"].get("status", 200) < 300
]


@pytest.mark.parametrize("name", ANSWERED)
def test_a_write_of_the_goldens_translates_without_a_finding(name: str) -> None:
    content = table()[name].content
    mapping = compiled(content["compat"]) if content.get("compat") else MAPPING
    request = golden_asked(mapping, content["request"])
    if request.endpoint.is_write:
        v2 = Answer(content["answer"].get("status", 200), [], b"{}")
        verdict = finished(translate_only(request, v2, mapping, hashed, met=False))
        assert (verdict.cls, verdict.differences) == ("equal", ())
