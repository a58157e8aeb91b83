"""`crossfade report` over a large store: 10,000 open groups, each met by all of 200 callers; bar 1 s.

`python -m tests.bench.bench_report [--groups N] [--callers N]`: fills a store in a temporary folder, then prints how long
the report takes, reading included, and whether two reports of the same data are the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from proxy.cli.report import Form, ground_of, report_of, written
from proxy.config.load import load
from proxy.evidence.kinds import kinds
from proxy.store.database import Database
from proxy.store.schema import ACTIVITY, COUNTS, GROUPS, SIGHTINGS, TOUCHED
from proxy.types import Version

NOW = 1_790_000_040
_ENDPOINTS = ("orders.get", "orders.list", "orders.create", "items.list", "items.get")
_PIECE = 50_000


def fill(database: Database, groups: int, callers: int) -> None:
    """Make a store of that size."""
    names = [f"{number:016x}" for number in range(callers)]
    ids = [f"g-{number:06}" for number in range(groups)]
    with database.writing() as connection:
        for table, rows in (
            (GROUPS, _groups(ids)),
            (TOUCHED, ({"group": g, "caller": c, "count": 1, "last_seen": NOW} for g in ids for c in names)),
            (SIGHTINGS, ({"group": g, "record": f"r{n}", "count": 1, "last_seen": NOW} for g in ids for n in range(5))),
            (COUNTS, _counts(names)),
            (ACTIVITY, _activity(names)),
        ):  # fmt: skip
            piece: list[dict[str, Any]] = []
            for row in rows:
                piece.append(row)
                if len(piece) == _PIECE:
                    connection.execute(table.insert(), piece)
                    piece = []
            if piece:
                connection.execute(table.insert(), piece)


def _groups(ids: list[str]) -> Iterator[dict[str, Any]]:
    for number, name in enumerate(ids):
        yield {
            "id": name, "endpoint": _ENDPOINTS[number % len(_ENDPOINTS)], "status_v2": 200, "status_v2_1": 200,
            "pointer": f"/{number}", "kind": "value", "v2": "string", "v2_1": "string",
            "first_seen": NOW * 1000 - 1000, "last_seen": NOW * 1000, "count": number, "examples": "[]",
        }  # fmt: skip


def _counts(names: list[str]) -> Iterator[dict[str, Any]]:
    for minute in range(10):
        for endpoint in _ENDPOINTS:
            writes = endpoint.endswith("create")
            for evidence in kinds("shadow", Version.V2, writes=writes, status=200):
                for cls in ("equal", "unexpected"):
                    for caller in names:
                        yield {
                            "window": NOW // 60 * 60 - 60 * minute, "endpoint": endpoint, "route": "route", "stage": "shadow",
                            "evidence": evidence, "class": cls, "reason": "", "caller": caller, "count": 5, "records": 4,
                        }  # fmt: skip


def _activity(names: list[str]) -> Iterator[dict[str, Any]]:
    for endpoint in _ENDPOINTS:
        for caller in names:
            yield {
                "window": NOW // 3600 * 3600, "caller": caller, "endpoint": endpoint, "version": "v2", "call": "",
                "calls": 10, "failures": 0, "seconds": 0.5, "last_seen": NOW * 1000,
            }  # fmt: skip


CONFIG = """
[upstream.v2]
base_url = "http://127.0.0.1:1"
[upstream.v2_1]
base_url = "http://127.0.0.1:1"
[[route]]
stage = "shadow"
"""


def main() -> None:
    """Fill, report, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=int, default=10_000)
    parser.add_argument("--callers", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "crossfade.toml"
        path.write_text(CONFIG, "utf-8")
        ground = ground_of(load(path, {}))
        database = Database(f"sqlite:///{folder}/crossfade.db")
        fill(database, wanted.groups, wanted.callers)
        database.close()
        print(
            f"{wanted.groups} groups x {wanted.callers} callers, {wanted.groups * wanted.callers} meetings\n"
        )
        times: dict[str, list[float]] = {"report": [], "its CPU": [], **{form.value: [] for form in Form}}
        seen: dict[str, set[str]] = {form.value: set() for form in Form}
        for _ in range(wanted.rounds):
            begin, worked = time.perf_counter(), time.process_time()
            made = report_of(ground, f"sqlite:///{folder}/crossfade.db", NOW)
            times["report"].append(time.perf_counter() - begin)
            times["its CPU"].append(time.process_time() - worked)
            for form in Form:
                begin = time.perf_counter()
                text = written(made, form)
                times[form.value].append(time.perf_counter() - begin)
                seen[form.value].add(hashlib.sha256(text.encode()).hexdigest())
    for name, spent in times.items():
        print(f"{name:10} median {statistics.median(spent):.3f} s   worst {max(spent):.3f} s")
    print(f"same bytes each time: {'yes' if all(len(one) == 1 for one in seen.values()) else 'no'}")


if __name__ == "__main__":
    main()
