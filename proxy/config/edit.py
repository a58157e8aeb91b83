"""Changing the operator's file: one entry more, every comment and space kept. Only explicit commands do that."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import mkstemp
from typing import Any

import tomlkit
from tomlkit.items import AoT, Table

from proxy.config.lines import changed
from proxy.config.load import load
from proxy.errors import ConfigError


class UnwritableError(ConfigError):
    """The file cannot be written here, such as one that is mounted read-only."""


def appended(path: Path, name: str, entry: Mapping[str, Any], *, write: bool) -> str:
    """The text of a `[[name]]` entry; with `write`, it is put at the end of these entries in the file.

    Raises `ConfigError` when the file with the entry would not be accepted, or cannot be written; it is then untouched.
    """
    table = tomlkit.table()
    for key, value in entry.items():
        table.add(key, value)
    shown = tomlkit.document()
    shown.add(name, AoT([table]))
    text = tomlkit.dumps(shown)
    if not write:
        return text
    replace(path, changed(path.read_bytes().decode(), partial(_with, name=name, table=table, file=path.name)))
    return text


def _with(text: str, *, name: str, table: Table, file: str) -> str:
    document = tomlkit.parse(text)
    there = document.get(name)
    if there is not None and not isinstance(there, AoT):
        raise ConfigError(f"{file}: {name} is no list of tables; write [[{name}]] for each entry there")
    if there is None:
        document.add(tomlkit.nl())
        document.add(name, AoT([table]))
    else:
        there.append(table)
    return tomlkit.dumps(document)


def replace(path: Path, text: str) -> None:
    """Put a new text into the file, whole or not at all, and only one that is accepted. Raises `ConfigError`."""
    try:
        handle, name = mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
        draft = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode())
            _checked(draft, path.name)
            draft.chmod(path.stat().st_mode & 0o777)
            draft.replace(path.resolve())  # a link stays one
        finally:
            draft.unlink(missing_ok=True)
    except OSError as problem:
        raise UnwritableError(
            f"{path}: cannot be written: {problem.strerror}; put the entry there yourself"
        ) from None


def _checked(draft: Path, name: str) -> None:
    try:
        load(draft, os.environ)
    except ConfigError as error:
        raise ConfigError(str(error).replace(draft.name, name)) from None
