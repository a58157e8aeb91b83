"""Parts of a record that v2.1 keeps apart: written once the record stands, read where a record can have one.

A write of the part that fails leaves the record as it is. The answer then says what the record is now, and the reply names
the step that is missing; nothing is taken back and nothing is tried again.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote

from msgspec import Raw
from msgspec.structs import replace

from proxy.errors import Fault, Refused, Untranslatable, UpstreamFailed
from proxy.json import Kind, check_document, kind, open_array, open_object, render, text_of
from proxy.mapping.endpoint import Gather, Part, Split
from proxy.mapping.nodes import Firing, Trace
from proxy.mapping.paths import fill
from proxy.types import Answer, Call
from proxy.wire.headers import edited

_REF = "ref"
_NO_REF = frozenset({"", ".", ".."})
"""What would make another path of a call instead of filling it."""
Calls: TypeAlias = Generator[Call, Answer, Answer]


def cut(split: Split, call: Call, parameters: Mapping[str, bytes], trace: Trace) -> tuple[Call, Owed | None]:
    """The call without the members that live in the part, and what is owed of it (`None`: the record has no such part).

    Raises `Refused` for members that cannot be carried, or not with such a record.
    """
    body = open_object(call.body)
    there = [name for name in split.flat.members if name in body]
    if not _has(split, body):
        if there:
            message = split.message.replace("{member}", there[0])
            detail = f"v2.1 has no place for /{there[0]} in such a record. Leave it out, or have the step's `only` say more."
            raise Refused(Fault.UNTRANSLATABLE, message, detail, pointer=f"/{there[0]}", rule=split.flat.rule)
        return call, None
    pairs = split.flat.pairs(body, split.pairs)
    if not there:
        return call, Owed(split, pairs, parameters)
    trace.extend(Firing(split.flat.rule, f"/{name}", bytes(body[name]), None) for name in there)
    rest = {name: value for name, value in body.items() if name not in there}
    return replace(call, body=render(rest)), Owed(split, pairs, parameters)


@dataclass(frozen=True)
class Owed:
    """What a record that is about to be written still needs: its part as pairs, and the path's parameters."""

    split: Split
    pairs: dict[str, Raw]
    parameters: Mapping[str, bytes]

    def written(self, call: Call, answer: Answer, trace: Trace) -> Generator[Call, Answer, Answer | None]:
        """Write the part of the record that stands; the record with it, or `None` when it could not be written."""
        split = self.split
        try:
            record = open_object(answer.body)
            part = yield from _written(split, self.pairs, call, _held(self.parameters, record))
        except (Refused, KeyError, UpstreamFailed):
            return None
        return None if part is None else _with(split, record, part, answer, trace)


def _written(
    split: Split, pairs: dict[str, Raw], call: Call, held: Mapping[str, bytes]
) -> Generator[Call, Answer, dict[str, Raw] | None]:
    """The pairs of the part as they are now; `None` when it could not be written."""
    method, template, kept = *split.create, dict[str, Raw]()
    if split.read:
        bare = [one for one in call.headers if one[0].lower() != b"content-type"]
        found = yield Call(split.read[0], fill(split.read[1], held), bare)
        if found.status not in {200, 404}:
            return None
        if found.status == 200:
            now = open_object(found.body)
            kept, method, template = split.flat.without(now, split.own), *split.replace
            if {**kept, **pairs} == {name: now[name] for name in now if name not in split.own}:
                return pairs
    if not pairs and not kept and (method, template) == split.create:
        return pairs
    made = yield Call(method, fill(template, held), call.headers, render({**kept, **pairs}))
    return pairs if made.status < 300 else None


def gathered(
    gather: Gather, call: Call, parameters: Mapping[str, bytes], answer: Answer, trace: Trace
) -> Calls:
    """Put the parts of all records in an answer where v2 has them; an error on the way is the answer."""
    try:
        check_document(answer.body)
        members = open_object(answer.body)
        records = [members] if not gather.way else _elements(members, gather.way)
    except Refused as error:
        raise Untranslatable(f"no parts: {error}", pointer=error.pointer, rule=gather.flat.rule) from error
    changed = False
    for record in records:
        held = _held(parameters, record)
        if not _has(gather, record) or _REF not in held:
            continue
        part = yield Call(gather.method, fill(gather.template, held), call.headers)
        if part.status == 404:
            continue
        if part.status != 200:
            return part
        changed = _put(gather, record, part, trace) or changed
    if not changed:
        return answer
    return Answer(answer.status, edited(answer.headers), render(_around(members, gather.way, records)))


def _put(gather: Gather, record: dict[str, Raw], part: Answer, trace: Trace) -> bool:
    try:
        check_document(part.body)
        found = gather.flat.members_of(open_object(part.body))
    except Refused as error:
        raise Untranslatable(f"no part: {error}", pointer=error.pointer, rule=gather.flat.rule) from error
    where = "".join(f"/{name}" for name in gather.way) + ("/*" if gather.way else "")
    trace.extend(Firing(gather.flat.rule, f"{where}/{name}", None, bytes(one)) for name, one in found.items())
    record.update(found)
    return bool(found)


def _with(split: Split, record: dict[str, Raw], part: dict[str, Raw], answer: Answer, trace: Trace) -> Answer:
    found = split.flat.members_of(part)
    if not found:
        return answer
    trace.extend(Firing(split.flat.rule, f"/{name}", None, bytes(one)) for name, one in found.items())
    return Answer(answer.status, edited(answer.headers), render({**record, **found}))


def _held(parameters: Mapping[str, bytes], record: Mapping[str, Raw]) -> dict[str, bytes]:
    """What fills a call about a record: the path's parameters, and the record's own ref."""
    raw = record.get(_REF, Raw(b"null"))
    ref = text_of(raw) if kind(raw) is Kind.STRING else ""
    return {**parameters, _REF: quote(ref, safe="").encode()} if ref not in _NO_REF else dict(parameters)


def _has(part: Part, record: Mapping[str, Raw]) -> bool:
    """Whether such a record can have the part."""
    return all(
        kind(record.get(name, Raw(b"null"))) is Kind.STRING and text_of(record[name]) in words
        for name, words in part.only
    )


def _elements(members: Mapping[str, Raw], way: tuple[str, ...]) -> list[dict[str, Raw]]:
    """The records in a list of the answer; none where there is no list."""
    value = members.get(way[0])
    if value is None or kind(value) is not (Kind.ARRAY if len(way) == 1 else Kind.OBJECT):
        return []
    if len(way) > 1:
        return _elements(open_object(value), way[1:])
    return [open_object(one) for one in open_array(value)]


def _around(members: dict[str, Raw], way: tuple[str, ...], records: list[dict[str, Raw]]) -> dict[str, Raw]:
    """The answer with its list of records replaced."""
    if not way:
        return members
    if len(way) == 1:
        return {**members, way[0]: Raw(render([Raw(render(one)) for one in records]))}
    return {**members, way[0]: Raw(render(_around(open_object(members[way[0]]), way[1:], records)))}
