"""The keys as a schema for editors, and as the tables in docs/configuration.md.

`python -m proxy.config.reference docs/configuration.md` brings that page up to date.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticUndefined
from pydantic_core.core_schema import WithDefaultSchema

from proxy.config.model import Config
from proxy.config.shape import bare, section_of
from proxy.config.values import duration_text, size_text

_BEGIN, _END = "<!-- keys: made from the program -->", "<!-- end of keys -->"
_HEAD = ("| key | type | default | meaning |", "|---|---|---|---|")
_SPELLINGS: Mapping[str | None, Callable[[Any], str]] = {"duration": duration_text, "size": size_text}
"""Types whose defaults are numbers in the program and texts in the file."""


class _Schema(GenerateJsonSchema):
    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        found = super().default_schema(schema)
        if found.get("title") in _SPELLINGS:
            found["default"] = _SPELLINGS[found["title"]](found["default"])
        return found


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Config.model_json_schema(schema_generator=_Schema),
    }


def key_tables() -> str:
    """Every section with its keys, as Markdown."""
    return "\n".join(_section(Config, "", "Top level")).strip() + "\n"


def with_tables(page: str) -> str:
    """A page whose part between the two marks is made anew. Raises ValueError where a mark is missing."""
    before, _, rest = page.partition(_BEGIN)
    _, mark, after = rest.partition(_END)
    if not mark:
        raise ValueError(f"the page has to hold {_BEGIN} and {_END}")
    return f"{before}{_BEGIN}\n\n{key_tables()}\n{_END}{after}"


def _section(section: type[BaseModel], prefix: str, title: str) -> Iterator[str]:
    yield from (f"### {title}", "", (section.__doc__ or "").strip(), "", *_HEAD)
    schema = section.model_json_schema(schema_generator=_Schema)["properties"]
    inner = {name: section_of(field.annotation) for name, field in section.model_fields.items()}
    for name, field in section.model_fields.items():
        if inner[name] is None:
            kind = _type(schema[name])
            yield f"| `{prefix}{name}` | {kind} | {_default(field, schema[name])} | {field.description} |"
    yield ""
    shown: dict[type[BaseModel], str] = {}
    for name, below in inner.items():
        if below is None:
            continue
        entries = get_origin(bare(section.model_fields[name].annotation)) is tuple
        brackets = f"[[{prefix}{name}]]" if entries else f"[{prefix}{name}]"
        if below in shown:
            yield from (f"### `{brackets}`", "", f"The same keys as {shown[below]}.", "")
            continue
        shown[below] = f"`{brackets}`"
        yield from _section(below, f"{prefix}{name}[]." if entries else f"{prefix}{name}.", shown[below])


_TYPES = {
    ("string", "uri"): "address",
    ("string", "path"): "path",
    ("string", "date"): "date",
    ("string", None): "text",
    ("integer", None): "whole number",
    ("number", None): "number",
    ("boolean", None): "true or false",
    ("object", None): "table",
}


def _type(schema: dict[str, Any]) -> str:
    first = next(option for option in schema.get("anyOf", [schema]) if option.get("type") != "null")
    if first.get("title") in _SPELLINGS:
        return str(first["title"])
    if "enum" in first:
        return " or ".join(f"`{json.dumps(word)}`" for word in first["enum"])
    if first["type"] == "array":
        return f"list of {_type(first['items'])}"
    return _TYPES[first["type"], first.get("format")]


def _default(field: FieldInfo, schema: dict[str, Any]) -> str:
    if field.is_required():
        return "required"
    if field.default is PydanticUndefined or field.default is None or field.default == ():
        return "none"
    return f"`{json.dumps(schema['default'])}`"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(with_tables(Path(sys.argv[1]).read_text("utf-8")), "utf-8")
