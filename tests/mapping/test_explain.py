"""What explain says is what traffic does, and it leaves nothing out."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from proxy.cli.asking import asked as asked_by_explain
from proxy.cli.asking import unconfigured
from proxy.config.model import Route
from proxy.cutover.decide import Caller, Decider
from proxy.cutover.routes import Routes
from proxy.errors import Refused, Untranslatable
from proxy.exchange import Asked, Reply, exchange
from proxy.explain import Explanation, explain
from proxy.json import Kind, check_document, kind, walk
from proxy.mapping.api import CompiledMapping, load
from proxy.mapping.declared import catalogue
from proxy.mapping.explain import Value, explained
from proxy.mapping.nodes import Firing
from proxy.translate import asked_of
from proxy.types import Answer, Call
from tests.laws.run import LONG
from tests.mapping import toy
from tests.mapping.goldens import BASES, FOLDER, PLATFORM, Golden, asked, goldens
from tests.mapping.requests import COMPATS, SOURCE, answer, calls

DECLARED = catalogue(SOURCE)
COMPILED = [SOURCE.compiled(one, BASES) for one in COMPATS]
OVER = unconfigured(PLATFORM).model_copy(update={"route": (Route(stage="v2.1"),)})
ROUTES = Routes.compile(OVER, SOURCE.writes)
ON_FILE = "\n".join(one.read_text("utf-8") for one in FOLDER.glob("*.toml"))


def driven(
    mapping: CompiledMapping, call: Call, draw: Any
) -> tuple[list[Call], list[Answer], Reply | Refused | Untranslatable]:
    """What serve does with a call when v2.1 answers everything; its answers are drawn as they are asked for."""
    made: list[Call] = []
    answers: list[Answer] = []
    try:
        path, _, query = call.target.partition(b"?")
        decider = Decider(mapping, ROUTES, b"", unmapped_to_v2=False)
        ahead = decider.look(call.method, path, query, Caller("anonymous", call.headers))
        running = exchange(mapping, asked_of(ahead, call, "explained"))
        step = next(running)
        while True:
            made.append(step)
            answers.append(
                draw(answer(operation_of(f"{step.method} {step.target.decode().partition('?')[0]}")))
            )
            step = running.send(answers[-1])
    except StopIteration as end:
        reply: Reply = end.value
        return made, answers, reply
    except (Refused, Untranslatable) as error:
        return made, answers, error


def operation_of(call: str) -> str:
    """The v2.1 operation that a call is; the most literal one where several fit."""
    fits = [
        one
        for one in SOURCE.v2_1.operations
        if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(one)), call)
    ]
    return min(fits, key=lambda one: one.count("{"))


def acts(shown: Explanation) -> Counter[tuple[str, bytes | None, bytes | None]]:
    values = [*shown.request, *shown.back]
    return Counter((one.declared.id, one.before, one.after) for value in values for one in value.acts)


def values_of(body: bytes) -> list[tuple[str, bytes]]:
    """Every scalar and every empty object or array of a body."""
    try:
        check_document(body)
        places = list(walk(body))
    except Refused:
        return []
    compounds = {Kind.OBJECT, Kind.ARRAY}
    return [
        (place, bytes(one))
        for place, one in places
        if kind(one) not in compounds or not any(other.startswith(place + "/") for other, _ in places)
    ]


def check_lines(lines: tuple[Value, ...], made: bytes, query: bytes = b"") -> None:
    """Every value once, in its order; what nothing acted on is untouched, and nothing is lost without a cause."""
    arrived = [
        (one.place, one.after) for one in lines if one.place is not None and not one.place.startswith("?")
    ]
    assert arrived == values_of(made)
    asked_for = [
        (one.place, one.after) for one in lines if one.place is not None and one.place.startswith("?")
    ]
    pairs = [pair.partition(b"=") for pair in query.split(b"&") if pair]
    assert asked_for == [("?" + name.decode(), value) for name, _, value in pairs]
    for one in lines:
        if not one.acts:
            assert one.place == one.source
            assert one.before == one.after


def check_sources(lines: tuple[Value, ...], bodies: list[bytes]) -> None:
    """The place that a value comes from really holds what is said to have stood there."""
    for one in lines:
        if one.source is not None and not one.source.startswith("?"):
            there = dict(walk(bodies[one.answer]))
            assert bytes(there[one.source]) == one.before


@settings(max_examples=2000 if LONG else 500, deadline=None)
@given(call=calls(), number=st.integers(0, len(COMPILED) - 1), data=st.data())
def test_it_says_what_traffic_does_and_accounts_for_every_value(call: Call, number: int, data: Any) -> None:
    mapping = COMPILED[number]
    made, answers, end = driven(mapping, call, data.draw)
    event(type(end).__name__)
    try:
        request = asked_by_explain(SOURCE, mapping, OVER, call)
    except Refused:
        assert isinstance(end, Refused)
        assert not made
        return
    assert isinstance(request, Asked)
    shown = explain(mapping, DECLARED, request, answers)
    assert [one.call for one in shown.calls] == made
    first = request.endpoint.case(request.pairs).ahead
    for one in made[first : first + 1]:
        check_lines(shown.request, one.body, one.target.partition(b"?")[2])
        check_sources(shown.request, [call.body])
    if isinstance(end, Reply):
        assert shown.answer == end.answer
        assert shown.native == end.native
        assert shown.untranslated == end.untranslated
        check_lines(shown.back, end.answer.body)
        check_sources(shown.back, [b"", *(one.body for one in answers)])
        check_firings(shown, end)
    else:
        assert shown.refusal is not None
        assert shown.refusal.rule == end.rule
        assert shown.refusal.pointer == end.pointer
        assert shown.answer is None
    for value in (*shown.request, *shown.back):
        for act in value.acts:
            assert act.declared == DECLARED[act.declared.id]


def check_firings(shown: Explanation, end: Reply) -> None:
    """Every firing of the exchange is told, but for those that an answer in v2.1's own words undid."""
    told = acts(shown)
    steps = {one.by.id for one in shown.calls}
    plain = end.untranslated or end.answer.status >= 300
    for one in end.trace:
        if one.before is None and one.after is None:
            assert one.rule in steps
        elif not plain:
            assert told[one.rule, one.before, one.after], one.rule


def test_every_id_stands_in_the_mapping_files() -> None:
    for name in DECLARED:
        table = name.removeprefix("values.")
        member = name.removeprefix("error.")
        assert (
            f'id = "{name}"' in ON_FILE or f'type = "{table}"' in ON_FILE or f'name = "{member}"' in ON_FILE
        )


@pytest.mark.parametrize("golden", [one for one in goldens() if one.content.get("upstream")], ids=str)
def test_a_golden_exchange_is_told_to_its_end(golden: Golden) -> None:
    mapping = SOURCE.compiled(golden.content.get("compat", {}), BASES)
    upstream = golden.content["upstream"]
    answers = [Answer(one["status"], [], one.get("answer", "").encode()) for one in upstream]
    shown = explain(mapping, DECLARED, asked(mapping, golden.content["request"]), answers)
    assert shown.answer is not None
    assert shown.answer.status == golden.content["answer"]["status"]
    assert [one.call.method for one in shown.calls] == [one["method"] for one in upstream]
    check_lines(shown.back, shown.answer.body)
    check_sources(shown.back, [b"", *(one.body for one in answers)])
    assert len(explain(mapping, DECLARED, asked(mapping, golden.content["request"])).calls) == 1


def told_of_an_update(ref: str, *names: str) -> Explanation:
    """An update of an extension where v2.1 has one of this name at each call."""
    mapping, target = SOURCE.compiled({}, BASES), f"/v2/orders/o/extext/{ref}"
    request = {"method": "POST", "target": target, "body": '{"key":"default","points":2}'}
    answers = [Answer(200, [], b'{"name":"ext","ref":"%s","points":2}' % one.encode()) for one in names]
    return explain(mapping, DECLARED, asked(mapping, request), answers)


def test_what_is_read_before_a_write_is_told_with_its_step() -> None:
    shown = told_of_an_update("r", "r", "r")
    assert [(one.by.id, one.call.method) for one in shown.calls] == [
        ("extensions.update.ref", "GET"),
        ("extensions.update", "PUT"),
    ]
    assert [(one.source, one.place) for one in shown.request] == [("/points", "/points"), ("/key", None)]
    assert {one.answer for one in shown.back if one.source} == {2}


def test_where_another_record_is_there_the_step_that_saw_it_is_told() -> None:
    shown = told_of_an_update("r", "other")
    assert [one.by.id for one in shown.calls] == ["extensions.update.ref"]
    assert shown.request == ()
    assert shown.answer is not None
    assert shown.answer.status == 404
    for one in shown.back:
        assert one.source is None
        assert one.acts[0].declared.id == "extensions.update.ref"


PART = toy.table(x=toy.leaf(), tint=toy.leaf(codec="colour"), deep=toy.table(y=toy.leaf()))
ROW = toy.table(n=toy.leaf("number"), count=toy.leaf("number"), colour=toy.leaf(codec="colour"))
ROWS = {"type": "array", "items": ROW}
NATIVE = {**toy.THING, "properties": {**toy.THING["properties"], "part": PART, "piece": PART, "rows": ROWS}}


def told(path: Path, rules: list[str], body: bytes, back: bytes) -> Explanation:
    """A create of the made-up API, explained."""
    mapping = toy.compiled(path, *rules, v2_1=json.dumps(toy.contract("v2.1", NATIVE)))
    request = Asked(mapping.endpoints["things.create"], {}, [], [], body)
    return explain(mapping, catalogue(load(path)), request, [Answer(201, [], back)])


def line(lines: tuple[Value, ...], place: str) -> tuple[str | None, bytes | None, bytes | None, list[str]]:
    (one,) = [one for one in lines if one.place == place]
    return one.source, one.before, one.after, [act.declared.id for act in one.acts]


def test_a_member_that_moves_is_told_with_both_places_and_with_its_codec(tmp_path: Path) -> None:
    rules = [toy.rule("both", "/colour", "rename", native="/part/tint")]
    body, back = b'{"name":"n","colour":"AZURE"}', b'{"name":"n","part":{"tint":"BLUE"}}'
    shown = told(tmp_path, rules, body, back)
    codec = "values.colour"
    assert line(shown.request, "/part/tint") == ("/colour", b'"AZURE"', b'"BLUE"', [codec, "r.rename"])
    assert line(shown.back, "/colour") == ("/part/tint", b'"BLUE"', b'"AZURE"', ["colour.blue", "r.rename"])
    assert [one.place for one in shown.back] == ["/name", "/colour"]


def test_an_object_that_moves_is_told_value_by_value(tmp_path: Path) -> None:
    rules = [toy.rule("both", "/part", "rename", native="/piece")]
    shown = told(tmp_path, rules, b'{"name":"n","part":{"x":"1","deep":{"y":"2"}}}', b'{"piece":{"x":"3"}}')
    assert line(shown.request, "/piece/deep/y") == ("/part/deep/y", b'"2"', b'"2"', ["r.rename"])
    assert line(shown.back, "/part/x") == ("/piece/x", b'"3"', b'"3"', ["r.rename"])


def test_inside_arrays_each_element_has_its_own_place(tmp_path: Path) -> None:
    rules = [toy.rule("both", "/rows/*/n", "rename", native="/rows/*/count")]
    body = b'{"name":"n","rows":[{"m":1},{"n":2,"colour":"AZURE"},{"n":2}]}'
    shown = told(tmp_path, rules, body, b'{"name":"n"}')
    assert line(shown.request, "/rows/0/m")[3] == []
    assert line(shown.request, "/rows/1/count") == ("/rows/1/n", b"2", b"2", ["r.rename"])
    assert line(shown.request, "/rows/2/count") == ("/rows/2/n", b"2", b"2", ["r.rename"])
    assert line(shown.request, "/rows/1/colour") == (
        "/rows/1/colour",
        b'"AZURE"',
        b'"BLUE"',
        ["values.colour"],
    )


def test_a_made_up_value_is_told_with_the_neighbour_it_comes_from(tmp_path: Path) -> None:
    rules = [toy.rule("both", "/part/x", "default", value="none", sources=["at"])]
    shown = told(tmp_path, rules, b'{"name":"n","part":{"at":"t"}}', b'{"name":"n","part":{"x":"none"}}')
    assert line(shown.request, "/part/x") == ("/part/at", b'"t"', b'"t"', ["r.default"])
    (hidden,) = [one for one in shown.back if one.place is None]
    assert (hidden.source, hidden.before) == ("/part/x", b'"none"')
    assert line(shown.back, "/part")[2] == b"{}"


def test_a_member_that_no_rule_reaches_is_one_value_where_its_names_are_not_unique(tmp_path: Path) -> None:
    body = b'{"name":"n","extra":{"a":1,"a":2},"size":1}'
    shown = told(tmp_path, [toy.rule("request", "/size", "drop")], body, b'{"name":"n"}')
    assert line(shown.request, "/extra") == ("/extra", b'{"a":1,"a":2}', b'{"a":1,"a":2}', [])
    (dropped,) = [one for one in shown.request if one.place is None]
    assert (dropped.source, dropped.before, dropped.losses) == ("/size", b"1", ())


def test_of_two_members_with_one_value_each_is_told_by_its_own_name() -> None:
    body = b'{"items":[{"href":"x","price":1,"loyalty":1,"other":1}]}'
    request = Asked(COMPILED[0].endpoints["orders.list"], {}, [(b"guestRef", b"1")], [], b"")
    shown = explain(COMPILED[0], DECLARED, request, [Answer(200, [], body)])
    lost = [(one.source, one.before) for one in shown.back if one.place is None]
    assert lost == [("/items/0/price", b"1"), ("/items/0/loyalty", b"1"), ("/items/0/other", b"1")]


def test_what_vanishes_without_a_cause_is_shown_all_the_same() -> None:
    (kept, gone) = explained(b'{"a":1,"b":2}', b'{"a":1}', [], DECLARED, forward=True)
    assert kept == Value("/a", b"1", "/a", b"1")
    assert gone == Value(None, None, "/b", b"2")


def test_a_read_that_cannot_be_said_in_v2_is_a_refusal_after_the_call() -> None:
    request = Asked(COMPILED[0].endpoints["orders.list"], {}, [(b"guestRef", b"1")], [], b"")
    shown = explain(COMPILED[0], DECLARED, request, [Answer(200, [], b'{"items":"none"}')])
    assert len(shown.calls) == 1
    assert shown.refusal is not None
    assert (shown.refusal.code, shown.refusal.status, shown.refusal.rule) == (
        "CF-BAD-ANSWER",
        502,
        "orders.list.items",
    )


@pytest.mark.parametrize(
    ("body", "answered"),
    [(b'{"price":"x"}', Asked), (b"x" * (1 << 25), Refused)],
    ids=["of any kind", "too large"],
)
def test_a_body_is_taken_as_traffic_takes_it(body: bytes, answered: type) -> None:
    call = Call("POST", b"/v2/orders", [], body)
    if answered is Refused:
        with pytest.raises(Refused):
            asked_by_explain(SOURCE, COMPILED[0], OVER, call)
    else:
        assert isinstance(asked_by_explain(SOURCE, COMPILED[0], OVER, call), Asked)


def test_a_question_about_a_path_is_not_translated() -> None:
    told_where = asked_by_explain(SOURCE, COMPILED[0], OVER, Call("OPTIONS", b"/v2/orders", []))
    assert isinstance(told_where, str)
    assert told_where.startswith("OPTIONS")


def test_a_refused_request_has_its_place_and_rule_and_no_calls() -> None:
    mapping = COMPILED[0]
    body = json.dumps({"contact": {"firstName": "secret"}}).encode()
    request = Asked(mapping.endpoints["orders.update"], {"orderRef": b"1"}, [], [], body)
    shown = explain(mapping, DECLARED, request)
    assert shown.calls == ()
    assert shown.refusal is not None
    assert shown.refusal.code == "CF-FIELD"
    assert "secret" not in repr(shown.refusal)


def test_the_ids_are_those_of_the_divergence_log() -> None:
    """A firing's rule is what the log names; explain looks the same name up."""
    firing = Firing("codec.href", "/href", b"1", b"2")
    assert DECLARED[firing.rule].says
