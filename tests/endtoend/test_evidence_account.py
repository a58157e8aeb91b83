"""The account of comparisons adds up at every scrape of a real process: under load, in trouble, over a restart."""

from __future__ import annotations

import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from proxy.emulator import Misbehaviour
from tests.emulator.caller import FIRST_REF, order
from tests.endtoend.configured import LINKS
from tests.endtoend.process import Served, served
from tests.servers import emulator

READ = f"/v2/orders/{FIRST_REF}"
KEYS = {
    "shadow.sample": 1.0,
    "shadow.max_calls_per_second": 50,
    "shadow.queue_items": 20,
    "shadow.timeout": "200ms",
    "shadow.max_lag": "100ms",
}
TROUBLE = Misbehaviour(close=0.2, truncate=0.1, error_503=0.2, slow=0.2, slow_seconds=0.3)


def account(process: Served) -> tuple[float, float, float]:
    """What one scrape says: received, ended, in flight."""
    text = process.operator("/metrics").body.decode()
    received, in_flight = (
        float(re.findall(rf"^crossfade_comparisons_{name} (\S+)", text, re.MULTILINE)[0])
        for name in ("received_total", "in_flight")
    )
    ended = sum(map(float, re.findall(r"^crossfade_comparisons_total\{.*\} (\S+)", text, re.MULTILINE)))
    return received, ended, in_flight


def test_the_account_adds_up_at_every_scrape(tmp_path: Path) -> None:
    routes = {"route": [{"endpoint": "*", "stage": "canary", "percent": 50, "sticky": "caller"}]}
    with emulator(base_url=LINKS) as (url, app):
        for _ in range(2):
            with served(tmp_path, url, routes, KEYS) as process:
                process.ask("POST", "/v2/orders", json.dumps(order()))
                app.mischief.set("v2.1", TROUBLE)
                over = threading.Event()
                scrapes: list[tuple[float, float, float]] = []

                def scraped(
                    one: Served, into: list[tuple[float, float, float]], end: threading.Event
                ) -> None:
                    while not end.is_set():
                        into.append(account(one))

                with ThreadPoolExecutor(5) as pool:
                    watching = pool.submit(scraped, process, scrapes, over)
                    list(pool.map(lambda turn, one=process: mixed(one, turn), range(150)))
                    over.set()
                    watching.result()
                assert all(received == ended + waits for received, ended, waits in scrapes)
                assert len(scrapes) > 10
                until = time.monotonic() + 10
                while account(process)[2] and time.monotonic() < until:
                    time.sleep(0.05)
                received, ended, waits = account(process)
                assert received == ended >= 100
                assert waits == 0


def mixed(process: Served, turn: int) -> None:
    """A read, or a write that carries a new price."""
    if turn % 3:
        process.ask("GET", READ)
    else:
        process.ask("POST", READ, json.dumps(order(price=turn)))
