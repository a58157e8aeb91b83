"""One v2 call as v2.1 calls and back: the whole exchange, without a socket, a clock or a configuration file.

`exchange` is a generator. It yields each call that has to be made upstream, is sent the answer, and returns what the caller
gets. Whoever drives it decides how calls are made: traffic sends them, tests and explain answer them by hand. It asks for
a further call only after the one before it was answered, so a step can never follow something whose outcome is unknown.

What cannot be translated is refused before the first call. What comes back untranslatable after a write is passed as it
is and marked, because an answer that looks like a failure would invite the caller to write again.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import TypeAlias
from urllib.parse import unquote

import msgspec
from msgspec import Raw

from proxy.errors import Fault, Refused, Untranslatable
from proxy.json import Kind, check_document, check_text, kind, one_member, open_object, text_of
from proxy.mapping.api import CompiledMapping
from proxy.mapping.check import Checker, Finding
from proxy.mapping.endpoint import Endpoint, Frozen, Plans
from proxy.mapping.nodes import Firing, Trace
from proxy.mapping.paths import fill
from proxy.mapping.query import Pairs
from proxy.parts import cut, gathered
from proxy.steps import MAX_DECODED, confirmed, joined, looked_up, uncoded
from proxy.types import Answer, Call, Headers
from proxy.wire.headers import edited
from proxy.wire.target import decoded, join


class Asked(msgspec.Struct, frozen=True, gc=False):
    """A caller's request that the mapping covers: matched, its header section ready for a translated call."""

    endpoint: Endpoint
    parameters: dict[str, bytes]
    pairs: Pairs
    headers: Headers
    body: bytes


class Reply(msgspec.Struct, frozen=True, gc=False):
    """What the caller gets, what v2.1 had said, and every rule that acted in between.

    `untranslated` names why a successful write was answered in v2.1's own words; empty otherwise. `partial` names the step
    that did not come about after the write before it had succeeded.
    """

    answer: Answer
    native: Answer
    trace: Trace
    untranslated: str = ""
    partial: str = ""


_LINKS = frozenset({b"location", b"content-location"})
"""Header fields whose value is a link."""

Exchange: TypeAlias = Generator[Call, Answer, Reply]


def exchange(mapping: CompiledMapping, asked: Asked, most: int = MAX_DECODED) -> Exchange:
    """Answer a v2 call by v2.1, whose compressed answers are read where they are at most so many bytes.

    Raises `Refused` before anything is yielded, and `Untranslatable` when the answer to a read cannot be said in v2.
    """
    return uncoded(_exchange(mapping, asked), most)


def _exchange(mapping: CompiledMapping, asked: Asked) -> Exchange:
    endpoint = asked.endpoint
    if endpoint.refusal is not None:
        no = endpoint.refusal
        raise Refused(no.fault, no.message, no.detail, rule=no.rule)
    trace: Trace = []
    plans = endpoint.case(asked.pairs)
    call = _first_call(asked, plans, trace)
    partial, owed = "", None
    if plans.split is not None:
        call, owed = cut(plans.split, call, asked.parameters, trace)
    if plans.confirm is None:
        answer = yield call
    else:
        answer = yield from confirmed(plans.confirm, call, asked.parameters, trace)
    if plans.look_up is not None and answer.status == plans.look_up.after:
        key = record_key(endpoint, {}, [], call.body)
        answer = yield from looked_up(plans.look_up, key, call, answer, trace)
    if plans.join is not None and answer.status == 200:
        answer = yield from joined(plans.join, call, asked.parameters, answer, trace)
    if plans.gather is not None and answer.status == 200:
        answer = yield from gathered(plans.gather, call, asked.parameters, answer, trace)
    if owed is not None and answer.status < 300:
        whole = yield from owed.written(call, answer, trace)
        answer, partial = (answer, owed.split.flat.rule) if whole is None else (whole, "")
    if plans.frozen and answer.status < 300:
        _note_frozen(plans.frozen, call.body, answer.body, trace)
    reply = _reply(mapping, endpoint, plans, answer, trace)
    return msgspec.structs.replace(reply, partial=partial) if partial else reply


def record_key(endpoint: Endpoint, parameters: Mapping[str, bytes], pairs: Pairs, body: bytes) -> str:
    """The name of the record that a call is about: from the path (its parent, where that stands there), the query, the body.

    Empty when it has none.
    """
    record = endpoint.record
    for parameter in (record.parent, record.path):
        if parameter in parameters:
            return unquote(parameters[parameter].decode("latin-1"))
    for name, value in pairs:
        if record.query and name == record.query.encode():
            return decoded(value or b"")
    try:
        raw = one_member(body, record.body) if body and record.body else None
        return text_of(raw) if raw is not None and kind(raw) is Kind.STRING else ""
    except Refused:
        return ""


def _first_call(asked: Asked, plans: Plans, trace: Trace) -> Call:
    endpoint = asked.endpoint
    pairs = plans.query.apply(asked.pairs, trace)
    target = fill(endpoint.v2_1_path, asked.parameters)
    if pairs:
        target += b"?" + join(pairs)
    if endpoint.check is None:
        return Call(endpoint.v2_1_method, target, asked.headers)
    return Call(endpoint.v2_1_method, target, asked.headers, _body(asked, plans, endpoint.check, trace))


def _body(asked: Asked, plans: Plans, check: Checker, trace: Trace) -> bytes:
    body = asked.body
    if check.fits(body):
        check_text(body)
    else:
        check_document(body)
        findings = check.findings(body)
        if findings:
            raise _breach(findings)
    if plans.request is None:
        return body
    whole = Raw(body)
    made = plans.request.apply(whole, {}, trace)
    return body if made is whole or made is None else bytes(made)


def _breach(findings: list[Finding]) -> Refused:
    worst = findings[0]
    name = worst.pointer.rpartition("/")[2] or "body"
    detail = "; ".join(f"{one.pointer or 'the body'} {_wants(one)}" for one in findings)
    whole = f"By the v2 contract, {detail}. Send that."
    return Refused(Fault.FIELD, f"{name}: {_wants(worst)}.", whole, pointer=worst.pointer)


def _wants(finding: Finding) -> str:
    match finding.kind:
        case "missing":
            return "may not be null"
        case "enum":
            return f"must be {finding.expected}"
        case _:
            article = "an" if finding.expected[:1] in "aeio" else "a"
            return f"must be {article} {finding.expected}"


def _note_frozen(frozen: Sequence[Frozen], sent: bytes, answer: bytes, trace: Trace) -> None:
    """Note each member that v2.1 kept as it was although the caller sent another value."""
    try:
        asked, kept = open_object(sent), open_object(answer)
    except Refused:
        return
    for one in frozen:
        before, after = asked.get(one.member), kept.get(one.member)
        if before is not None and after is not None and not one.same(bytes(before), bytes(after)):
            trace.append(Firing(one.rule, f"/{one.member}", bytes(before), bytes(after)))


def _reply(mapping: CompiledMapping, endpoint: Endpoint, plans: Plans, native: Answer, trace: Trace) -> Reply:
    status = endpoint.status.get(native.status, native.status)
    headers = _relocated(mapping, native.headers)
    if status >= 400:
        body = mapping.shape.translated(status, native.body)
        return Reply(Answer(status, _as_json(edited(headers)), body), native, trace)
    if not native.body or status >= 300:
        return Reply(Answer(status, headers, native.body), native, trace)
    try:
        body = _translated(plans, native.body, trace)
    except (Refused, Untranslatable) as error:
        if not endpoint.is_write:
            raise Untranslatable(str(error), pointer=error.pointer, rule=error.rule) from error
        why = error.rule or error.pointer or "body"
        return Reply(Answer(status, headers, native.body), native, trace, why)
    return Reply(Answer(status, headers if body is native.body else edited(headers), body), native, trace)


def _translated(plans: Plans, body: bytes, trace: Trace) -> bytes:
    if plans.answer is None or not body.startswith(b"{") or not body.isascii():
        check_document(body)  # else opening the object checks it all
    if plans.answer is None:
        return body
    whole = Raw(body)
    if not body.startswith(b"{") and kind(whole) is not Kind.OBJECT:
        raise Untranslatable("an object was expected")
    made = plans.answer.apply(whole, {}, trace)
    return body if made is whole or made is None else bytes(made)


def _relocated(mapping: CompiledMapping, headers: Headers) -> Headers:
    """Links in header fields are turned as those in bodies are."""
    if _LINKS.isdisjoint([name.lower() for name, _ in headers]):
        return headers
    return [
        (name, mapping.links.text_back(value.decode("latin-1")).encode("latin-1"))
        if name.lower() in _LINKS
        else (name, value)
        for name, value in headers
    ]


def _as_json(headers: Headers) -> Headers:
    others = [one for one in headers if one[0].lower() != b"content-type"]
    return [*others, (b"Content-Type", b"application/json")]
