from __future__ import annotations

import pytest
from msgspec.json import decode

from proxy.errors import Refused
from proxy.json import walk
from tests.mapping.goldens import Golden, compiled, goldens, replay


def tokens(body: bytes) -> list[tuple[str, bytes]]:
    """Every value with its place and its own bytes, white space around tokens left out."""
    if not body.strip():
        return []
    return [(place, b"" if bytes(raw)[:1] in b"{[" else bytes(raw)) for place, raw in walk(body)]


@pytest.mark.parametrize("golden", goldens(), ids=str)
def test_a_golden_exchange_is_carried_as_it_is_written(golden: Golden) -> None:
    mapping = compiled(golden.content.get("compat"))
    made, end = replay(mapping, golden)
    expected = golden.content.get("upstream", [])
    assert [(one.method, one.target.decode()) for one in made] == [
        (one["method"], one["target"]) for one in expected
    ]
    for call, wanted in zip(made, expected, strict=True):
        assert tokens(call.body) == tokens(wanted.get("body", "").encode())
    answer = golden.content["answer"]
    if isinstance(end, Refused):
        assert end.fault.code == answer["code"], end.detail
        assert end.pointer == answer.get("pointer", end.pointer)
        body = decode(mapping.shape.own(end.fault.status, end.message, end.detail))
        assert answer.get("contains", {}).items() <= body.items()
        assert answer.get("status", end.fault.status) == end.fault.status
    else:
        assert "code" not in answer, "the golden says that this is refused"
        assert end.answer.status == answer["status"]
        assert end.partial == answer.get("partial", "")
        if "body" in answer:
            assert tokens(end.answer.body) == tokens(answer["body"].encode())
        assert answer.get("contains", {}).items() <= decode(end.answer.body or b"{}").items()
