"""Reading a mapping file: every mistake of form at once, each with its place and the id of the declaration."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from proxy.errors import MappingError
from proxy.mapping.contract import Contract, load_contract
from proxy.mapping.lint.finding import Finding, FindingKind, nearest

Shape = TypeVar("Shape", bound=msgspec.Struct)

_AT = re.compile(r" - at `[^`]*`\Z")
_SEE = "see docs/check.md for what may stand there"


class Reader:
    """Reads the files of one folder and gathers everything about their form that is wrong."""

    def __init__(self, folder: Path) -> None:
        self.found: list[Finding] = []
        self._folder = folder

    def toml(self, name: str, shape: type[Shape]) -> Shape | None:
        """The file as its struct; `None` with the findings gathered."""
        try:
            tree = tomllib.loads((self._folder / name).read_text("utf-8"))
        except OSError as error:
            self._form(name, f"cannot be read ({error.strerror})", "give a folder with all files")
            return None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            self._form(name, f"is not TOML: {error}", "correct it there (https://toml.io)")
            return None
        try:
            return msgspec.convert(tree, shape)
        except msgspec.ValidationError:
            for found in _table(tree, shape, "$", ""):
                self._form(name, *found)
        return None

    def contract(self, name: str) -> Contract | None:
        """The contract; `None` with the finding gathered."""
        try:
            return load_contract(self._folder / name)
        except MappingError as error:
            what = str(error).removeprefix(f"{Path(name).name}: ")
            self._form(Path(name).name, what, "write it as docs/check.md says")
        return None

    def _form(self, file: str, message: str, way_out: str, place: str = "", rule: str = "") -> None:
        self.found.append(Finding(FindingKind.FORM, file, place, rule, message, way_out))


_Found = tuple[str, str, str, str]


def _table(tree: object, shape: type[msgspec.Struct], place: str, rule: str) -> Iterator[_Found]:
    """What is wrong with a table: message, way out, place, id of the declaration that it is or stands in."""
    if not isinstance(tree, Mapping):
        yield "must be a table", "write [name] with its keys below", place, rule
        return
    own = tree.get("id")
    rule = own if isinstance(own, str) else rule
    fields = {one.encode_name: one for one in msgspec.structs.fields(shape)}
    for key in tree:
        if key not in fields:
            yield f"unknown key '{key}'", nearest(key, fields), f"{place}.{key}", rule
    for key, one in fields.items():
        if key in tree:
            yield from _value(tree[key], one.type, f"{place}.{key}", rule)
        elif one.required:
            yield f"'{key}' is missing", "add it", place, rule


def _value(value: object, kind: Any, place: str, rule: str) -> Iterator[_Found]:
    inner = [one for one in get_args(kind) or (kind,) if _is_struct(one)]
    if inner and get_origin(kind) is list and isinstance(value, list):
        for number, one in enumerate(value):
            yield from _table(one, inner[0], f"{place}[{number}]", rule)
    elif inner and get_origin(kind) is dict and isinstance(value, Mapping):
        for key, one in value.items():
            yield from _table(one, inner[0], f"{place}.{key}", rule)
    elif inner and get_origin(kind) not in {list, dict}:
        yield from _table(value, inner[0], place, rule)
    else:
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            yield _AT.sub("", str(error)), _SEE, place, rule


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)
