"""A member that v2.1 has no place for, refused before anything is sent."""

from __future__ import annotations

import pytest
from msgspec import Raw

from proxy.errors import Fault, Refused
from proxy.mapping.nodes import Trace
from proxy.mapping.operations import Refusing

GUEST = Refusing("/guest", "r.guest", "{member}: no links.", "Name the person otherwise.")


def test_what_does_not_stand_there_is_not_refused() -> None:
    trace: Trace = []
    assert GUEST.apply(None, {}, trace) is None
    assert trace == []


@pytest.mark.parametrize("token", [b'{"href":"http://secret"}', b"null", b"[]", b'"secret"'])
def test_what_stands_there_is_refused_with_its_place_and_not_its_value(token: bytes) -> None:
    with pytest.raises(Refused) as no:
        GUEST.apply(Raw(token), {}, [])
    assert (no.value.fault, no.value.pointer, no.value.rule) == (Fault.UNTRANSLATABLE, "/guest", "r.guest")
    assert "secret" not in no.value.message + no.value.detail + str(no.value)
