"""Reading the configuration: file, environment over it, secrets from their files."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from proxy.config.environment import overlay
from proxy.config.findings import findings
from proxy.config.model import Config
from proxy.config.places import leaves
from proxy.errors import ConfigError

DEFAULT = "default"
"""The origin of a value that nobody has set."""
_AT = re.compile(r"(.*) \(at (line \d+, column \d+|end of document)\)\Z", re.DOTALL)
_SECRET_FILES = (("store", "url"),)


@dataclass(frozen=True)
class Loaded:
    """A configuration that holds together, and where it came from."""

    config: Config
    origins: Mapping[str, str]
    """For every place its origin: the file's name, a variable's name, a secret's file, or `default`."""
    hash: str
    """Twelve hexadecimal digits that name the values in effect; no secret goes into it."""
    folder: Path
    """Relative paths count from here."""
    path: Path
    """The file itself."""


def load(path: Path, environ: Mapping[str, str]) -> Loaded:
    """Read, overlay, check. Raises ConfigError with all findings, one line each."""
    tree = _parsed(path)
    origins = {place: path.name for place, _ in leaves(tree)}
    replaced, lines = overlay(tree, environ)
    for place in [known for known in origins if known.split("[")[0] in replaced]:
        del origins[place]
    origins |= replaced
    folder = path.absolute().parent
    lines += _secrets(tree, origins, folder, path.name)
    config = _checked(tree, folder, origins, path.name, lines)
    shown = config.model_dump(mode="json")
    return Loaded(
        config=config,
        origins={place: origins.get(place, DEFAULT) for place, _ in leaves(shown)},
        hash=_hash(tree),
        folder=folder,
        path=path,
    )


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode())
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise ConfigError(
            f"{path}: cannot be read: {reason}; "
            "name another file with --config, or make one: crossfade config init"
        ) from None
    except UnicodeDecodeError as problem:
        raise ConfigError(f"{path.name}: byte {problem.start} is not UTF-8; save the file as UTF-8") from None
    except RecursionError:
        raise ConfigError(f"{path.name}: is nested too deeply; see docs/configuration.md") from None
    except ValueError as problem:
        match = _AT.match(str(problem))
        what, where = (match[1], match[2]) if match else ("a value cannot be read", "somewhere")
        raise ConfigError(
            f"{path.name}: {where}: {what!a}; correct the TOML there (https://toml.io)"
        ) from None


def _secrets(tree: dict[str, Any], origins: dict[str, str], folder: Path, name: str) -> list[str]:
    """Put the content of each secret's file in its place; gives what is wrong."""
    lines = []
    for section, key in _SECRET_FILES:
        table = tree.get(section)
        source = table.get(f"{key}_file") if isinstance(table, dict) else None
        if not isinstance(table, dict) or not isinstance(source, str) or not source:
            continue
        place = f"{section}.{key}_file"
        origin = origins.get(place, name)
        if key in table:
            lines.append(f"{origin}: {place}: {section}.{key} is set as well; remove one of the two")
            continue
        try:
            table[key] = (folder / source).read_text().strip()
        except (OSError, UnicodeDecodeError):
            lines.append(f"{origin}: {place}: the file cannot be read as text; check its path and rights")
        origins[f"{section}.{key}"] = f"{place} = {source}"
    return lines


def _checked(
    tree: dict[str, Any], folder: Path, origins: Mapping[str, str], name: str, lines: list[str]
) -> Config:
    def origin_of(place: str) -> str:
        found = origins.get(place) or origins.get(place.split("[", 1)[0]) or name
        return "environment: " + found if found.startswith("CROSSFADE__") else found

    try:
        config = Config.model_validate(tree, context={"folder": folder})
    except ValidationError as problem:
        raise ConfigError("\n".join(lines + findings(problem, origin_of))) from None
    if lines:
        raise ConfigError("\n".join(lines))
    return config


def _hash(tree: dict[str, Any]) -> str:
    """The folder stays out, so that replicas with the same values agree wherever they are installed."""
    values = Config.model_validate(tree, context={"folder": Path()}).model_dump(mode="json")
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]
