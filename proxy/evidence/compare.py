"""v2's answer against v2.1's, as a caller would have seen them: status, `Location`, and the body as a tree."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import TypeAlias

from msgspec import Raw

from proxy.errors import CrossfadeError
from proxy.evidence.difference import Difference, side
from proxy.evidence.opened import NativeDocument
from proxy.evidence.walk import MemberName, Walk
from proxy.exchange import Reply
from proxy.json import check_document, token_of
from proxy.mapping.api import CompiledMapping
from proxy.mapping.contract import Schema
from proxy.mapping.endpoint import Endpoint
from proxy.mapping.links import Links
from proxy.types import Answer
from proxy.wire.headers import first

Found: TypeAlias = dict[Difference, set[str]]
"""Differences, each with the places where it was found: pointers with the keys of elements, for the memory only."""
Steps: TypeAlias = Generator[None, None, Found]
_BLANKS = b" \t\r\n"


def compare(
    v2: Answer, ours: Reply, endpoint: Endpoint, mapping: CompiledMapping, member_name: MemberName
) -> list[Difference]:
    """Every difference, each once; empty when a caller would not notice any.

    `member_name` gives the keyed hash of a member that the contract does not know. Raises `TooManyNodes`, and
    `Refused` when a member stands twice in one object.
    """
    running = steps(v2, ours, endpoint, mapping, member_name)
    while True:
        try:
            next(running)
        except StopIteration as end:
            return list(end.value)


def steps(
    v2: Answer, ours: Reply, endpoint: Endpoint, mapping: CompiledMapping, member_name: MemberName
) -> Steps:
    """The same as `compare`, with the places, pausing every few values so that its driver can let others run."""
    theirs = ours.answer
    if v2.status != theirs.status:
        return _at_top(Difference("", "status", v2.status, theirs.status))
    found = _location(mapping.links, v2, theirs)
    if v2.body == theirs.body:
        return found
    left = _document(v2.body)
    yield
    right = _document(theirs.body)
    yield
    if left is None or right is None:
        return found | _unreadable(v2.body, theirs.body, left, right)
    native = NativeDocument(read=partial(_document, ours.native.body))
    walk = Walk(endpoint, mapping, ours.trace, member_name, error=v2.status >= 400)
    yield from walk.run(_schema(endpoint, v2.status), left, right, native)
    return found | walk.found


def _location(links: Links, v2: Answer, theirs: Answer) -> Found:
    """Links are the same when they lead to the same record (F§6.17)."""
    left, right = first(v2.headers, b"location"), first(theirs.headers, b"location")
    if left == right:
        return {}
    if left is not None and right is not None:
        paths = [links.path_of(bytes(token_of(one.decode("latin-1")))) for one in (left, right)]
        if paths[0] is not None and paths[0] == paths[1]:
            return {}
    kinds = [None if one is None else "string" for one in (left, right)]
    return {Difference("Location", "header", kinds[0], kinds[1]): {"Location"}}


def _unreadable(v2: bytes, ours: bytes, left: Raw | None, right: Raw | None) -> Found:
    """Bodies of which at least one is no JSON have no places: only what they are can be compared."""
    if not v2.strip(_BLANKS):
        return {} if not ours.strip(_BLANKS) else _at_top(Difference("", "extra", None, side(right)))
    if not ours.strip(_BLANKS):
        return _at_top(Difference("", "missing", side(left), None))
    return _at_top(Difference("", "value" if left is right else "type", side(left), side(right)))


def _at_top(difference: Difference) -> Found:
    return {difference: {""}}


def _document(body: bytes) -> Raw | None:
    try:
        check_document(body)
    except CrossfadeError:
        return None
    return Raw(body.strip(_BLANKS))


def _schema(endpoint: Endpoint, status: int) -> Schema:
    """What v2 promises for this status; for an error that it does not list, what it promises for another error."""
    promised = endpoint.schemas.get(status)
    if promised is None and status >= 400:
        promised = next((one for other, one in endpoint.schemas.items() if other >= 400), None)
    return promised or Schema()
