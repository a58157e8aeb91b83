"""`make bench`: run every bench, print it, and write docs/benchmarks.md: `python -m tests.bench.page FILE [--quick]`."""

from __future__ import annotations

import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

_INTRODUCTION = """# Benchmarks

Written by `make bench` on {day}: CPython {python}, {machine}. Every program can be run on its own; none fails on time.
Absolute figures move by half from machine to machine. Read the ratios, which are taken between neighbours of one run.

One core has the proxy, the other upstream and load. crossfade runs as it does in production, one process, with translation,
routing, accounting, metrics and journal (without fsync); only `server.max_in_flight` is raised for 256 connections.

Bars in microseconds were set on a faster machine. *Where the bars were set* is the figure divided by how much slower this
machine is in the same run: CPU by a Starlette hello world (63 µs there), latency by what nginx adds (40 µs there). The bare
ASGI app over crossfade's engine checks, counts and translates nothing: it is what is left for everything else.

How Python was built matters as well. Debian's own and that of the image are optimised by profile; side by side on one machine
they took 15 % less for a translated call, 23 % less for one passed on and 7 % less for the hello world than one compiled
without that. Compiling crossfade's own hot path (mypyc) took off another 10 to 14 %: not worth a compiler in the build.
"""
_PARTS = (
    ("Beside nginx and a naive proxy", "bench_proxies", True),
    ("What a caller feels of shadowing", "bench_shadow", True),
    ("Translating", "bench_translation", False),
    ("Comparing", "bench_evidence", False),
    ("The journal", "bench_journal", False),
    ("The readiness report", "bench_report", False),
    ("The upstream engines", "bench_engine", False),
)
"""Title, program, whether it prints Markdown."""
_QUICK = {"bench_proxies": ("3", "2")}
"""What `--quick` says to programs: fewer and shorter rounds."""


def main() -> None:
    """Run them all."""
    day = datetime.now(UTC).date().isoformat()
    machine = f"{platform.system()} on {platform.machine()}"
    parts = [_INTRODUCTION.format(day=day, python=platform.python_version(), machine=machine)]
    for title, program, markdown in _PARTS:
        words = _QUICK.get(program, ()) if "--quick" in sys.argv[2:] else ()
        print(f"\n## {title}: python -m tests.bench.{program}\n", flush=True)
        done = subprocess.run(
            [sys.executable, "-m", f"tests.bench.{program}", *words],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        print(done.stdout, flush=True)
        if done.returncode:
            sys.exit(done.returncode)
        said = done.stdout.strip() if markdown else f"```\n{done.stdout.strip()}\n```"
        parts.append(f"## {title}\n\n`python -m tests.bench.{program}`\n\n{said}\n")
    Path(sys.argv[1]).write_text("\n".join(parts), "utf-8")


if __name__ == "__main__":
    main()
