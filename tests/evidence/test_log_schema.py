"""The published schema of the divergence log is up to date, and holds for what is really written."""

from __future__ import annotations

import json
from pathlib import Path

import fastjsonschema
import pytest

from proxy.emulator import Misbehaviour
from proxy.evidence.log_schema import log_schema
from proxy.log import EVENTS, NESTED
from tests.emulator.caller import FIRST_REF, order
from tests.endtoend.running import carried

FILE = Path(__file__).parents[2] / "docs" / "divergence-log.schema.json"
READ = f"/v2/orders/{FIRST_REF}"


def test_the_file_is_up_to_date() -> None:
    assert json.loads(FILE.read_text("utf-8")) == log_schema(), (
        "run: python -m proxy.evidence.log_schema docs/divergence-log.schema.json"
    )


def test_it_knows_every_field_of_a_line() -> None:
    fields = EVENTS["divergence"]
    schema = log_schema()
    assert set(schema["properties"]) == {"event", "schema", "time", *fields.required, *fields.optional}
    assert set(schema["properties"]["differences"]["items"]["properties"]) == set(NESTED["differences"])


@pytest.mark.parametrize(("stage", "least"), [("shadow", 12), ("v2.1", 6)])
def test_lines_of_real_traffic_keep_to_it(stage: str, least: int) -> None:
    holds = fastjsonschema.compile(json.loads(FILE.read_text("utf-8")))
    keys = {"shadow.sample": 1.0, "shadow.max_calls_per_second": 10_000}
    with carried([stage], keys=keys) as proxy:
        proxy.json("POST", "/v2/orders", order())
        proxy.emulator.mischief.set("v2.1", Misbehaviour(drift=1.0))
        for _ in range(10):
            proxy.ask("GET", READ)
        proxy.emulator.mischief.set("v2.1", Misbehaviour(error_500=1.0))
        proxy.ask("GET", READ)
        lines = proxy.log_lines("divergence", least=least)
    assert {"unexpected", "failed"} <= {line["class"] for line in lines}
    for line in lines:
        holds(line)
        with pytest.raises(fastjsonschema.JsonSchemaException):
            holds({**line, "class": "equal"})
