"""An explanation for people, as a table or as lines, and for programs, as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TextIO

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from proxy.explain import Explanation, Refusal
from proxy.mapping.declared import Declared
from proxy.mapping.explain import Act, Value

_AS_IT_CAME = "as it came"
_UNSHOWN = 2000
"""Characters of one value after which it is cut in the table; the JSON has it whole."""


def as_json(shown: Explanation) -> dict[str, Any]:
    """The whole record; docs/explain.md describes it. Values are JSON texts, so that a number keeps its digits."""
    answer = None
    if shown.answer is not None and shown.native is not None:
        answer = {
            "v2_1_status": shown.native.status,
            "status": shown.answer.status,
            "body": _text(shown.answer.body),
            "untranslated": shown.untranslated,
            "partial": shown.partial,
        }
    return {
        "endpoint": shown.endpoint.id if shown.endpoint else None,
        "case": shown.case,
        "calls": [
            {
                "by": one.by.id,
                "method": one.call.method,
                "target": _text(one.call.target),
                "body": _text(one.call.body),
            }
            for one in shown.calls
        ],
        "request": [_value(one) for one in shown.request],
        "answer": answer,
        "answer_values": [_value(one) for one in shown.back],
        "refusal": msgspec.to_builtins(shown.refusal) if shown.refusal else None,
    }


def translation(shown: Explanation) -> bytes:
    """The translation alone: the answer's body if there is an answer, else the first call's; without a body, its line."""
    if shown.answer is not None:
        return shown.answer.body
    call = shown.calls[0].call
    return call.body or f"{call.method} {_text(call.target)}\n".encode()


def print_explanation(shown: Explanation, out: TextIO, width: int | None = None) -> None:
    """A table on a terminal, one line for each value anywhere else."""
    piped = not out.isatty()
    console = Console(file=out, width=width, highlight=False, soft_wrap=piped)
    for title, values in _parts(shown):
        console.print(Text(_printable(title), style="bold"))
        if values and not piped:
            console.print(_table(values), Text("\n".join(_legend(values))))
        else:
            console.print(Text("\n".join(map(_line, values))), end="\n" if values else "")
    if shown.refusal is not None:
        console.print(Text("\n".join(refusal_lines(shown.refusal)), style="bold"))


def refusal_lines(refusal: Refusal) -> list[str]:
    """A refusal: code, place, rule, and the way out."""
    where = f" at {refusal.pointer}" if refusal.pointer else ""
    by = f", rule {refusal.rule}" if refusal.rule else ""
    return [
        f"refused: {refusal.code} ({refusal.status}){where}{by}",
        f"  {_printable(refusal.message)}",
        f"  {_printable(refusal.detail)}",
    ]


def _parts(shown: Explanation) -> Iterator[tuple[str, Sequence[Value]]]:
    """The sections: what is asked of v2.1, further calls, and what the caller gets."""
    if shown.endpoint is not None:
        case = f", case {shown.case}" if shown.case else ""
        yield f"{shown.endpoint.id}{case}: {shown.endpoint.says}", ()
    for number, one in enumerate(shown.calls):
        title = f"call {number + 1} to v2.1: {one.call.method} {_text(one.call.target)}"
        yield (title, shown.request) if number == 0 else (f"{title} ({one.by.id}: {one.by.says})", ())
    if shown.answer is not None and shown.native is not None:
        yield f"answer to the caller: {shown.answer.status} (v2.1 said {shown.native.status})", shown.back
        if shown.untranslated:
            yield f"passed on in v2.1's own words, because of {shown.untranslated}", ()
        if shown.partial:
            yield f"written without what {shown.partial} writes, which failed", ()
    elif shown.calls and shown.refusal is None:
        yield f"no answer to call {len(shown.calls)} was given: add it with --answer to see the way back", ()


def _table(values: Sequence[Value]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name, ratio in (("to", 5), ("from", 5), ("value", 8), ("by", 6)):
        table.add_column(name, ratio=ratio, overflow="fold")
    for one in values:
        style = "yellow" if one.losses else ""
        by = "\n".join(f"{act.declared.id}{_mark(act)}" for act in one.acts)
        table.add_row(
            *(Text(cell, style=style) for cell in (_to(one), _from(one), _change(one), by or _AS_IT_CAME))
        )
    return table


def _legend(values: Sequence[Value]) -> Iterator[str]:
    """What each declaration says, once."""
    for one in dict.fromkeys(act.declared for value in values for act in value.acts):
        yield from _said(one)


def _mark(act: Act) -> str:
    return f"\nLOSS {act.declared.loss}" if act.declared.loss else ""


def _said(one: Declared) -> Iterator[str]:
    yield f"{one.id}: {one.says}"
    if one.loss:
        yield f"LOSS {one.loss}: {one.reason}"


def _line(one: Value) -> str:
    return f"{_to(one)} <- {_from(one)}: {_change(one)} [{'; '.join(_reasons(one.acts)) or _AS_IT_CAME}]"


def _to(one: Value) -> str:
    return "dropped" if one.place is None else _printable(one.place) or "the whole body"


def _from(one: Value) -> str:
    if one.source is None:
        return "made here"
    place = _printable(one.source) or "the whole body"
    return f"{place} of answer {one.answer}" if one.answer > 1 else place


def _change(one: Value) -> str:
    before, after = (
        None if token is None else _printable(_text(token))[:_UNSHOWN] for token in (one.before, one.after)
    )
    if before is None or after is None or before == after:
        return after or before or ""
    return f"{before} → {after}"


def _reasons(acts: Sequence[Act]) -> Iterator[str]:
    for one in acts:
        yield from _said(one.declared)


def _value(one: Value) -> dict[str, Any]:
    return {
        "place": one.place,
        "after": _maybe(one.after),
        "source": one.source,
        "before": _maybe(one.before),
        "answer": one.answer,
        "lossy": bool(one.losses),
        "rules": [
            {
                "id": act.declared.id,
                "says": act.declared.says,
                "grade": act.declared.grade,
                "loss": act.declared.loss,
                "reason": act.declared.reason,
                "before": _maybe(act.before),
                "after": _maybe(act.after),
            }
            for act in one.acts
        ],
    }


def _maybe(token: bytes | None) -> str | None:
    return None if token is None else _text(token)


def _text(token: bytes) -> str:
    return token.decode(errors="replace")


def _printable(text: str) -> str:
    """A text that cannot steer a terminal."""
    return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text)
