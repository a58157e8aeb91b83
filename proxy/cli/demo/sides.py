"""Both sides of an example next to each other: what the caller saw, and what the platform saw."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from http import HTTPStatus
from itertools import zip_longest
from typing import TypeAlias

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from proxy.types import Answer, Call, Headers

Exchange: TypeAlias = tuple[Call, Answer]
Row: TypeAlias = tuple[str, str, bool]
"""A line of the left, a line of the right, and whether they are alike."""

_SHOWN = frozenset(
    {
        "accept",
        "authorization",
        "content-type",
        "location",
        "retry-after",
        "via",
        "x-crossfade-code",
        "x-crossfade-untranslated",
    }
)
_CREDENTIAL = "authorization"
_TIED = "\N{NO-BREAK SPACE}"
_MARK, _PLAIN = "• ", "  "


@dataclass(frozen=True)
class Example:
    """One example that was run: `seen` is what the platform got for it, in order."""

    title: str
    stage: str
    caller: Exchange
    seen: Sequence[Exchange]


def show(console: Console, example: Example, names: Mapping[str, str]) -> None:
    """Print one example; what differs is marked. `names` has short names for addresses."""
    title = Text.assemble((example.title, "bold"), "   stage ", (example.stage, "bold cyan"))
    table = Table(
        title=title, title_justify="left", title_style="", box=box.SIMPLE_HEAD, expand=True, padding=(0, 1)
    )
    table.add_column("caller ⇄ crossfade", ratio=1, overflow="fold")
    table.add_column("crossfade ⇄ platform", ratio=1, overflow="fold")
    left = _lines(example.caller, names)
    sides = [_lines(exchange, names) for exchange in example.seen]
    for number, right in enumerate(sides):
        if number:
            table.add_row("", Text(_says(example), style="italic dim"))
        for mine, other in zip(([], []) if number else left, right, strict=True):
            for one, two, alike in _aligned(mine, other):
                table.add_row(_cell(one, alike=alike), _cell(two, alike=alike or number > 0))
            table.add_row("", "")
    if not sides:
        table.add_row(Text("\n".join([*left[0], "", *left[1]])), Text("nothing was sent", style="italic dim"))
    console.print(table)


def _says(example: Example) -> str:
    if example.stage == "shadow":
        return "Then v2.1 is asked the same."
    return "One answer takes one more call."


def _aligned(left: list[str], right: list[str]) -> Iterator[Row]:
    """Lines that are alike stand in one row; where both sides have others, these stand next to each other."""
    for kind, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        for one, two in zip_longest(left[a:b], right[c:d], fillvalue=""):
            yield one, two, kind == "equal"


def _cell(line: str, *, alike: bool) -> Text:
    if not line:
        return Text("")
    head = line.startswith(("→", "←"))
    style = "yellow" if not alike else "bold" if head else ""
    return Text((_PLAIN if alike else _MARK) + line, style=style)


def _lines(exchange: Exchange, names: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """An exchange as a person reads it: request and answer, a line each for head, headers that matter, members."""
    call, answer = exchange
    phrase = HTTPStatus(answer.status).phrase if answer.status in set(HTTPStatus) else ""
    sent = [f"→ {call.method} {call.target.decode('latin-1')}", *_headers(call.headers), *_body(call.body)]
    came = [f"← {answer.status} {phrase}".rstrip(), *_headers(answer.headers), *_body(_plain(answer))]
    return [_named(line, names) for line in sent], [_named(line, names) for line in came]


def _named(line: str, names: Mapping[str, str]) -> str:
    for address, name in names.items():
        line = line.replace(address, name)
    return line


def _headers(headers: Headers) -> list[str]:
    shown = []
    for name, value in headers:
        low = name.decode("latin-1").lower()
        if low in _SHOWN:
            text = "(the caller's own)" if low == _CREDENTIAL else value.decode("latin-1")
            shown.append(f"{low.title()}: {text}")
    return sorted(shown)


def _plain(answer: Answer) -> bytes:
    coded = any(name.lower() == b"content-encoding" and value == b"gzip" for name, value in answer.headers)
    return gzip.decompress(answer.body) if coded else answer.body


def _body(body: bytes) -> list[str]:
    try:
        members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        return [line for line in body.decode("utf-8", "replace").splitlines() if line.strip()]
    return [f"{name}:{_TIED}{bytes(token).decode()}" for name, token in members.items()]
