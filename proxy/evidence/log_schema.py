"""The JSON Schema of a `divergence` line, version 1: docs/divergence-log.schema.json is made from it.

`python -m proxy.evidence.log_schema docs/divergence-log.schema.json` brings that file up to date.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, get_args

from proxy.cutover.stage import Stage
from proxy.evidence.classify import CLASSES, Reason
from proxy.evidence.difference import DifferenceKind
from proxy.evidence.kinds import EvidenceKind
from proxy.log import EVENTS, NESTED, SCHEMAS

_TEXT = {"type": "string"}
_SIDE = {"type": ["string", "integer", "null"]}


def log_schema() -> dict[str, Any]:
    """The schema (draft-07). Lines of the same version may get further fields: readers pass over what they do not know."""
    difference = {
        "pointer": {**_TEXT, "description": "Pointer into v2's contract; array places as *."},
        "kind": {"enum": list(get_args(DifferenceKind))},
        "v2": _SIDE,
        "v2_1": _SIDE,
        "rule": {"type": ["string", "null"]},
    }
    fields: dict[str, Any] = {
        "event": {"const": "divergence"},
        "schema": {"const": SCHEMAS["divergence"]},
        "time": {**_TEXT, "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
        "request_id": _TEXT,
        "endpoint": _TEXT,
        "stage": {"enum": [*Stage]},
        "evidence": {"enum": list(get_args(EvidenceKind))},
        "class": {"enum": [one for one in CLASSES if one != "equal"]},
        "caller": {**_TEXT, "pattern": "^([0-9a-f]{8,16}|anonymous)$"},
        "record": {"type": ["string", "null"]},
        "groups": {"type": "array", "items": {**_TEXT, "pattern": "^g-[a-z2-7]{6}$"}},
        "differences": {
            "type": "array",
            "items": {"type": "object", "required": list(NESTED["differences"]), "properties": difference},
        },
        "reason": {"enum": list(get_args(Reason))},
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A comparison of two API versions that is not equal",
        "type": "object",
        "required": ["event", "schema", "time", *EVENTS["divergence"].required],
        "properties": fields,
    }


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(log_schema(), indent=2) + "\n", "utf-8")
