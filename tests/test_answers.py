"""Answers of our own, as a caller sees them."""

from __future__ import annotations

import pytest
from msgspec.json import decode

from proxy.answers import for_error, health
from proxy.errors import (
    ConfigError,
    CrossfadeError,
    Fault,
    MappingError,
    Refused,
    Untranslatable,
    UpstreamFailed,
)
from proxy.types import Answer, Outcome
from tests.mapping.goldens import compiled

SHAPE = compiled().shape
ID = "req-0123456789"


def answered(error: CrossfadeError, *, head: bool = False) -> Answer:
    return for_error(SHAPE, error, ID, head=head)


def lines(answer: Answer) -> dict[str, str]:
    return {name.decode().lower(): value.decode() for name, value in answer.headers}


@pytest.mark.parametrize(
    ("error", "status", "code", "outcome"),
    [
        (Refused(Fault.FIELD, "price: may not be null."), 400, "CF-FIELD", "not_sent"),
        (Refused(Fault.OVERLOADED, "Busy."), 503, "CF-OVERLOADED", "not_sent"),
        (UpstreamFailed(Outcome.NOT_SENT, Fault.UNREACHABLE, "No route."), 502, "CF-UNREACHABLE", "not_sent"),
        (UpstreamFailed(Outcome.UNKNOWN, Fault.TIMEOUT, "Too slow."), 504, "CF-TIMEOUT", "unknown"),
        (UpstreamFailed(Outcome.UNKNOWN, Fault.BROKEN, "Broke."), 502, "CF-BROKEN", "unknown"),
        (UpstreamFailed(Outcome.ANSWERED, Fault.BAD_ANSWER, "Odd."), 502, "CF-BAD-ANSWER", "answered"),
        (UpstreamFailed(Outcome.NOT_SENT, Fault.LOOP, "Seen."), 508, "CF-LOOP", "not_sent"),
        (Untranslatable("no array", pointer="/items"), 502, "CF-BAD-ANSWER", "answered"),
        (ConfigError("secret path"), 500, "CF-INTERNAL", "unknown"),
        (MappingError("secret path"), 500, "CF-INTERNAL", "unknown"),
        (CrossfadeError("secret path"), 500, "CF-INTERNAL", "unknown"),
    ],
)
def test_each_kind_of_error_has_its_status_code_and_outcome(
    error: CrossfadeError, status: int, code: str, outcome: str
) -> None:
    answer = answered(error)
    body = decode(answer.body)
    assert (answer.status, body["status"], body["code"]) == (status, status, status)
    assert lines(answer)["x-crossfade-code"] == code
    assert lines(answer)["x-crossfade-outcome"] == outcome
    assert lines(answer)["content-type"] == "application/json"
    assert lines(answer)["content-length"] == str(len(answer.body))
    assert body["developerMessage"].startswith(code + " ")
    assert ID in body["developerMessage"]
    assert body["message"].endswith(".")
    assert "secret" not in answer.body.decode()


def test_a_refusal_speaks_in_v2s_manner_and_names_its_rule() -> None:
    error = Refused(Fault.QUERY, "guest: is not supported.", "No home for it.", rule="r.guest")
    body = decode(answered(error).body)
    assert body["message"] == "guest: is not supported."
    assert body["developerMessage"] == f"CF-QUERY No home for it. (rule r.guest, request {ID})"


def test_a_refusal_names_its_place_once() -> None:
    told = Refused(Fault.FIELD, "price: no.", "By the contract, /price is a number.", pointer="/price")
    untold = Refused(Fault.FIELD, "price: no.", "Send a number.", pointer="/price")
    for error in (told, untold):
        assert decode(answered(error).body)["developerMessage"].count("/price") == 1


def test_a_failure_without_words_of_its_own_still_says_something() -> None:
    body = decode(answered(UpstreamFailed(Outcome.NOT_SENT, Fault.LOOP, "Seen.")).body)
    assert body["message"] == "The platform did not answer."


def test_only_overload_says_when_to_come_back() -> None:
    for fault in Fault:
        answer = answered(Refused(fault, "No."))
        assert ("retry-after" in lines(answer)) is (fault is Fault.OVERLOADED)
    assert lines(answered(Refused(Fault.OVERLOADED, "No.")))["retry-after"] == "1"


def test_an_answer_to_head_has_the_length_but_not_the_body() -> None:
    error = Refused(Fault.NOT_FOUND, "Not found.")
    head, full = answered(error, head=True), answered(error)
    assert head.body == b""
    assert (head.status, head.headers) == (full.status, full.headers)


@pytest.mark.parametrize(
    ("name", "draining", "status", "said"),
    [
        (b"livez", False, 200, "ok"),
        (b"livez", True, 200, "ok"),
        (b"readyz", False, 200, "ready"),
        (b"readyz", True, 503, "draining"),
    ],
)
def test_a_load_balancer_learns_whether_to_send_more(
    name: bytes, draining: bool, status: int, said: str
) -> None:
    answer = health(name, draining=draining)
    assert (answer.status, decode(answer.body)) == (status, {"status": said})
    assert lines(answer)["content-length"] == str(len(answer.body))


def test_other_pages_of_ours_do_not_exist() -> None:
    with pytest.raises(Refused) as caught:
        health(b"healthz", draining=False)
    assert caught.value.fault is Fault.NOT_FOUND
