"""Error bodies: v2's shape whatever v2.1 or we ourselves have to say."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.json import decode

from tests.mapping.goldens import compiled

SHAPE = compiled().shape
LINK = "https://support.sitecore.com"


def test_our_own_error_has_all_members_in_v2s_order() -> None:
    body = SHAPE.own(400, "price: may not be null.", 'CF-FIELD "why" é')
    assert list(decode(body).items()) == [
        ("status", 400),
        ("code", 400),
        ("message", "price: may not be null."),
        ("developerMessage", 'CF-FIELD "why" é'),
        ("moreInfo", LINK),
        ("moreInfoUrl", LINK),
    ]


@pytest.mark.parametrize(
    ("switch", "names"),
    [("both", {"moreInfo", "moreInfoUrl"}), ("moreInfo", {"moreInfo"}), ("moreInfoUrl", {"moreInfoUrl"})],
)
@pytest.mark.parametrize("member", ["moreInfo", "moreInfoUrl"])
def test_the_link_stands_under_the_names_that_are_asked_for(
    switch: str, names: set[str], member: str
) -> None:
    shape = compiled({"error_link": switch}).shape
    native = b'{"status":404,"%s":"https://help.example"}' % member.encode()
    for body in (shape.own(404, "a", "b"), shape.translated(404, native)):
        assert {name for name in decode(body) if name.startswith("moreInfo")} == names
    found = decode(shape.translated(404, native))
    assert {found[name] for name in names} == {"https://help.example"}


def test_status_and_code_are_integers_whatever_the_platform_writes() -> None:
    native = b'{"status":"UNAUTHORIZED","code":"E-17","message":"no","developerMessage":"why"}'
    body = decode(SHAPE.translated(401, native))
    assert (body["status"], body["code"]) == (401, 401)
    assert (body["message"], body["developerMessage"]) == ("no", "why")


def test_members_that_v2_does_not_know_stay_token_for_token_behind_the_known_ones() -> None:
    native = b'{"traceId":"t","amount":1.50,"message":"no","deep":{"b":1,"a":[1.0]}}'
    body = SHAPE.translated(409, native)
    assert body.endswith(b'"traceId":"t","amount":1.50,"deep":{"b":1,"a":[1.0]}}')
    assert b'"amount":1.50' in body


@pytest.mark.parametrize(
    ("native", "expected"),
    [
        (
            b"{}",
            {"message": "The platform gave no reason.", "developerMessage": "The platform gave no reason."},
        ),
        (b'{"message":"short"}', {"message": "short", "developerMessage": "short"}),
        (b'{"message":null,"developerMessage":5}', {"message": "The platform gave no reason."}),
        (b'{"message":""}', {"message": ""}),
        (b'{"message":"\\u00e9\\/"}', {"message": "é/"}),
    ],
)
def test_a_text_that_is_missing_is_made_up_for(native: bytes, expected: dict[str, Any]) -> None:
    assert expected.items() <= decode(SHAPE.translated(400, native)).items()


@pytest.mark.parametrize(
    "native",
    [b"", b"<html>secret</html>", b"[]", b'"text"', b"null", b"\xff", b'{"a":1,"a":2}', b'{"message":'],
)
def test_what_is_no_json_object_becomes_a_plain_error_without_its_words(native: bytes) -> None:
    body = decode(SHAPE.translated(503, native))
    assert (body["status"], body["code"]) == (503, 503)
    assert "not JSON" in body["message"]
    assert b"secret" not in SHAPE.translated(503, native)
