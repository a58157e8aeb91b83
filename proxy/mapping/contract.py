"""A contract: what one version of the API promises, read from an OpenAPI 3.1 document under `mappings/contracts/`.

Only the part of OpenAPI that our contracts use is understood; anything else is an error, not a guess. Each leaf carries
`x-type`, the name of the codec type that it belongs to, and `x-grade`, how sure we are of it (F§0).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from proxy.errors import MappingError
from proxy.json import Kind

_KINDS: Mapping[str, frozenset[Kind]] = {
    "object": frozenset({Kind.OBJECT}),
    "array": frozenset({Kind.ARRAY}),
    "string": frozenset({Kind.STRING}),
    "number": frozenset({Kind.NUMBER}),
    "integer": frozenset({Kind.NUMBER}),
    "boolean": frozenset({Kind.BOOLEAN}),
    "null": frozenset({Kind.NULL}),
}
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_WORDS = {
    *("type", "format", "description", "enum", "default", "minimum", "maximum", "maxLength", "readOnly"),
    *("required", "properties", "items", "$ref", "x-type", "x-grade", "x-source", "x-key", "x-banned"),
    "x-volatile",
}
"""What may stand in a schema; a word that would be passed over in silence could hold a promise."""


@dataclass(frozen=True)
class Schema:
    """One place in a document: which kinds of value it may hold, and what they mean.

    `types` are OpenAPI's type names; none means "anything". `codec` is the leaf's `x-type`. `key` is the member that
    identifies an element of this array when two answers are compared. `banned` are texts that may not stand here. What is
    `volatile` differs from answer to answer, so that a difference there is noise.
    """

    types: tuple[str, ...] = ()
    codec: str = ""
    grade: str = ""
    read_only: bool = False
    enum: tuple[str, ...] = ()
    members: Mapping[str, Schema] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    items: Schema | None = None
    key: str = ""
    banned: tuple[str, ...] = ()
    volatile: bool = False

    @property
    def kinds(self) -> frozenset[Kind]:
        """The JSON kinds that may stand here; all of them when no type is stated."""
        if not self.types:
            return frozenset(Kind)
        return frozenset().union(*(_KINDS[name] for name in self.types))

    def walk(self, pointer: str = "") -> Iterator[tuple[str, Schema]]:
        """Yield every place below and including this one with its contract pointer (`*` for array places)."""
        yield pointer, self
        for name, member in self.members.items():
            yield from member.walk(f"{pointer}/{name}")
        if self.items is not None:
            yield from self.items.walk(f"{pointer}/*")


@dataclass(frozen=True)
class Parameter:
    """One query parameter of an operation."""

    name: str
    required: bool
    schema: Schema
    grade: str


@dataclass(frozen=True)
class Operation:
    """One method on one path template: its query, its request body, its answers by status."""

    method: str
    path: str
    query: Mapping[str, Parameter]
    request: Schema | None
    answers: Mapping[int, Schema | None]
    grade: str

    @property
    def name(self) -> str:
        """How mapping files name it: `POST /path`."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Contract:
    """All operations of one version, by name (`POST /path`)."""

    operations: Mapping[str, Operation]

    def operation(self, name: str) -> Operation:
        """Look an operation up; raises `MappingError` naming those that exist."""
        try:
            return self.operations[name]
        except KeyError:
            known = ", ".join(sorted(self.operations))
            raise MappingError(f"the contract has no operation '{name}'; it has: {known}") from None

    def called(self, call: str) -> Operation | None:
        """The operation that a step's call (`GET /path/{name}?query`) is, whatever its placeholders are called."""
        wanted = _PLACEHOLDER.sub("{}", call.partition("?")[0])
        known = self.operations.items()
        return next((one for name, one in known if _PLACEHOLDER.sub("{}", name) == wanted), None)


def load_contract(path: Path) -> Contract:
    """Read a contract file; raises `MappingError` when it is not JSON or uses OpenAPI that is not understood."""
    try:
        document = msgspec.json.decode(path.read_bytes())
        return Contract(dict(_operations(document)))
    except MappingError as error:
        raise MappingError(f"{path.name}: {error}") from None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise MappingError(f"{path.name}: not a contract that can be read: {error!r}") from error


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, Operation]]:
    schemas = document["components"]["schemas"]
    for path, item in document["paths"].items():
        for method, raw in item.items():
            if method in {"get", "post", "put", "patch", "delete"}:
                operation = _operation(method.upper(), path, raw, schemas)
                yield operation.name, operation


def _operation(method: str, path: str, raw: dict[str, Any], schemas: dict[str, Any]) -> Operation:
    query = {
        one["name"]: Parameter(
            one["name"], one.get("required", False), _schema(one["schema"], schemas), one.get("x-grade", "")
        )
        for one in raw.get("parameters", ())
        if one["in"] == "query"
    }
    body = raw.get("requestBody")
    return Operation(
        method,
        path,
        query,
        _body(body, schemas) if body else None,
        {int(status): _body(answer, schemas) for status, answer in raw["responses"].items()},
        raw.get("x-grade", ""),
    )


def _body(raw: dict[str, Any], schemas: dict[str, Any]) -> Schema | None:
    content = raw.get("content")
    return _schema(content["application/json"]["schema"], schemas) if content else None


def _schema(raw: dict[str, Any], schemas: dict[str, Any]) -> Schema:
    if "$ref" in raw:
        return _schema(schemas[raw["$ref"].removeprefix("#/components/schemas/")], schemas)
    stated = raw.get("type", ())
    types = (stated,) if isinstance(stated, str) else tuple(stated)
    strange = sorted((raw.keys() - _WORDS) | (set(types) - _KINDS.keys()))
    if strange:
        raise MappingError(f"'{strange[0]}' is not understood in a schema; use {', '.join(sorted(_WORDS))}")
    items = raw.get("items")
    return Schema(
        types=types,
        codec=raw.get("x-type", ""),
        grade=raw.get("x-grade", ""),
        read_only=raw.get("readOnly", False),
        enum=tuple(raw.get("enum", ())),
        members={name: _schema(one, schemas) for name, one in raw.get("properties", {}).items()},
        required=frozenset(raw.get("required", ())),
        items=_schema(items, schemas) if items is not None else None,
        key=raw.get("x-key", ""),
        banned=tuple(raw.get("x-banned", ())),
        volatile=raw.get("x-volatile", False),
    )
