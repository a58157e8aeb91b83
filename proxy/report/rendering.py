"""The report as Markdown and as one HTML page. Both hold what the JSON holds; every text from outside is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from proxy.report.document import CallerReport, Covered, EndpointReport, Kind, Report
from proxy.report.needed import FAR

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|&])")
_CALLERS = 500
"""Callers that a page lists; JSON has all of them."""


def markdown(report: Report) -> str:
    """The report as Markdown, for a ticket or a pull request."""
    return "\n".join(_lines(report)) + "\n"


def html(report: Report) -> str:
    """The report as one page that asks nobody for anything."""
    return _template().render(report=report, called=called(report), quiet=quiet(report), most=_CALLERS) + "\n"


def called(report: Report) -> list[EndpointReport]:
    """The endpoints that somebody calls, those in the way first."""
    order = {"not ready": 0, "inconclusive": 1, "ready": 2}
    found = [one for one in report.endpoints if one.calls or any(kind.classes for kind in one.kinds)]
    return sorted(found, key=lambda one: (order[one.verdict], -one.calls, one.endpoint))


def quiet(report: Report) -> list[str]:
    """The endpoints that nobody calls."""
    met = {one.endpoint for one in called(report)}
    return [one.endpoint for one in report.endpoints if one.endpoint not in met]


def span(seconds: int | None) -> str:
    """A span for a person: `3 days, 4:00:00`; a dash where it is not known."""
    return "–" if seconds is None else str(timedelta(seconds=seconds))


def share(value: float | None) -> str:
    """A share for a person."""
    return "–" if value is None else f"{value:.3%}"


def classes(kind: Kind) -> str:
    """How many ended how, for a person."""
    return ", ".join(f"{count} {name}" for name, count in kind.classes.items()) or "none"


def covered(found: Iterable[Covered]) -> str:
    """Coverage in one line."""
    return ", ".join(f"{one.part} {one.seen} of {one.of}" for one in found) or "not in the contract"


def state(kind: Kind) -> str:
    """Whether there is enough of a kind."""
    if not kind.required:
        return "not needed for the next stage"
    if not kind.needed:
        return "enough"
    if kind.needed > FAR:
        return "diverges too often"
    return (
        f"{kind.needed} more needed, in {span(kind.in_seconds)}"
        if kind.in_seconds
        else f"{kind.needed} more needed"
    )


def delta(one: EndpointReport) -> str:
    """How v2.1's answers compare with v2's."""
    if one.latency_delta_ms is None or one.error_delta is None:
        return "only one version has answered callers"
    return f"latency {one.latency_delta_ms:+.1f} ms, failed answers {one.error_delta * 100:+.3f} points"


@cache
def _template() -> Template:
    loaded = Environment(
        loader=PackageLoader("proxy.report", ""), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    loaded.filters.update(span=span, share=share, classes=classes, covered=covered, state=state, delta=delta)
    return loaded.get_template("page.html")


def _lines(report: Report) -> Iterator[str]:
    yield "# Is it safe to cut over?"
    yield from ("", f"**{report.verdict}** at {report.at}, configuration `{report.config}`", "")
    yield from (f"- {_escaped(one)}" for one in report.reasons)
    for one in called(report):
        yield from _endpoint(one)
    nobody = quiet(report)
    if nobody:
        yield from ("", f"Nobody has called: {', '.join(map(_escaped, nobody))}")
    yield from ("", "## Callers", "")
    yield from _table(("caller", "name", "verdict", "calls", "why"), map(_person, report.callers[:_CALLERS]))


def _endpoint(one: EndpointReport) -> Iterator[str]:
    yield from ("", f"## {_escaped(one.endpoint)}: {one.verdict}", "")
    yield f"Stage {', '.join(one.stages)}; {one.calls} calls of {one.callers} callers, {one.callers_compared} compared."
    if one.next:
        yield from ("", f"Type next: `{one.next}`")
    if one.reasons:
        yield ""
        yield from (f"- {_escaped(text)}" for text in one.reasons)
    yield ""
    yield from _table(
        ("evidence", "ended", "records", "unexpected", "95 % below", "last", "state"),
        (
            [k.evidence, classes(k), k.records, k.unexpected, share(k.upper), k.last or "–", state(k)]
            for k in one.kinds
        ),
    )
    yield from ("", f"Coverage: {covered(one.coverage)}", "", f"Versions: {delta(one)}")
    if one.would_conflict:
        yield from ("", f"Creates that v2.1 would have refused: {one.would_conflict}")
    if one.blockers:
        yield from ("", f"Open groups: {one.open_groups}", "")
        yield from _table(
            ("group", "where", "kind", "state", "count", "records", "callers"),
            (
                [b.group, b.pointer or "(status)", b.kind, b.state, b.count, b.records, b.callers]
                for b in one.blockers
            ),
        )
    if one.losses:
        yield ""
        yield from _table(
            ("loss", "what", "comparisons"), ([x.rule, x.says, x.comparisons] for x in one.losses)
        )


def _person(one: CallerReport) -> Sequence[object]:
    unmapped = [f"{call} is not mapped ({count} calls)" for call, count in one.unmapped.items()]
    return [one.caller, one.name, one.verdict, one.calls, "; ".join(dict.fromkeys([*one.reasons, *unmapped]))]


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(_escaped(str(cell)) for cell in row)} |"


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
