"""`cutover show` and `cutover why`: where each route stands, and what the last decision rests on."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from proxy.cli.cutover.situation import Situation
from proxy.cutover.detector import evidence
from proxy.cutover.routes import Route
from proxy.cutover.stage import following
from proxy.store.rows import Decision

_COLUMNS = ("route", "about", "file", "in effect", "verdict")
WHY: Mapping[str, str] = {
    "rolled_back": "The route was taken back; v2 answers, and comparing goes on.",
    "reported": 'Nothing was changed: guard.action is "report".',
    "unsafe": "Nothing was changed: records hold what v2 cannot express, so that a way back would break reads.",
    "v2_is_over": "Nothing was changed: at stage v2.1 there is no v2 to go back to.",
    "v2_answers": "Nothing was changed: v2 answers this route. It is not ready to go on.",
    "by_hand": "Somebody decided it.",
    "configured": "The file was changed.",
    "lapsed": "Somebody has set the stage anew, and the override is gone.",
    "crossed": "The point of no return: from here on records hold what v2 would show raw, or not at all.",
}
"""What each reason of a decision means; docs/cutover.md has the same list."""


def rows(now: Situation) -> list[dict[str, Any]]:
    """Every entry of the file, in its order."""
    return [_row(now, filed, now.routes.entry(filed.key) or filed) for filed in now.filed.entries]


def _row(now: Situation, filed: Route, effective: Route) -> dict[str, Any]:
    entry, found = now.entry_of(filed), now.readiness(filed)
    watched = now.guard.watched.get(filed.key)
    return {
        "route": filed.index,
        "key": filed.key,
        "endpoint": entry.endpoint if entry else "*",
        "kind": "reads" if entry and entry.reads else "writes" if entry and entry.writes else "",
        "callers": list(entry.callers or ()) if entry else [],
        "stage": filed.stage.value,
        "percent": entry.percent if entry else None,
        "in_effect": effective.stage.value,
        "overridden": effective.stage is not filed.stage,
        "no_return": [one.resource for one in now.crossed(filed)],
        "verdict": found.verdict.value,
        "reasons": list(found.reasons),
        "needed": found.needed,
        "in_seconds": None if found.in_seconds is None else round(found.in_seconds),
        "tests": {
            kind.value: {"records": run.events, "bad": run.bad, "evidence": round(evidence(run), 4)}
            for kind, run in (watched.runs if watched else {}).items()
        },
    }


def table(found: list[dict[str, Any]]) -> list[str]:
    """The rows as lines for a person."""
    if not found:
        return ["no routes: v2 answers every call"]
    cells = [_COLUMNS, *(_cells(one) for one in found)]
    widths = [max(len(row[number]) for row in cells) for number in range(len(_COLUMNS))]
    lines = []
    for number, row in enumerate(cells):
        lines.append("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
        lines += _notes(found[number - 1]) if number else []
    return lines


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    about = " ".join([row["endpoint"], row["kind"], ", ".join(row["callers"])]).strip()
    stage = row["stage"] + (f" {row['percent']:g} %" if row["percent"] is not None else "")
    return f"route[{row['route']}]", about, stage, row["in_effect"], row["verdict"]


def _notes(row: Mapping[str, Any]) -> list[str]:
    notes = list(row["reasons"])
    if row["in_seconds"] is not None:
        notes.append(f"at today's traffic: in {timedelta(seconds=row['in_seconds'])}")
    if row["overridden"]:
        notes.append(f"overridden; say why: crossfade cutover why {shlex.quote(row['endpoint'])}")
    notes += [f"{resource} is behind its point of no return" for resource in row["no_return"]]
    if row["verdict"] == "ready":
        notes.append(f"go on: {_next(row)}")
    return [f"    {one}" for one in notes]


def _next(row: Mapping[str, Any]) -> str:
    """The command for the next step."""
    step = following(row["stage"], row["percent"])
    if not step:
        return "nothing is left to do"
    kind = [f"--{row['kind']}"] if row["kind"] else []
    callers = [word for one in row["callers"] for word in ("--caller", one)]
    return shlex.join(["crossfade", "cutover", "set", row["endpoint"], *step.split(), *kind, *callers])


def document(made: Decision) -> dict[str, Any]:
    """A decision for a program."""
    return msgspec.structs.asdict(made)


def reason(made: Decision) -> list[str]:
    """A decision in sentences."""
    said, moment = made.evidence, datetime.fromtimestamp(made.at / 1000, UTC)
    change = f"{made.old_stage} → {made.new_stage}" if made.old_stage != made.new_stage else made.old_stage
    if "new_percent" in said:
        change += f" {said['old_percent']:g} % → {said['new_percent']:g} %"
    lines = [
        f"{moment.isoformat(timespec='seconds').replace('+00:00', 'Z')}  {made.endpoint}  {change}",
        f"rule {made.rule}, configuration {made.config}, route[{said.get('place')}]",
        WHY.get(str(said.get("reason")), ""),
    ]
    if "test" in said:
        lines.append(
            f"{said['unexpected']} of {said['comparisons']} distinct records were bad, where {said['budget']:.2%} may be; "
            f"evidence {said['evidence']:g}, and {said['bar']:g} is enough (docs/statistics.md)"
        )
    if "left" in said:
        lines.append(f"left in what is stored by: {', '.join(map(str, _listed(said['left'])))}")
    return [one for one in lines if one]


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []
