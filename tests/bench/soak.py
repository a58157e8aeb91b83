"""Memory under a long load: `python -m tests.bench.soak [minutes]`.

Three processes at once, each under a steady load: v2.1 answers everything; v2.1 is only compared with and is dead; v2 passes.
Resident memory is read every few seconds. After a warm-up of a third it has to stand still; else the program ends with 1.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import mean

from tests.bench.bench_shadow import troubled
from tests.bench.bench_translation import ORDER, grown
from tests.bench.contestants import (
    ALL_COMPARED,
    LOAD_CORE,
    PROXY_CORE,
    Contestant,
    as_answer,
    crossfade,
    running,
    upstream,
)
from tests.bench.load import fixed_rate
from tests.bench.rounds import ORDINARY

RATE = 100.0
ALLOWED = 4.0
"""MiB that the last third may lie above the middle one; a leak of 1 KiB a request would be 20 in ten minutes."""
_BODY = grown(ORDER, 512)
_HEAD = b"Host: localhost\r\nAuthorization: Basic Y2xpZW50OnNlY3JldA==\r\n"
_READ = b"GET /v2/orders/15b3b5d0-12a1-4cf0-abe8-2f35fcc20e0c HTTP/1.1\r\n" + _HEAD + b"\r\n"
_WRITE = (
    b"POST /v2/orders HTTP/1.1\r\n"
    + _HEAD
    + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(_BODY)
    + _BODY
)


def _load(one: Contestant, request: bytes, seconds: float, wrong: list[str]) -> None:
    try:
        spell = fixed_rate(one.port, request, rate=RATE / 2, seconds=seconds)
    except (OSError, AssertionError) as error:
        wrong.append(f"{one.name}: {error}")
        return
    if spell.bad:
        wrong.append(f"{one.name}: {spell.bad} of {spell.answered} calls were answered wrongly")


def _thirds(samples: list[float]) -> tuple[float, float]:
    third = max(len(samples) // 3, 1)
    return mean(samples[third : 2 * third] or samples), mean(samples[-third:])


def main() -> None:
    """Load, watch, tell."""
    seconds = float(sys.argv[1] if len(sys.argv) > 1 else 10) * 60
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="crossfade-soak-") as name, ExitStack() as stack:
        folder = Path(name)
        words, platform = upstream(folder, as_answer(ORDINARY))
        stack.enter_context(running("upstream", words, platform, LOAD_CORE))
        dead = stack.enter_context(troubled("hung"))
        stages = (
            ("v2.1 answers", "v2.1", platform),
            ("a dead shadow", "shadow", dead),
            ("v2 passes", "v2", platform),
        )
        contestants = []
        for title, stage, other in stages:
            words, port = crossfade(folder, f"{stage}-soak", stage, other, v2=platform, shadow=ALL_COMPARED)
            contestants.append(stack.enter_context(running(title, words, port, PROXY_CORE)))
        loads = [
            threading.Thread(target=_load, args=(one, request, seconds, wrong))
            for one in contestants
            for request in (_READ, _WRITE)
        ]
        for load in loads:
            load.start()
        samples: dict[str, list[float]] = {one.name: [] for one in contestants}
        while any(load.is_alive() for load in loads):
            for one in contestants:
                samples[one.name].append(one.memory())
            time.sleep(min(5.0, seconds / 30))
    print(
        f"{seconds / 60:.1f} minutes, {RATE:.0f} requests a second each, half of them writes; resident MiB\n"
    )
    for title, seen in samples.items():
        middle, last = _thirds(seen)
        print(
            f"{title:16} first {seen[0]:6.1f}  middle third {middle:6.1f}  last third {last:6.1f}  most {max(seen):6.1f}"
        )
        if last - middle > ALLOWED:
            wrong.append(f"{title}: grew by {last - middle:.1f} MiB")
    sys.exit("\n".join(wrong) or 0)


if __name__ == "__main__":
    main()
