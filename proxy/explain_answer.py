"""The way back of an exchange, explained: v2.1's answers, put together and said in v2's words, or an error in v2's shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from proxy.errors import Refused
from proxy.exchange import Reply
from proxy.json import Kind, check_document, kind, open_object
from proxy.mapping.declared import Catalogue, error_id
from proxy.mapping.endpoint import Join
from proxy.mapping.explain import Act, Value, explained
from proxy.mapping.faults import ErrorShape
from proxy.mapping.nodes import Firing
from proxy.mapping.watch import Placed
from proxy.steps import readable
from proxy.types import Answer


@dataclass(frozen=True)
class WayBack:
    """What turns an answer into v2's words, apart from the plan itself."""

    shape: ErrorShape
    declared: Catalogue
    join: Join | None

    def lines(self, reply: Reply, answers: Sequence[Answer], placed: Sequence[Placed]) -> list[Value]:
        """Every value of the answer's body; `placed` are the firings after the first call."""
        native, made = reply.native.body, reply.answer.body
        given = [readable(one).body for one in answers]
        if reply.answer.status >= 400:
            acts = _error(self.shape, native, made)
            return _numbered(
                explained(_object(native), made, acts, self.declared, forward=False), given, native
            )
        if not _document(native):
            return []
        plain = reply.untranslated or reply.answer.status >= 300
        acts = [] if plain else [one for one in placed if one.firing.before or one.firing.after]
        lines = explained(native, made, acts, self.declared, forward=False)
        if self.join is not None and any(one.firing.rule == self.join.rule for one in acts):
            return _joined(lines, self.join, self.declared, given)
        return _numbered(lines, given, native)


def _numbered(lines: Sequence[Value], given: Sequence[bytes], native: bytes) -> list[Value]:
    """The lines with the number of the answer that they come from."""
    number = next((number for number, body in enumerate(given, 1) if body == native), len(given))
    return [msgspec.structs.replace(one, answer=number) for one in lines]


def _joined(lines: Sequence[Value], join: Join, declared: Catalogue, given: Sequence[bytes]) -> list[Value]:
    """The lines of an answer out of two: under the joined member the place is one in the second."""
    member, last = f"/{join.member}", len(given)
    found: list[Value] = []
    for one in lines:
        if one.source is not None and (one.source + "/").startswith(member + "/"):
            found.append(msgspec.structs.replace(one, source=one.source[len(member) :], answer=last))
        else:
            found.append(msgspec.structs.replace(one, answer=last - 1))
    replaced = open_object(given[-2]).get(join.member)
    if replaced is not None:
        act = Act(declared[join.rule], bytes(replaced), None)
        found.append(Value(None, None, member, bytes(replaced), (act,), last - 1))
    return found


def _error(shape: ErrorShape, native: bytes, made: bytes) -> list[Placed]:
    """What the error template does, as firings: it makes each of its members, and leaves out what it does not show."""
    there = open_object(_object(native) or b"{}")
    answer = open_object(made)
    found: list[Placed] = []
    for one in shape.members:
        before = there.get(one.name)
        texts = [name for name in one.source if name in there and kind(there[name]) is Kind.STRING]
        old = None if before is None else bytes(before)
        firing = Firing(error_id(one), f"/{one.name}", old, bytes(answer[one.name]))
        found.append(Placed(firing, firing.pointer, tuple(texts[:1])))
        for name in one.source:
            if name in there and name not in answer and name not in texts[:1]:
                gone = Firing(error_id(one), f"/{name}", bytes(there[name]), None)
                found.append(Placed(gone, gone.pointer))
    return found


def _object(body: bytes) -> bytes:
    """The body if it is an object that can be read; else nothing: then the template has nothing to take over."""
    try:
        open_object(body)
    except Refused:
        return b""
    return body


def _document(body: bytes) -> bool:
    try:
        check_document(body)
    except Refused:
        return False
    return bool(body)
