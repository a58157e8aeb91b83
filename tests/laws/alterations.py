"""Every small change of the mapping files: one declaration taken away, or one of its meaningful words replaced.

Left out, since no exchange can depend on them: identifiers, sentences, grades and reasons, whether a loss is logged each
time or only counted, the record's path and stamp, the call in place of one that is always refused, rules that only the
comparison reads (`frozen`), and switches that nothing reads yet.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

File: TypeAlias = dict[str, Any]
Files: TypeAlias = dict[str, File]
Way: TypeAlias = tuple[str | int, ...]

_SILENT = {"id", "says", "grade", "reason", "quiet", "name", "on_", "kind", "type"}


class _Gone(Enum):
    """What stands for nothing; the same in every process."""

    NOTHING = "nothing"


_GONE = _Gone.NOTHING
_TWINS: Mapping[str, tuple[str, ...]] = {
    "do": (),
    "drop": ("drop-links",),
    "drop-links": ("drop",),
    "drop-null": ("drop-unset",),
    "drop-unset": ("drop-null",),
    "keep-only": ("collection",),
    "refuse": ("drop",),
    "both": ("request", "answer"),
    "back": ("both",),
    "request": ("answer",),
}
_TEXT_MEMBERS = {"message", "suffix", "link", "detail", "nearest"}


@dataclass(frozen=True)
class Alteration:
    """One change: the file, the way to the word in it, and what stands there afterwards (`_GONE`: nothing)."""

    file: str
    way: Way
    about: str
    value: Any
    endpoints: frozenset[str]
    """The endpoints that can notice; empty for all."""

    def __str__(self) -> str:
        word = "/".join(str(one) for one in self.way)
        what = "is gone" if self.value is _GONE else f"= {self.value!r}"
        return f"{self.about} {word} {what}"

    @property
    def taken(self) -> str:
        """Its name among those that take a whole condition, or where it stands, away."""
        whole = self.value in ({}, "", "answer") or self.value is _GONE
        return f"{self.way[0]}.{self.way[2]} of {self.about}" if whole and len(self.way) > 2 else ""

    def applied(self, files: Files) -> Files:
        """The files with this change."""
        made = {**files, self.file: copy.deepcopy(files[self.file])}
        place: Any = made[self.file]
        for step in self.way[:-1]:
            place = place[step]
        if self.value is _GONE:
            del place[self.way[-1]]
        else:
            place[self.way[-1]] = self.value
        return made


def alterations(files: Files) -> Iterator[Alteration]:
    """Every change of every declaration, and of what a file says once."""
    switches = files["api.toml"]["compat"]
    for name, file in files.items():
        for way, declaration in _declarations(file):
            if declaration.get("do") != "frozen":
                yield from _of_declaration(name, way, declaration, switches)
        if "error" in file:
            yield Alteration(name, ("error", "link"), "error", "https://example.com", frozenset())
        for word in file.get("record", {}).keys() & {"body", "query"}:
            yield Alteration(name, ("record", word), "record", "another", frozenset())
    for switch, declared in switches.items():
        for other in declared["values"] if _is_read(switch, files) else ():
            if other != declared["default"]:
                way = ("compat", switch, "default")
                yield Alteration("api.toml", way, f"compat.{switch}", other, frozenset())


def _of_declaration(name: str, way: Way, declaration: File, switches: File) -> Iterator[Alteration]:
    about = declaration.get("id") or declaration.get("name") or declaration["type"]
    on = declaration.get("on", [])
    ends = frozenset([on] if isinstance(on, str) else on)
    if way[0] == "endpoint":
        ends = frozenset({about})
    else:
        yield Alteration(name, way, about, _GONE, ends)
    for word, value in declaration.items():
        for inner, new in _changed(word, value, declaration, switches):
            if inner or new != value:
                yield Alteration(name, (*way, word, *inner), about, new, ends)


def _is_read(switch: str, files: Files) -> bool:
    return f"'{switch}'" in repr([{**one, "compat": 0} for one in files.values()])


def _declarations(file: File) -> Iterator[tuple[Way, File]]:
    for kind in ("rule", "step", "codec", "endpoint"):
        yield from (((kind, at), one) for at, one in enumerate(file.get(kind, [])))
    for at, table in enumerate(file.get("table", [])):
        yield from ((("table", at, "entry", number), one) for number, one in enumerate(table["entry"]))
    members = file.get("error", {}).get("member", [])
    yield from ((("error", "member", at), one) for at, one in enumerate(members))


def _changed(word: str, value: Any, declaration: File, switches: File) -> Iterator[tuple[Way, Any]]:
    """The other values of one word, each with the rest of its way."""
    if word in _SILENT or (word == "v2" and "v2-1" in declaration and " " in value):
        return
    if word == "v2-1" and declaration.get("refuse", {}).get("when") == {}:
        return
    match value:
        case list():
            if len(value) > 1:
                yield from (((at,), _GONE) for at in range(len(value)))
        case dict():
            yield from _inside(word, value, switches)
        case bool():
            yield (), not value
        case int():
            yield from (((), value + 1), ((), value - 1))
        case str():
            yield from (((), one) for one in _words(word, value, declaration))


def _inside(word: str, value: File, switches: File) -> Iterator[tuple[Way, Any]]:
    yield (), {} if word != "refuse" else _GONE
    for name, inner in value.items():
        if word in {"when", "status", "cases"}:
            yield (name,), _GONE
        if isinstance(inner, dict):
            for one, old in inner.items():
                others = ["another"] if word == "cases" else _others(one, old, switches)
                yield from (((name, one), other) for other in others)
        elif isinstance(inner, list):
            yield from (((name, at), _GONE) for at in range(len(inner)) if len(inner) > 1)
        else:
            yield from (((name,), other) for other in _scalars(word, name, inner, switches))


def _scalars(word: str, name: str, value: Any, switches: File) -> list[Any]:
    if word == "when":
        return _others(name, value, switches)
    if isinstance(value, int):
        return [value + 1, value - 1]
    return [299] if word == "status" else ["CF-QUERY"] if name == "fault" else [f"{value} (another)"]


def _others(switch: str, value: Any, switches: File) -> list[Any]:
    return [one for one in switches[switch]["values"] if one != value] if switch in switches else []


def _words(word: str, value: str, declaration: File) -> Iterator[Any]:
    """The other texts that a word may hold."""
    yield from _TWINS.get(value, ())
    match word:
        case "loss":
            yield ""
        case "case":
            yield from ("", value[1:] if value.startswith("!") else f"!{value}")
        case "prefer":
            yield from ("", *(one for one in declaration["place"] if one != value))
        case "native" | "place":
            yield f"{value}2"
        case "v2" | "v2-1" if "direction" in declaration or "loss" in declaration or " " not in value:
            yield from ("CANCELLED", "another")
        case "v2-1" if value.startswith("PUT "):
            yield value.replace("PUT", "PATCH")
        case "call" | "then":
            yield value.replace("=100", "=50") if "=100" in value else value.replace("PUT ", "PATCH ")
            yield from (value.replace("&expand=true", ""), value.replace("expand=true", "expand=false"))
        case "value" if "native" not in declaration:
            yield "detail" if value in {"status", "message", "link"} else f"{value}2"
        case _ if word in _TEXT_MEMBERS:
            yield f"{value}x"
