"""The contract check: what v2.1 said, translated, held against what v2 promises."""

from __future__ import annotations

import pytest

from proxy.evidence.classify import classify
from proxy.evidence.contract import contract_differences
from proxy.evidence.difference import Difference
from proxy.evidence.groups import group_ids
from proxy.evidence.observation import Observation
from proxy.mapping.nodes import Firing
from proxy.types import Answer
from tests.evidence.answers import MAPPING, hashed, played, table

ONE = "orders.get/documented-shape"


def checked(name: str, old: str = "", new: str = "", status: int | None = None) -> list[Difference]:
    """Check a golden's answer in which `old` has become `new`."""
    mapping, request, reply = played(name)
    body = reply.answer.body
    assert old.encode() in body
    answer = Answer(
        status or reply.answer.status, reply.answer.headers, body.replace(old.encode(), new.encode(), 1)
    )
    seen = Observation(
        "contract", request.endpoint, "canary", "c", "r", "i", answer, reply.trace, reply.untranslated
    )
    return contract_differences(seen, mapping, hashed)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("", "", []),
        ('"price":', '"prize":', [("/price", "missing", "number", None), ("", "extra", None, "number")]),
        ('"price":50', '"price":"50"', [("/price", "type", "number", "string")]),
        ('"currencyCode":"EUR"', '"currencyCode":null', [("/currencyCode", "type", "string", "null")]),
        ('"status":"PURCHASED"', '"status":"BOUGHT"', [("/status", "enum", "string", "string")]),
        ("{", "[", [("", "type", "object", None)]),
    ],
)
def test_a_breach_of_the_contract_is_named(
    old: str, new: str, found: list[tuple[str, str, str | None, str | None]]
) -> None:
    name = "orders.create/documented-sample" if "PURCHASED" in old else ONE
    unknown = f"/{{unknown:{hashed('prize')}}}"
    expected = [Difference(one[0] or (unknown if one[1] == "extra" else ""), *one[1:]) for one in found]  # type: ignore[arg-type]  # plain texts
    differences = checked(name, old, new)
    assert differences == expected
    assert classify(differences, (None, 200)).cls == ("unexpected" if found else "equal")


def test_a_status_that_v2_does_not_promise() -> None:
    assert checked(ONE, status=418) == [Difference("", "status", None, 418)]


def test_a_status_that_the_mapping_lets_through_is_none_of_these() -> None:
    assert checked("orders.create/conflict") == []


OPEN = {
    "orders.delete/forwarded": [("", "status")],
    "orders.delete/upstream-404": [("", "status")],
    "orders.get/upstream-403-empty": [("", "status")],
    "orders.list/upstream-502-html": [("", "status")],
}
"""What the goldens show a caller although v2's contract does not have it; unknown members go without saying."""


@pytest.mark.parametrize("name", [one for one in table() if "code" not in table()[one].content["answer"]])
def test_the_goldens_give_callers_what_v2_promises(name: str) -> None:
    found = [one for one in checked(name) if one.unexpected and "/{unknown:" not in one.pointer]
    assert [(one.pointer, one.kind) for one in found] == OPEN.get(name, [])


def test_a_told_loss_is_expected_under_its_rule_and_a_quiet_one_is_not_told() -> None:
    assert checked("orders.get/new-status-searched") == [
        Difference("/status", "value", "string", "string", "values.status.searched")
    ]
    _, _, reply = played("orders.get/new-status-searched")
    assert any(MAPPING.losses[one.rule].quiet for one in reply.trace if one.rule in MAPPING.losses)


ITEM = "items.get/bag"


@pytest.mark.parametrize(
    ("name", "old", "new", "pointer", "accepted"),
    [
        (ITEM, '"type":"BAG"', '"type":"Upgrade"', "/type", "accepted.item-words"),
        (ITEM, '"status":"CONFIRMED"', '"status":"Accepted"', "/status", "accepted.item-words"),
        (ITEM, '"referenceId":"R-1",', "", "/referenceId", "accepted.item-ids"),
        ("orders.get/new-status-passed", "", "", "/status", "accepted.new-statuses-passed"),
        ("orders.get/new-status-passed", "BROWSED", "DREAMT", "/status", None),
        ("orders.get/documented-shape", '"status":"PURCHASED"', '"status":"BROWSED"', "/status", None),
        (ITEM, '"currencyCode":"EUR",', "", "/currencyCode", None),
    ],
)
def test_what_the_mapping_accepts_is_expected_under_its_entry_and_nothing_else_is(
    name: str, old: str, new: str, pointer: str, accepted: str | None
) -> None:
    (found,) = checked(name, old, new)
    assert (found.pointer, found.rule) == (pointer, accepted)
    assert classify([found], (None, 200)).cls == ("expected" if accepted else "unexpected")


def test_a_member_that_v2_1_gave_and_the_translation_took_is_missed() -> None:
    mapping, request, reply = played(ITEM)
    answer = Answer(200, [], reply.answer.body.replace(b'"referenceId":"R-1",', b""))
    took = [Firing("some.rule", "/referenceId", b'"R-1"', None)]
    seen = Observation("contract", request.endpoint, "canary", "c", "r", "i", answer, took)
    assert contract_differences(seen, mapping, hashed) == [
        Difference("/referenceId", "missing", "string", None)
    ]


@pytest.mark.parametrize(
    ("who", "found"),
    [
        ("orders.children", Difference("", "untranslatable", None, None, "orders.children")),
        ("/contacts/items", Difference("/contacts/items", "untranslatable", None, None)),
        ("body", Difference("", "untranslatable", None, None)),
    ],
)
def test_a_write_that_was_answered_in_v2_1s_own_words_is_unexpected(who: str, found: Difference) -> None:
    mapping, request, reply = played("orders.create/documented-sample")
    seen = Observation("contract", request.endpoint, "live", "c", "r", "i", reply.answer, reply.trace, who)
    differences = contract_differences(seen, mapping, hashed)
    assert differences == [found]
    assert classify(differences, (None, 201)).cls == "unexpected"


def test_groups_depend_on_the_shape_of_a_divergence_only() -> None:
    price = classify([Difference("/price", "value", "number", "number")], (200, 200))
    other = classify([Difference("/price", "type", "number", "string")], (200, 200))
    declared = classify([Difference("/price", "value", "number", "number", "some.rule")], (200, 200))
    ids = group_ids("orders.get", price)
    assert len(ids[0]) == 8
    assert ids[0].startswith("g-")
    assert group_ids("orders.get", price) == ids
    assert group_ids("orders.list", price) != ids != group_ids("orders.get", other)
    assert group_ids("orders.get", declared) == []
