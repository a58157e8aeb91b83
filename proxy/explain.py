"""Explaining an exchange: the very generator that traffic drives, its calls answered by hand, every value accounted for.

Offline: nothing is sent, nothing is logged. What is shown is what the operator put in, but for its header section, which
may hold credentials and is not part of the explanation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from proxy.errors import Fault, Refused, Untranslatable
from proxy.exchange import Asked, Exchange, Reply, exchange
from proxy.explain_answer import WayBack
from proxy.mapping.api import CompiledMapping
from proxy.mapping.declared import Catalogue, Declared
from proxy.mapping.endpoint import Endpoint, Plans
from proxy.mapping.explain import Act, Value, explained
from proxy.mapping.paths import fill
from proxy.mapping.query import Pairs
from proxy.mapping.watch import Placed, Watch
from proxy.types import Answer, Call
from proxy.wire.target import parameters, split


class Upstream(msgspec.Struct, frozen=True):
    """One call to v2.1, and the endpoint or step that makes it."""

    by: Declared
    call: Call


class Refusal(msgspec.Struct, frozen=True):
    """Why there is no translation: the code of docs/errors.md, the place, the rule, and the way out."""

    code: str
    status: int
    message: str
    detail: str
    pointer: str
    rule: str | None


class Explanation(msgspec.Struct, frozen=True):
    """One exchange with every value accounted for.

    `request` holds the query and the body of the first call, `back` the body of the answer, which is there when every call
    had an answer. With fewer answers than calls the last of `calls` is the one that waits. `untranslated` names why a write
    was answered in v2.1's own words, `partial` the step without which one was answered. `endpoint` is `None` when the
    request was refused before one was found.
    """

    endpoint: Declared | None
    case: str = ""
    calls: tuple[Upstream, ...] = ()
    request: tuple[Value, ...] = ()
    native: Answer | None = None
    answer: Answer | None = None
    back: tuple[Value, ...] = ()
    refusal: Refusal | None = None
    untranslated: str = ""
    partial: str = ""


_End: TypeAlias = Reply | Refused | Untranslatable | None


def explain(
    mapping: CompiledMapping, declared: Catalogue, asked: Asked, answers: Sequence[Answer] = ()
) -> Explanation:
    """Drive the exchange with these answers of v2.1, in the order of its calls, as far as they reach."""
    watch = Watch()
    watched = msgspec.structs.replace(asked, endpoint=watch.over(asked.endpoint))
    calls, marks, end = _driven(exchange(mapping, watched), answers, watch)
    plans = asked.endpoint.case(asked.pairs)
    first = plans.ahead
    made = Explanation(
        endpoint=declared[asked.endpoint.id],
        case=_case(asked.endpoint, plans),
        calls=tuple(
            Upstream(declared[_maker(number, one, plans, asked)], one) for number, one in enumerate(calls)
        ),
        request=tuple(_way_there(asked, calls[first], watch, marks[first], declared))
        if calls[first:]
        else (),
        refusal=refused(end) if isinstance(end, Refused | Untranslatable) else None,
    )
    if not isinstance(end, Reply):
        return made
    part = plans.gather or plans.split
    back = WayBack(mapping.shape, declared, plans.join, part.flat.rule if part else "")
    lines = back.lines(end, answers, watch.placed(marks[0], len(watch.trace)))
    return msgspec.structs.replace(
        made,
        native=end.native,
        answer=end.answer,
        back=tuple(lines),
        untranslated=end.untranslated,
        partial=end.partial,
    )


def refused(error: Refused | Untranslatable) -> Refusal:
    """A refusal as the caller would read it."""
    if isinstance(error, Refused):
        fault = error.fault
        return Refusal(fault.code, fault.status, error.message, error.detail, error.pointer, error.rule)
    fault = Fault.BAD_ANSWER
    detail = (
        "The platform's answer cannot be said in v2's words; look at the place and the rule that are named."
    )
    return Refusal(fault.code, fault.status, str(error), detail, error.pointer, error.rule)


def _driven(running: Exchange, answers: Sequence[Answer], watch: Watch) -> tuple[list[Call], list[int], _End]:
    """The calls, how many firings there were at each, and how it ended (`None`: an answer is still wanted)."""
    calls: list[Call] = []
    marks: list[int] = []
    given = iter(answers)
    try:
        call = next(running)
        while True:
            calls.append(call)
            marks.append(len(watch.trace))
            answer = next(given, None)
            if answer is None:
                running.close()
                return calls, marks, None
            call = running.send(answer)
    except StopIteration as end:
        reply: Reply = end.value
        return calls, marks, reply
    except (Refused, Untranslatable) as error:
        return calls, marks, error


def _case(endpoint: Endpoint, plans: Plans) -> str:
    return next(name for name, one in endpoint.plans.items() if one is plans)


def _maker(number: int, call: Call, plans: Plans, asked: Asked) -> str:
    """The endpoint or the step that a call belongs to."""
    if plans.confirm is not None and number < plans.ahead:
        return plans.confirm.rule
    if number == plans.ahead:
        return asked.endpoint.id
    if plans.join is not None and call.target == fill(plans.join.template, asked.parameters):
        return plans.join.rule
    if plans.look_up is not None:
        return plans.look_up.rule
    part = plans.split or plans.gather
    return part.flat.rule if part is not None else asked.endpoint.id


def _way_there(asked: Asked, call: Call, watch: Watch, mark: int, declared: Catalogue) -> list[Value]:
    pairs = parameters(split(call.target)[1] or b"")
    lines = _query(asked.pairs, pairs, watch.placed(0, watch.queried), declared)
    if asked.endpoint.check is not None:
        lines += explained(asked.body, call.body, watch.placed(watch.queried, mark), declared, forward=True)
    return lines


def _query(before: Pairs, after: Pairs, placed: Sequence[Placed], declared: Catalogue) -> list[Value]:
    """The parameters of a query; a name may stand more than once."""
    acts = {one.place: Act(declared[one.firing.rule], one.firing.before, one.firing.after) for one in placed}
    lines: list[Value] = []
    arrived = {name for name, _ in after}
    came = [pair for pair in before if pair[0] in arrived]
    for (name, old), (_, new) in zip(came, after, strict=True):
        place = f"?{name.decode()}"
        on = (acts[place],) if place in acts else ()
        lines.append(Value(place, new, place, old, on))
    for name, old in before:
        place = f"?{name.decode()}"
        if name not in arrived:
            lines.append(Value(None, None, place, old, (acts[place],) if place in acts else ()))
    return lines
