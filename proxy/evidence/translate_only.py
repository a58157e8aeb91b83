"""A write that v2 has answered, translated without sending anything: whether v2.1 would have taken and kept it.

    translate it                → refused: v2 took what v2.1 cannot be told (`untranslatable`)
    against v2.1's contract     → what v2.1 promises to refuse
    Echo                        → what the caller wrote, stored and read back through v2.1, is what it wrote
    v2's own answer             → v2 took over a record that was there; v2.1 refuses that

It says nothing about v2.1's write path. Pure: no engine comes near it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

from msgspec import Raw
from msgspec.structs import replace

from proxy.errors import Refused, Untranslatable
from proxy.evidence.classify import Verdict, classify, skipped
from proxy.evidence.contract import promised, untranslatable
from proxy.evidence.difference import Difference
from proxy.evidence.walk import MemberName, Walk
from proxy.exchange import Asked, Reply, exchange
from proxy.json import check_document
from proxy.mapping.api import CompiledMapping
from proxy.mapping.nodes import Firing
from proxy.types import Answer, Call

_CONFLICT = 409
_JSON = (b"Content-Type", b"application/json")


def translate_only(
    asked: Asked, v2: Answer, mapping: CompiledMapping, member_name: MemberName, *, met: bool
) -> Generator[None, None, Verdict]:
    """The verdict, with pauses. `met` says that v2's answer shows a record that was there before a create.

    Raises `TooManyNodes`, and `Refused` for a member that stands twice.
    """
    if v2.status >= 500:
        return skipped("v2_failed")
    running = exchange(mapping, asked)
    plans = asked.endpoint.case(asked.pairs)
    try:
        call = next(running)
        if plans.confirm is not None and plans.ahead:
            call = running.send(plans.confirm.answer(asked.parameters))
    except Refused as error:
        return _refused(v2, error)
    if v2.status >= 300:
        return skipped("v2_refused")  # whether v2.1 would refuse it too cannot be known without sending it
    found = list(_breaches(asked, call))
    if met and plans.look_up is None:
        found.append(Difference("", "status", v2.status, _CONFLICT))
    if call.body:
        try:
            found += yield from _echo(asked, call, running, mapping, member_name)
        except Untranslatable as error:
            found.append(untranslatable(error.rule or "", error.pointer))
    running.close()
    return classify(list(dict.fromkeys(found)), (v2.status, None))


def _refused(v2: Answer, error: Refused) -> Verdict:
    if v2.status < 300:
        return classify([untranslatable(error.rule or "", error.pointer)], (v2.status, error.fault.status))
    return classify([], (v2.status, v2.status)) if v2.status == error.fault.status else skipped("v2_refused")


def _breaches(asked: Asked, call: Call) -> Iterator[Difference]:
    """Where the translated body breaks v2.1's contract; members that neither contract knows may break nothing."""
    check = asked.endpoint.native_check
    if check is None or check.fits(call.body):
        return
    spoken = _spoken(asked)
    for one in check.findings(call.body):
        if one.kind == "extra":
            if one.name in spoken:
                pointer = one.pointer.removesuffix("{unknown}") + one.name
                yield Difference(pointer, "extra", one.found, None)
        elif one.kind == "missing":
            yield Difference(one.pointer, "missing", None, promised((one.expected,)))
        else:
            wanted = promised((one.expected.partition(" or ")[0],)) if one.kind == "type" else "string"
            yield Difference(one.pointer, one.kind, one.found if one.kind == "type" else "string", wanted)


def _spoken(asked: Asked) -> frozenset[str]:
    """The names that v2's contract knows at the top of this body."""
    return frozenset(asked.endpoint.check.schema.members) if asked.endpoint.check else frozenset()


def _echo(
    asked: Asked,
    call: Call,
    running: Generator[Call, Answer, Reply],
    mapping: CompiledMapping,
    name: MemberName,
) -> Generator[None, None, list[Difference]]:
    """What a caller would miss of what it wrote, if v2.1 answered with just what it was sent.

    A write that becomes more than one call is held against v2.1's contract alone.
    """
    try:
        running.send(Answer(200, [_JSON], call.body))
    except StopIteration as end:
        reply: Reply = end.value
    else:
        return []
    if reply.untranslated:
        return [untranslatable(reply.untranslated)]
    check = asked.endpoint.check
    if check is None or asked.body == reply.answer.body:
        return []
    check_document(asked.body)
    walk = Walk(asked.endpoint, mapping, (), name, error=False)
    yield from walk.run(check.schema, Raw(asked.body.strip()), Raw(reply.answer.body))
    told = (_explained(one, reply.trace, mapping) for one in walk.found if one.kind != "extra")
    return [one for one in told if one is not None]


def _explained(one: Difference, trace: Sequence[Firing], mapping: CompiledMapping) -> Difference | None:
    """The difference with the rule that took the value away, or the one around it; none where that loses nothing."""
    rule = next(
        (
            firing.rule
            for firing in trace
            if firing.after is None and f"{one.pointer}/".startswith(f"{firing.pointer}/")
        ),
        None,
    )
    if rule is None:
        return replace(one, excuse="")
    claim = mapping.losses.get(rule)
    return None if claim is None or claim.quiet else replace(one, rule=rule)
