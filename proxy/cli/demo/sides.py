"""Both sides of an example next to each other: what the caller saw, and what the platform saw."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

import msgspec
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from proxy.types import Answer, Call, Headers

_SHOWN = (
    "authorization",
    "content-type",
    "accept",
    "via",
    "x-request-id",
    "location",
    "retry-after",
    "x-crossfade-code",
)
_SECRET = "authorization"  # noqa: S105 - the name of the header
Exchange = tuple[Call, Answer]


@dataclass(frozen=True)
class Example:
    """One example that was run: `seen` is what the platform got for it, in order."""

    title: str
    stage: str
    caller: Exchange
    seen: Sequence[Exchange]


def show(console: Console, example: Example) -> None:
    """Print one example; a line that the other side does not have is marked."""
    left = lines(example.caller)
    right = [lines(one) for one in example.seen]
    everywhere = {line for one in right for line in one}
    table = Table.grid(expand=True, padding=(0, 1))
    table.add_column(ratio=1)
    table.add_column(ratio=1)
    heads = (Text("caller ⇄ crossfade", style="bold"), Text("crossfade ⇄ platform", style="bold"))
    table.add_row(*heads)
    table.add_row(_marked(left, everywhere), _platform(example, right, set(left)))
    title = Text.assemble((example.title, "bold"), "  stage ", (example.stage, "bold cyan"))
    console.print(
        Panel(table, title=title, title_align="left", subtitle=_verdict(example), subtitle_align="left")
    )


def lines(exchange: Exchange) -> list[str]:
    """An exchange as a person reads it: a line each for target, the headers that matter, members, status."""
    call, answer = exchange
    sent = [f"→ {call.method} {call.target.decode('latin-1')}", *_headers(call.headers), *_body(call.body)]
    phrase = HTTPStatus(answer.status).phrase if answer.status in set(HTTPStatus) else ""
    came = [f"← {answer.status} {phrase}".rstrip(), *_headers(answer.headers), *_body(_plain(answer))]
    return [*sent, "", *came]


def _platform(example: Example, right: list[list[str]], left: set[str]) -> RenderableType:
    parts: list[RenderableType] = []
    for number, one in enumerate(right):
        if number:
            says = "then, for comparison" if example.stage == "shadow" else "then"
            parts.append(Rule(says, style="dim"))
        parts.append(_marked(one, left))
    return Group(*parts) if parts else Text("nothing was sent", style="dim")


def _marked(mine: list[str], other: set[str]) -> Text:
    text = Text(overflow="fold")
    for line in mine:
        alike = not line or line in other
        style = "dim" if alike else "bold yellow"
        text.append(("  " if alike else "• ") + line + "\n", style=style)
    text.rstrip()
    return text


def _verdict(example: Example) -> Text:
    versions = [call.target.decode("latin-1").split("/")[1] for call, _ in example.seen]
    asked = " and ".join(dict.fromkeys(versions)) or "no version"
    return Text(
        f"status {example.caller[1].status}; the platform was asked through {asked}; • marks what differs"
    )


def _headers(headers: Headers) -> list[str]:
    shown = []
    for name, value in headers:
        low = name.decode("latin-1").lower()
        if low in _SHOWN:
            shown.append(
                f"{low.title()}: " + ("(the caller's own)" if low == _SECRET else value.decode("latin-1"))
            )
    return sorted(shown)


def _plain(answer: Answer) -> bytes:
    coded = any(name.lower() == b"content-encoding" and value == b"gzip" for name, value in answer.headers)
    return gzip.decompress(answer.body) if coded else answer.body


def _body(body: bytes) -> list[str]:
    try:
        members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        return [line for line in body.decode("utf-8", "replace").splitlines() if line.strip()]
    return [
        f"{name}: {bytes(msgspec.json.format(token, indent=0)).decode()}" for name, token in members.items()
    ]
