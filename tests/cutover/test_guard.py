"""The guard: soon when something is broken, hardly ever in vain, and the same after a restart."""

from __future__ import annotations

import random
from itertools import product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.config.model import Guard as Settings
from proxy.cutover.detector import Run, after, evidence, promotion, reached, rollback
from proxy.cutover.distinct import BAD_WINDOW, GOOD_WINDOW, Distinct
from proxy.cutover.events import Kind, events
from proxy.cutover.guard import SHARES, Guard, Watched
from proxy.cutover.readiness import Standing, standing
from proxy.evidence.classify import Class, Verdict, failed, skipped
from tests.cutover.observed import observation
from tests.cutover.picture import PLACE, drawn
from tests.cutover.rollouts import GOALS, ROUTE, WITHIN, Goal, Traffic, clean, detection, guard, shares

BAD, GOOD = {Kind.COMPARED: True}, {Kind.COMPARED: False}


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: f"{goal.rate:.0%} after {goal.clean}")
def test_a_break_is_noticed_soon(goal: Goal) -> None:
    median, late = detection(goal, clean(goal.clean), seed=1, rollouts=300 if goal.rate > 0.05 else 60)
    assert median <= goal.median
    assert late <= goal.late * 1.2  # few rollouts; `make guard` holds the figure itself with thousands


@pytest.mark.parametrize(("text", "traffic"), WITHIN)
def test_a_route_within_its_budget_stays_and_is_not_called_ready(text: str, traffic: Traffic) -> None:
    fired, ready = shares(traffic, seed=1, rollouts=15)
    assert fired == 0, text
    assert ready <= 2 / 15, text  # one in twenty may be, `make guard` counts them


@given(st.floats(1e-4, 0.5), st.floats(1e-4, 0.2))
def test_no_bet_gains_on_average_where_the_budget_holds(budget: float, alpha: float) -> None:
    test = rollback(budget, alpha)
    for good, bad in zip(test.good, test.bad, strict=True):
        for rate in (0.0, budget / 2, budget):
            assert rate * bad + (1 - rate) * good <= 1 + 1e-9
    for good, bad in zip(promotion(budget).good, promotion(budget).bad, strict=True):
        assert budget * bad + (1 - budget) * good <= 1 + 1e-9


def test_the_recursion_is_the_sum_over_all_starts() -> None:
    test = rollback(0.01, 0.05)
    for outcome in product((False, True), repeat=7):
        run = Run()
        for bad in outcome:
            run = after(test, run, bad=bad)
        told = []
        for good, bad_ratio in zip(test.good, test.bad, strict=True):
            total = 0.0
            for start in range(7):
                money = 0.5 if start == 0 else 0.5 / ((start + 1) * start)
                for bad in outcome[start:]:
                    money *= bad_ratio if bad else good
                total += money
            told.append(total)
        assert evidence(run) == pytest.approx(sum(told) / len(told))


def test_evidence_stops_growing_before_a_float_does() -> None:
    test, run = rollback(0.001, 0.01), Run()
    for _ in range(500):
        run = after(test, run, bad=True)
    assert evidence(run) < float("inf")
    assert reached(test, run)


def test_ready_takes_about_3500_clean_records_and_says_how_many_are_missing() -> None:
    made = guard()
    assert standing(made, ROUTE, 0.0).verdict is Standing.INCONCLUSIVE
    promised = standing(made, ROUTE, 0.0).needed
    assert 3_300 < promised < 3_700
    for number in range(1_000):
        made.hear(ROUTE, GOOD, str(number), float(number))
    half = standing(made, ROUTE, 1_000.0)
    assert half.needed == pytest.approx(promised - 1_000, abs=30)
    assert half.in_seconds == pytest.approx(half.needed, rel=0.2)
    for number in range(1_000, 1_000 + half.needed):
        assert standing(made, ROUTE, 0.0).verdict is Standing.INCONCLUSIVE
        made.hear(ROUTE, GOOD, str(number), float(number))
    assert standing(made, ROUTE, 0.0).verdict is Standing.READY
    made.hear(ROUTE, BAD, "one", 9e9)
    assert standing(made, ROUTE, 0.0).verdict is Standing.INCONCLUSIVE


def test_contract_checks_alone_make_nothing_ready() -> None:
    made = guard()
    for number in range(5_000):
        made.hear(ROUTE, {Kind.CONTRACT: False, Kind.FAILED: False, Kind.SLOW: False}, str(number), 0.0)
    assert standing(made, ROUTE, 0.0).verdict is Standing.INCONCLUSIVE


def test_what_is_blocked_elsewhere_is_not_ready() -> None:
    found = standing(guard(clean(4_000)), ROUTE, 0.0, ["two calls would conflict"])
    assert (found.verdict, found.reasons) == (Standing.NOT_READY, ("two calls would conflict",))


@pytest.mark.parametrize("kind", list(Kind))
def test_each_test_fires_once_and_the_route_is_not_ready_from_then_on(kind: Kind) -> None:
    made = guard()
    fired = [made.hear(ROUTE, {kind: True}, str(number), 0.0) for number in range(30)]
    (one,) = [found for found in fired if found]
    assert (one.kind, one.route) == (kind, ROUTE)
    assert one.comparisons == one.bad <= 10
    assert one.evidence >= one.bar
    assert standing(made, ROUTE, 0.0).verdict is Standing.NOT_READY


def test_one_bad_record_is_one_event_however_often_it_is_asked_for() -> None:
    made = guard()
    assert not any(made.hear(ROUTE, BAD, "one", float(second)) for second in range(3_600))
    assert made.watched[ROUTE].runs[Kind.COMPARED].bad == 1


def test_a_record_that_was_good_and_breaks_is_seen_within_a_minute() -> None:
    made = guard()
    for number in range(5):
        made.hear(ROUTE, GOOD, str(number), 0.0)
    assert not any(made.hear(ROUTE, BAD, str(number), GOOD_WINDOW - 1) for number in range(5))
    assert any(made.hear(ROUTE, BAD, str(number), GOOD_WINDOW) for number in range(5))


def test_a_clock_that_is_set_back_blinds_nobody() -> None:
    made = guard()
    for number in range(5):
        made.hear(ROUTE, GOOD, str(number), 1e6)
    assert any(made.hear(ROUTE, BAD, str(number), 1e6 - 3_600) for number in range(5))
    known = Distinct()
    known.add("bad", 1e6, bad=True)
    assert not known.counts("bad", 1e6 - 10), (
        "a clock that is put right by seconds makes no second event of a first"
    )
    assert known.counts("bad", 1e6 - 2 * BAD_WINDOW)


def test_what_is_remembered_stays_bounded() -> None:
    known = Distinct()
    for number in range(30_000):
        known.add(str(number), 0.0, bad=bool(number % 2))
    assert len(known.bad) + len(known._good) <= 25_000
    assert not known.counts("29999", BAD_WINDOW - 1)
    assert known.counts("29999", BAD_WINDOW)


def test_a_guard_goes_on_after_a_restart() -> None:
    chance = random.Random(3)
    script = [(str(chance.randrange(3_000)), chance.random() < 0.01) for _ in range(3_000)]
    whole = guard()
    last = [whole.hear(ROUTE, {Kind.COMPARED: bad}, record, 0.0) for record, bad in script]
    first = guard()
    told = [first.hear(ROUTE, {Kind.COMPARED: bad}, record, 0.0) for record, bad in script[:400]]
    kept = msgspec.json.decode(msgspec.json.encode(first.watched), type=dict[str, Watched])
    again = Guard(Settings(), 1, kept)
    told += [again.hear(ROUTE, {Kind.COMPARED: bad}, record, 100.0) for record, bad in script[400:]]
    firsts = [next(n for n, one in enumerate(row) if one) for row in (last, told)]
    assert firsts[0] >= 10
    assert abs(firsts[0] - firsts[1]) < 400


def test_alpha_is_split_over_routes_and_tests() -> None:
    assert sum(SHARES.values()) == 1
    for routes in (1, 4):
        made = Guard(Settings(alpha=0.02), routes)
        assert sum(routes / test.bar for test in made.tests.values()) == pytest.approx(0.02)


def test_a_route_can_be_begun_anew_and_others_forgotten() -> None:
    made = guard()
    for route in (ROUTE, "other"):
        for number in range(9):
            made.hear(route, BAD, str(number), 0.0)
    made.forget(ROUTE)
    assert made.hear(ROUTE, BAD, "0", 0.0) is None
    assert made.hear(ROUTE, BAD, "1", 0.0) is not None
    made.keep(frozenset({ROUTE}))
    assert list(made.watched) == [ROUTE]


def cls(name: Class) -> Verdict:
    return Verdict(name)


CASES: list[tuple[str, Verdict, float, dict[Kind, bool]]] = [
    ("shadow_read", cls("equal"), 0.0, {Kind.COMPARED: False, Kind.FAILED: False}),
    ("shadow_read", cls("expected"), 9.0, {Kind.COMPARED: False, Kind.FAILED: False}),
    ("shadow_read", cls("unexpected"), 9.0, {Kind.COMPARED: True, Kind.FAILED: False}),
    ("shadow_read", cls("noise"), 0.0, {Kind.FAILED: False}),
    ("shadow_read", cls("race"), 0.0, {Kind.FAILED: False}),
    ("shadow_read", failed("timeout"), 0.0, {Kind.FAILED: True}),
    ("shadow_read", failed("rate_limited"), 0.0, {}),
    ("shadow_read", failed("compare_error"), 0.0, {}),
    ("shadow_read", skipped("rate"), 0.0, {}),
    ("reverse_shadow", cls("unexpected"), 0.1, {Kind.COMPARED: True}),
    ("reverse_shadow", failed("unreachable"), 0.1, {}),
    ("read_back", cls("equal"), 0.0, {Kind.COMPARED: False}),
    ("translate_only", cls("unexpected"), 0.0, {Kind.CONTRACT: True}),
    ("contract", cls("equal"), 5.1, {Kind.CONTRACT: False, Kind.FAILED: False, Kind.SLOW: True}),
    ("contract", cls("unexpected"), 5.0, {Kind.CONTRACT: True, Kind.FAILED: False, Kind.SLOW: False}),
    ("contract", failed("v2_1_failed"), 0.2, {Kind.FAILED: True, Kind.SLOW: False}),
    ("contract", skipped("dropped"), 7.0, {Kind.SLOW: True}),
]


@pytest.mark.parametrize(("kind", "verdict", "seconds", "expected"), CASES)
def test_what_a_comparison_says(
    kind: str, verdict: Verdict, seconds: float, expected: dict[Kind, bool]
) -> None:
    assert events(observation(kind, seconds=seconds), verdict, 5.0) == expected


def test_the_picture_is_what_the_guard_does() -> None:
    assert PLACE.read_text("ascii") == drawn(), "run: python -m tests.cutover.picture"
