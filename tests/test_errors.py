"""The error tree: codes that callers meet are distinct, and every error of ours has one root."""

from __future__ import annotations

import re

import pytest

from proxy.errors import (
    ConfigError,
    CrossfadeError,
    Fault,
    MappingError,
    Refused,
    Untranslatable,
    UpstreamFailed,
)
from proxy.types import Outcome


def test_every_fault_has_a_code_of_its_own_and_an_error_status() -> None:
    assert len({fault.code for fault in Fault}) == len(Fault)
    for fault in Fault:
        assert re.fullmatch(r"CF-[A-Z]+(-[A-Z]+)*", fault.code)
        assert 400 <= fault.status <= 599


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_failed_call_keeps_what_is_known_of_its_fate(outcome: Outcome) -> None:
    error = UpstreamFailed(outcome, Fault.BROKEN, "The connection broke.")
    assert (error.outcome, error.fault, error.detail) == (outcome, Fault.BROKEN, "The connection broke.")
    assert str(error) == "The connection broke."


def test_a_refusal_without_a_detail_explains_itself_by_its_message() -> None:
    bare = Refused(Fault.FIELD, "price: may not be null.")
    assert (bare.detail, bare.pointer, bare.rule) == ("price: may not be null.", "", None)
    full = Refused(Fault.FIELD, "price: may not be null.", "Send it.", pointer="/price", rule="r")
    assert (str(full), full.detail, full.pointer, full.rule) == (full.message, "Send it.", "/price", "r")


def test_one_root_catches_all() -> None:
    for kind in (ConfigError, MappingError, Refused, Untranslatable, UpstreamFailed):
        assert issubclass(kind, CrossfadeError)
