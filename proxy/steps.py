"""The declared steps: what an exchange does beyond its first call, as parts of the generator that it is.

`join` reads more and puts it into the answer; `look-up` finds the record that a create ran into and writes to that one;
`confirm` makes sure that a record is the one that the caller names. A step starts only after the call before it was
answered.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TypeVar
from urllib.parse import quote, unquote

from msgspec import Raw

from proxy.errors import Refused, Untranslatable, UpstreamFailed
from proxy.json import check_document, open_array, open_object, render, text_of, token_of
from proxy.mapping.codecs import instant
from proxy.mapping.endpoint import Confirm, Join, LookUp
from proxy.mapping.nodes import Firing, Trace
from proxy.mapping.paths import fill
from proxy.types import Answer, Call
from proxy.wire.coding import Undecodable, decode_body
from proxy.wire.headers import edited, first

MAX_DECODED = 8 * 1024 * 1024
"""Bytes that a compressed answer, which nobody asked for, may grow to where no configuration says how large one may be."""
_JSON = (b"Content-Type", b"application/json")

T = TypeVar("T")


def readable(answer: Answer, most: int = MAX_DECODED) -> Answer:
    """The answer without content coding; the same object when it has none, or one that cannot be read in `most` bytes."""
    if first(answer.headers, b"content-encoding") is None:
        return answer
    try:
        body = decode_body(answer.headers, answer.body, most)
    except Undecodable:
        return answer
    return Answer(answer.status, edited(answer.headers), body)


def uncoded(running: Generator[Call, Answer, T], most: int) -> Generator[Call, Answer, T]:
    """The same calls, with every answer made `readable` before it is handed on."""
    try:
        call = next(running)
        while True:
            try:
                answer = yield call
            except UpstreamFailed as error:
                call = running.throw(error)
            else:
                call = running.send(readable(answer, most))
    except StopIteration as end:
        result: T = end.value
        return result


def confirmed(
    step: Confirm, call: Call, parameters: Mapping[str, bytes], trace: Trace
) -> Generator[Call, Answer, Answer]:
    """The answer to a call about the record that the caller's path names; where v2.1 has another, there is none.

    Raises `Untranslatable` where v2.1 does not say which record it has; nothing was written then.
    """
    if step.read is not None:
        bare = [one for one in call.headers if one[0].lower() != b"content-type"]
        there = yield Call(step.read[0], fill(step.read[1], parameters), bare)
        if there.status >= 300:
            return there
        return _other(step, there, parameters, trace) or (yield call)
    answer = yield call
    return answer if answer.status != 200 else _other(step, answer, parameters, trace) or answer


def _other(step: Confirm, there: Answer, parameters: Mapping[str, bytes], trace: Trace) -> Answer | None:
    """What the caller is told of another record than the one it means."""
    pointer = f"/{step.member}"
    try:
        check_document(there.body)
        name = open_object(there.body)[step.member]
        found = text_of(name)
    except (Refused, KeyError) as error:
        raise Untranslatable(
            "v2.1 does not say which record it has", pointer=pointer, rule=step.rule
        ) from error
    if found == unquote(parameters[step.parameter].decode("latin-1")):
        return None
    trace.append(Firing(step.rule, pointer, bytes(name), None))
    return Answer(step.status, [_JSON], render({"message": token_of(step.message)}))


def joined(
    step: Join, call: Call, parameters: Mapping[str, bytes], answer: Answer, trace: Trace
) -> Generator[Call, Answer, Answer]:
    """Read what belongs into the answer; an error on the way is the answer."""
    more = yield Call(step.method, fill(step.template, parameters), call.headers)
    if more.status != 200:
        return more
    try:
        check_document(more.body)
        members = open_object(answer.body)
    except Refused as error:
        raise Untranslatable(f"no join: {error}", pointer=error.pointer, rule=step.rule) from error
    trace.append(Firing(step.rule, f"/{step.member}", None, more.body))
    members[step.member] = Raw(more.body)
    return Answer(answer.status, edited(answer.headers), render(members))


def looked_up(
    step: LookUp, key: str, call: Call, conflict: Answer, trace: Trace
) -> Generator[Call, Answer, Answer]:
    """Find the record that a create ran into, by its key, and write to it; without a clear find the conflict stands."""
    bare = [one for one in call.headers if one[0].lower() != b"content-type"]
    target = fill(step.template, {step.key: quote(key, safe="").encode()})
    try:
        listing = yield Call(step.method, target, bare)
    except UpstreamFailed:
        return conflict  # the create was answered, and only the search for its cause was not
    found = _nearest(step, key, open_object(call.body), listing) if listing.status == 200 else None
    if found is None:
        return conflict
    trace.append(Firing(step.rule, "", None, None))
    target = fill(step.then_template, {step.ref: quote(found, safe="").encode()})
    written = yield Call(step.then_method, target, call.headers, call.body)
    return Answer(step.status, written.headers, written.body) if written.status < 300 else written


def _nearest(step: LookUp, key: str, sent: Mapping[str, Raw], listing: Answer) -> str | None:
    """The ref of the one listed record with this key whose time is nearest to the one sent, within the step's window.

    Where two are as near, there is no telling which is meant: then none is.
    """
    wanted = instant(bytes(sent.get(step.nearest, b"")))
    if wanted is None:
        return None
    near: list[tuple[float, str]] = []
    try:
        for element in open_array(open_object(listing.body)[step.items]):
            one = open_object(element)
            when = instant(bytes(one.get(step.nearest, b"")))
            if when is not None and text_of(one[step.member]) == key:
                near.append((abs((when - wanted).total_seconds()), text_of(one[step.ref])))
    except (Refused, KeyError):
        return None
    near = sorted(one for one in near if one[0] <= step.within)
    if not near or (len(near) > 1 and near[0][0] == near[1][0]):
        return None
    return near[0][1]
