"""A caller has a short stable id that tells nothing about its credential."""

from __future__ import annotations

import base64
import re

import pytest

from proxy.wire.credentials import ANONYMOUS, CallerIds, member_name, record_name, user_of

KEY = b"k" * 32


def basic(text: str) -> bytes:
    return b"Basic " + base64.b64encode(text.encode())


@pytest.mark.parametrize(
    ("authorization", "user"),
    [
        (basic("user:password"), b"user"),
        (basic("user:pass:word"), b"user"),
        (basic("user:"), b"user"),
        (basic("zürich:x"), "zürich".encode()),
        (b"basic " + base64.b64encode(b"user:p"), b"user"),
        (b"BASIC   " + base64.b64encode(b"user:p") + b"  ", b"user"),
        (base64.b64encode(b"user:pw").rstrip(b"=").join([b"Basic ", b""]), b"user"),
        (basic("nocolon"), None),
        (basic(":password"), None),
        (b"Basic", None),
        (b"Basic ", None),
        (b"Basic a", None),
        (b"", None),
        (b"Bearer dXNlcjpw", None),
        (b"Basicdxx dXNlcjpw", None),
    ],
)
def test_the_user_of_a_basic_credential(authorization: bytes, user: bytes | None) -> None:
    assert user_of(authorization) == user


def test_a_new_password_leaves_the_caller_the_same() -> None:
    callers = CallerIds(KEY)
    assert callers.of(basic("anna:old")) == callers.of(basic("anna:new")) == callers.of_user(b"anna")
    assert callers.of(basic("anna:old")) != callers.of(basic("berta:old"))


def test_an_id_is_twelve_hexadecimal_digits_and_the_same_after_a_restart() -> None:
    caller = CallerIds(KEY).of(basic("anna:x"))
    assert re.fullmatch("[0-9a-f]{12}", caller)
    assert CallerIds(KEY).of(basic("anna:y")) == caller


def test_another_key_gives_another_id() -> None:
    assert CallerIds(KEY).of(basic("anna:x")) != CallerIds(b"j" * 32).of(basic("anna:x"))


@pytest.mark.parametrize("authorization", [None, b"", b"Bearer x", b"Basic !", basic(":x")])
def test_who_names_no_user_is_anonymous(authorization: bytes | None) -> None:
    assert CallerIds(KEY).of(authorization) == ANONYMOUS == "anonymous"


def test_many_callers_keep_their_ids_and_need_bounded_memory() -> None:
    callers = CallerIds(KEY)
    ids = [callers.of(basic(f"user{number}:x")) for number in range(3000)]
    assert len(set(ids)) == 3000
    assert [callers.of(basic(f"user{number}:x")) for number in range(3000)] == ids
    assert len(callers._ids) <= 1024


def test_showing_the_ids_shows_nothing() -> None:
    callers = CallerIds(KEY)
    callers.of(basic("anna:s3cret"))
    assert repr(callers) == "CallerIds()"
    assert not hasattr(callers, "__dict__")


def test_the_same_text_has_another_name_for_each_use() -> None:
    names = {record_name(KEY, "anna"), member_name(KEY, "anna"), CallerIds(KEY).of_user(b"anna")}
    assert len(names) == 3
    assert all(re.fullmatch("[0-9a-f]{12}", name) for name in names)
    assert record_name(KEY, "anna") == record_name(KEY, "anna") != record_name(KEY, "Anna")
    assert record_name(b"j" * 32, "anna") != record_name(KEY, "anna")
