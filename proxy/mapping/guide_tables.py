"""The tables of the migration guide that stand in the mapping files line by line: losses, switches, accepted differences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from proxy.mapping.api import Source
from proxy.mapping.model import Claim, Setting


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |\n" for line in lines)


def ticked(names: Iterable[str]) -> str:
    """Names as code, with commas between them."""
    return ", ".join(f"`{one}`" for one in names)


def when(switches: Mapping[str, Setting]) -> str:
    """The switches that a declaration needs, to stand behind its name."""
    return "".join(f", if `compat.{name} = {_quoted(value)}`" for name, value in switches.items())


def losses(source: Source) -> str:
    """Every declared loss: its code, where it happens and under which switch, and why it is right."""
    rows = [(f"`{one.loss}`", f"`{one.id}`", where, one.reason) for one, where in _losses(source) if one.loss]
    return table(("code", "declared by", "where", "why"), rows)


def switches(source: Source) -> str:
    """Every switch with its default and its other values."""
    rows = [
        (
            f"`compat.{name}`",
            f"`{_quoted(one.default)}`",
            ticked(_quoted(value) for value in one.values if value != one.default),
            one.says,
        )
        for name, one in source.api.compat.items()
    ]
    return table(("switch", "default", "or", "meaning"), rows)


def accepted(source: Source) -> str:
    """Every accepted entry with its places and its reason."""
    rows = [(f"`{one.id}`", ticked(one.place), one.says, one.reason) for one in source.accepted]
    return table(("id", "places", "what", "why it is right"), rows)


def _losses(source: Source) -> Iterator[tuple[Claim, str]]:
    """Every declaration and the narrowest place that can be named for it."""
    for codec in source.api.codec:
        yield codec, f"every `{codec.type}`"
    for values in source.values.table:
        for entry in values.entry:
            yield entry, f"`{entry.v2_1}` in every `{values.type}`{when(entry.when)}"
    for file in source.resources:
        for rule in file.rule:
            places = "every member" if rule.place == ["*"] else ticked(rule.place)
            yield rule, f"{places} in the {_document(rule.at)} of {ticked(rule.on)}{when(rule.when)}"
        for step in file.step:
            yield step, f"`{step.on}`{when(step.when)}"


def _document(at: str) -> str:
    return "request and answer" if at == "both" else at


def _quoted(value: Setting) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
