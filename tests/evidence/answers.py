"""Answers to compare, made from the golden exchanges: what v2.1 said, translated, and what v2 would have said."""

from __future__ import annotations

from functools import cache

from proxy.evidence.compare import compare
from proxy.evidence.difference import Difference
from proxy.exchange import Asked, Reply
from proxy.mapping.api import CompiledMapping
from proxy.types import Answer
from proxy.wire.credentials import member_name
from tests.mapping.goldens import PLATFORM, Golden, asked, compiled, goldens, replay

KEY = b"k" * 32
MAPPING = compiled()
OURS = b"http://localhost:8080/v2/"
THEIRS = PLATFORM.encode() + b"/v2/"


@cache
def table() -> dict[str, Golden]:
    return {str(one): one for one in goldens()}


def hashed(name: str) -> str:
    return member_name(KEY, name)


def played(name: str) -> tuple[CompiledMapping, Asked, Reply]:
    """One golden: the mapping with its switches, what was asked, what came of it."""
    golden = table()[name]
    compat = golden.content.get("compat")
    mapping = compiled(compat) if compat else MAPPING
    _, end = replay(mapping, golden)
    assert isinstance(end, Reply), f"{name} is refused"
    return mapping, asked(mapping, golden.content["request"]), end


def v2_answer(reply: Reply, body: bytes | None = None) -> Answer:
    """What v2 says when both versions agree, or with another body."""
    made = reply.answer
    return Answer(made.status, made.headers, made.body.replace(OURS, THEIRS) if body is None else body)


def differences(name: str, old: str = "", new: str = "") -> list[Difference]:
    """Compare a golden's answer with v2's, in which `old` has become `new`."""
    mapping, request, reply = played(name)
    v2 = v2_answer(reply)
    assert old.encode() in v2.body, f"{old} does not stand in {v2.body.decode()}"
    body = v2.body.replace(old.encode(), new.encode(), 1)
    return compare(v2_answer(reply, body), reply, request.endpoint, mapping, hashed)
