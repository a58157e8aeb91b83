"""What is wrong with a configuration, in the operator's words: origin, place, what, and the way out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, get_args, get_origin

from pydantic import ValidationError

from proxy.config.places import did_you_mean, place_of, quoted
from proxy.config.shape import bare, section_at

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_WORDS: dict[str, str] = {
    "missing": "is missing; add it",
    "string_type": 'must be text; write it in quotes: "…"',
    "string_too_short": "is empty; write a value or remove the key",
    "bool_type": "must be true or false, without quotes",
    "int_type": "must be a whole number, without quotes",
    "float_type": "must be a number, without quotes",
    "finite_number": "must be a finite number; write it in digits",
    "path_type": 'must be a path; write it in quotes: "…"',
    "tuple_type": 'must be a list; write ["…"], or [[name]] in front of each entry of a list of tables',
    "model_type": "must be a table; write [name] with its keys below",
    "model_attributes_type": "must be a table; write [name] with its keys below",
    "dict_type": "must be a table; write [name] with its keys below",
    "too_short": "is an empty list; add an entry or remove the key",
    "greater_than_equal": "must be at least {ge:g}; raise it",
    "greater_than": "must be more than {gt:g}; raise it",
    "less_than_equal": "must be at most {le:g}; lower it",
    "less_than": "must be less than {lt:g}; lower it",
}


def findings(problem: ValidationError, origin_of: Callable[[str], str]) -> list[str]:
    """One line for each error of a validation; `origin_of` tells where the value at a place came from."""
    lines: list[str] = []
    for error in problem.errors(include_url=False):
        place = place_of(error["loc"])
        lines.append(f"{origin_of(place)}: {place or 'the whole'}: {_sentence(error)}")
    return lines


def _sentence(error: ErrorDetails) -> str:
    context: Mapping[str, object] = error.get("ctx") or {}
    match error["type"]:
        case "extra_forbidden":
            return _unknown_key(error["loc"])
        case "literal_error":
            return _unknown_word(error)
        case "value_error":
            return str(context["error"])
        case kind if kind in _WORDS:
            return _WORDS[kind].format(**context)
        case _:
            return f"{error['msg']}; see docs/configuration.md"


def _unknown_key(steps: tuple[str | int, ...]) -> str:
    section = section_at(steps[:-1])
    names = section.model_fields if section else ()
    return f"unknown key; {did_you_mean(str(steps[-1]), names)}; correct or remove it"


def _unknown_word(error: ErrorDetails) -> str:
    *outer, key = error["loc"]
    section = section_at(outer)
    kind = bare(section.model_fields[str(key)].annotation) if section else None
    words = [str(word) for word in get_args(kind)] if get_origin(kind) is Literal else []
    listed = " or ".join(quoted(word) for word in words)
    hint = did_you_mean(error["input"], words) if isinstance(error["input"], str) else ""
    return f"must be {listed}{'; ' + hint if hint.startswith('did') else ''}"
