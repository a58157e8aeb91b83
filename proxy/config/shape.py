"""What the models say about a place: which section it is in, which names are valid there, what it takes."""

from __future__ import annotations

from collections.abc import Iterable
from types import NoneType, UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel

from proxy.config.model import Config


def bare(annotation: object) -> object:
    """An annotation without `Annotated` and without `| None`."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in {Union, UnionType} and NoneType in get_args(annotation):
            annotation = next(part for part in get_args(annotation) if part is not NoneType)
        else:
            return annotation


def section_of(annotation: object) -> type[BaseModel] | None:
    """The section that an annotation holds: itself, or the entries of its list."""
    kind = bare(annotation)
    if get_origin(kind) is tuple:
        kind = bare(get_args(kind)[0])
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def section_at(steps: Iterable[str | int]) -> type[BaseModel] | None:
    """The section that steps from the top lead into; None where they leave what the models know."""
    section: type[BaseModel] | None = Config
    for step in steps:
        if isinstance(step, int):
            continue
        if section is None or step not in section.model_fields:
            return None
        section = section_of(section.model_fields[step].annotation)
    return section
