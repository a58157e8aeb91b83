from __future__ import annotations

import pytest
from msgspec import Raw

from proxy.errors import Refused
from proxy.mapping.moves import Move


@pytest.mark.parametrize("there", [b'"text"', b"null", b'{"by":1}'])
def test_a_name_that_is_taken_is_refused_with_its_rule(there: bytes) -> None:
    move = Move(("agent",), ("handled", "by"), "/agent", "made.up", None)
    members = {"agent": Raw(b'"bob"'), "handled": Raw(there)}
    with pytest.raises(Refused) as caught:
        move.apply(members, dict(members), [])
    assert (caught.value.rule, caught.value.pointer) == ("made.up", "/agent")


def test_an_object_with_room_takes_it_in() -> None:
    move = Move(("agent",), ("handled", "by"), "/agent", "made.up", None)
    members = {"agent": Raw(b'"bob"'), "handled": Raw(b'{"at":1}')}
    assert bytes(move.apply(members, dict(members), [])["handled"]) == b'{"at":1,"by":"bob"}'
