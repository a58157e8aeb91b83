"""The way back of an exchange, explained: v2.1's answers, put together and said in v2's words, or an error in v2's shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from proxy.errors import Refused
from proxy.exchange import Reply
from proxy.json import Kind, check_document, kind, open_object, walk
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
    part: str
    """The step that puts parts into records; empty where there is none."""

    def lines(self, reply: Reply, answers: Sequence[Answer], placed: Sequence[Placed]) -> list[Value]:
        """Every value of the answer's body; `placed` are the firings after the first call."""
        native, made = reply.native.body, reply.answer.body
        given = [readable(one).body for one in answers]
        if reply.answer.status >= 400:
            acts = _error(self.shape, native, made)
            lines = explained(_object(native), made, acts, self.declared, forward=False)
            if native not in given:
                return self._said_by_a_step(lines, placed)
            return _numbered(lines, given, native, len(given))
        if not _document(native):
            return []
        plain = reply.untranslated or reply.answer.status >= 300
        acts = [] if plain else [one for one in placed if one.firing.before or one.firing.after]
        lines = explained(native, made, acts, self.declared, forward=False)
        if self.join is not None and any(one.firing.rule == self.join.rule for one in acts):
            lines = _joined(lines, self.join, self.declared, given)
        else:
            lines = _numbered(lines, given, native, 1)
        return self._parted(lines, given) if self.part and native not in given else lines

    def _said_by_a_step(self, lines: Sequence[Value], placed: Sequence[Placed]) -> list[Value]:
        """The lines of an error that no answer of v2.1 holds: the step that found nothing is behind each."""
        steps = tuple(
            Act(self.declared[one.firing.rule], one.firing.before, one.firing.after) for one in placed
        )
        return [
            msgspec.structs.replace(one, source=None, before=None, acts=(*steps, *one.acts)) for one in lines
        ]

    def _parted(self, lines: Sequence[Value], given: Sequence[bytes]) -> list[Value]:
        """The lines, with those made by the step that was at work where no answer has the place: they were pairs."""
        there = [set(), *({place for place, _ in walk(body)} if _document(body) else set() for body in given)]
        return [
            one if one.source is None or one.source in there[one.answer] else self._from_pairs(one)
            for one in lines
        ]

    def _from_pairs(self, line: Value) -> Value:
        acts = line.acts
        if not any(one.declared.id == self.part for one in acts):
            acts = (Act(self.declared[self.part], None, line.before), *acts)
        return msgspec.structs.replace(line, source=None, before=None, acts=acts)


def _numbered(lines: Sequence[Value], given: Sequence[bytes], native: bytes, otherwise: int) -> list[Value]:
    """The lines with the number of the answer that they come from; `otherwise` where it was made out of several."""
    number = next((at for at in range(len(given), 0, -1) if given[at - 1] == native), otherwise)
    return [msgspec.structs.replace(one, answer=number) for one in lines]


def _joined(lines: Sequence[Value], join: Join, declared: Catalogue, given: Sequence[bytes]) -> list[Value]:
    """The lines of an answer out of two, and of parts after them: under the joined member the place is in the second."""
    member = f"/{join.member}"
    found: list[Value] = []
    for one in lines:
        if one.source is not None and (one.source + "/").startswith(member + "/"):
            found.append(msgspec.structs.replace(one, source=one.source[len(member) :], answer=2))
        else:
            found.append(msgspec.structs.replace(one, answer=1))
    replaced = open_object(given[0]).get(join.member)
    if replaced is not None:
        act = Act(declared[join.rule], bytes(replaced), None)
        found.append(Value(None, None, member, bytes(replaced), (act,), 1))
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
