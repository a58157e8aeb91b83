"""The log: one line per event, nothing but what its table names, no harm when it cannot be written."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import ConfigError
from proxy.log import EVENTS, NESTED, Event, foreign_loggers, open_log

PAGE = Path(__file__).parents[1] / "docs" / "log.md"
REQUEST: dict[str, Any] = {
    "request_id": "r1",
    "endpoint": "orders.get",
    "method": "GET",
    "status": 200,
    "duration_ms": 1.5,
    "caller": "a1b2c3d4",
}
HOSTILE = [
    "a\r\nb",
    "\x1b[31mred\x1b[0m",
    "x\u2028y\u2029z",
    "nul\x00",
    "\x85\x0b\x0c\x1c",
    '"}\n{"event":"x"}',
    "\ud800",
    "\x7f\x9b",
]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


def test_a_field_that_is_not_in_the_table_is_dropped(tmp_path: Path) -> None:
    log = open_log(str(tmp_path / "log"))
    log.bind(authorization="Basic geheim").write(
        "request", **REQUEST, body="geheim", email="geheim@example.com"
    )
    assert "geheim" not in (tmp_path / "log").read_text()
    (line,) = lines(tmp_path / "log")
    time = line.pop("time")
    assert line == {"event": "request", **REQUEST}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time)


def test_a_divergence_has_schema_1_and_its_differences_are_held_to_a_table_too(tmp_path: Path) -> None:
    log = open_log(str(tmp_path / "log"), strict=True)
    difference = {"pointer": "/status", "kind": "value", "v2": "string", "v2_1": "string", "rule": None}
    log.write(
        "divergence",
        request_id="r",
        endpoint="orders.get",
        stage="shadow",
        evidence="shadow_read",
        **{"class": "unexpected"},
        caller="a1b2c3d4",
        record="9f3c",
        groups=["g-7k2m"],
        differences=[difference | {"value": "geheim"}],
    )
    (line,) = lines(tmp_path / "log")
    assert list(line) == ["event", "schema", "time", *EVENTS["divergence"].required]
    assert line["schema"] == 1
    assert line["differences"] == [difference]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_value_stays_inside_its_line(tmp_path: Path, text: str) -> None:
    log = open_log(str(tmp_path / "log"), strict=True)
    log.write("request", **REQUEST | {"endpoint": text, "rules": [text, {text: text}]})
    log.write("request", **REQUEST)
    raw = (tmp_path / "log").read_bytes()
    assert raw.count(b"\n") == 2
    assert all(0x20 <= byte < 0x7F or byte == 0x0A for byte in raw)
    assert len(raw.decode().splitlines()) == 2
    assert lines(tmp_path / "log")[0]["endpoint"] == text


@given(st.text())
def test_any_text_stays_inside_its_line(text: str) -> None:
    reader, writer = os.pipe()
    try:
        log = open_log(f"/dev/fd/{writer}", strict=True)
        log.write("request", **REQUEST | {"method": text[:200]})
        raw = os.read(reader, 65536)
        log.close()
    finally:
        os.close(reader)
        os.close(writer)
    assert len(raw.decode("ascii").splitlines()) == 1
    assert json.loads(raw)["method"] == text[:200]


def test_a_value_that_is_not_json_shows_its_type_alone(tmp_path: Path) -> None:
    log = open_log(str(tmp_path / "log"))
    log.write("request", **REQUEST | {"endpoint": ValueError("geheim"), "method": b"geheim"})
    (line,) = lines(tmp_path / "log")
    assert (line["endpoint"], line["method"]) == ("ValueError", "bytes")


@pytest.mark.parametrize("event", get_args(Event))
def test_strict_mode_refuses_what_lacks_a_field_or_brings_one_along(tmp_path: Path, event: Event) -> None:
    log = open_log(str(tmp_path / "log"), strict=True)
    complete: dict[str, Any] = {name: [] for name in EVENTS[event].required}
    log.write(event, **complete)
    with pytest.raises(ValueError, match="not allowed \\['zzz'\\]"):
        log.write(event, **complete, zzz=1)
    complete.pop(EVENTS[event].required[-1])
    with pytest.raises(ValueError, match=f"missing \\['{EVENTS[event].required[-1]}'\\]"):
        log.write(event, **complete)
    assert len(lines(tmp_path / "log")) == 1


def test_outside_strict_mode_a_mistake_costs_a_line_and_raises_nothing(tmp_path: Path) -> None:
    log = open_log(str(tmp_path / "log"))
    log.write("no such event", x=1)  # type: ignore[arg-type]  # the mistake that is made here
    log.write("divergence", differences=5)
    assert log.lost == 2


def test_a_full_disk_costs_lines_and_raises_nothing() -> None:
    log = open_log("/dev/full")
    log.write("request", **REQUEST)
    log.write("request", **REQUEST)
    assert log.lost == 2


def test_a_reader_that_stops_costs_lines_never_time_and_no_line_is_torn() -> None:
    reader, writer = os.pipe()
    log = open_log(f"/dev/fd/{writer}")
    long = REQUEST | {"rules": ["x" * 9000]}
    for _ in range(100):
        log.write("request", **long)
    assert log.lost > 50
    lost = log.lost
    os.set_blocking(reader, False)
    raw = b""
    for _ in range(3):
        while True:
            try:
                raw += os.read(reader, 1 << 20)
            except BlockingIOError:
                break
        log.write("request", **REQUEST)
    raw += os.read(reader, 1 << 20)
    os.close(reader)
    os.close(writer)
    whole = [json.loads(line) for line in raw.splitlines()]
    assert len(whole) == 103 - lost
    assert log.lost == lost


def test_a_reader_that_has_gone_costs_lines_and_raises_nothing() -> None:
    reader, writer = os.pipe()
    log = open_log(f"/dev/fd/{writer}")
    os.close(reader)
    log.write("request", **REQUEST)
    os.close(writer)
    assert log.lost == 1


def test_a_file_that_cannot_be_opened_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'log.divergences: .*No such file.*or write "-"'):
        open_log(str(tmp_path / "none" / "log"))


def test_a_dash_is_standard_output_and_a_file_is_appended_to(tmp_path: Path) -> None:
    program = "from proxy.log import open_log; open_log({!r}).write('draining', in_flight=1, delay_ms=5)"
    done = subprocess.run(
        [sys.executable, "-c", program.format("-")], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["event"] == "draining"
    path = tmp_path / "log"
    for _ in range(2):
        subprocess.run([sys.executable, "-c", program.format(str(path))], check=True)
    assert len(lines(path)) == 2


@pytest.mark.parametrize(
    "name", ["uvicorn.error", "uvicorn.access", "httpx", "httpcore.connection", "asyncio", "x.y"]
)
def test_another_librarys_text_never_reaches_the_log(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    log = open_log(str(tmp_path / "log"), strict=True)
    with foreign_loggers(log):
        logging.getLogger(name).info("geheim")
        logging.getLogger(name).warning("GET /geheim %s", "geheim")
        try:
            int("geheim")
        except ValueError:
            logging.getLogger(name).exception("geheim")
    raw = (tmp_path / "log").read_text()
    assert "geheim" not in raw + "".join(capfd.readouterr())
    found = [
        {k: v for k, v in line.items() if k not in {"event", "time"}} for line in lines(tmp_path / "log")
    ]
    assert found == [
        {"logger": name, "level": "warning", "exception": None},
        {"logger": name, "level": "error", "exception": "ValueError"},
    ]


def test_warnings_are_runtime_events_and_everything_is_put_back(tmp_path: Path) -> None:
    before = logging.getLogger().handlers
    log = open_log(str(tmp_path / "log"), strict=True)
    with foreign_loggers(log), warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("geheim", stacklevel=1)
    assert [line["logger"] for line in lines(tmp_path / "log")] == ["py.warnings"]
    assert logging.getLogger().handlers == before


def test_the_page_explains_every_event_and_every_field() -> None:
    page = PAGE.read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| [^|`]+ \| ((?:`\w+`(?:\\\*)? ?)+)\|$", page, re.MULTILINE))
    told = {event: re.findall(r"`(\w+)`(\\\*)?", fields) for event, fields in rows.items()}
    assert told == {
        event: [(name, r"\*") for name in fields.required] + [(name, "") for name in fields.optional]
        for event, fields in EVENTS.items()
    }
    explained = set(re.findall(r"^\| `(\w+)` \| [^|]+ \|$", page, re.MULTILINE))
    every = {name for fields in EVENTS.values() for name in (*fields.required, *fields.optional)}
    assert explained == every | set(NESTED["differences"])
