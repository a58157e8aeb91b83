"""What real traffic leaves in the store: who called what, and nothing that a caller wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from proxy.emulator import Misbehaviour
from proxy.errors import ConfigError, StoreError
from proxy.store import Store
from proxy.wire.credentials import record_name
from tests.cli.test_cli import crossfade
from tests.emulator.caller import FIRST_REF, order
from tests.endtoend.process import served
from tests.endtoend.running import Carried, carried
from tests.servers import emulator
from tests.store.servers import PostgreSQL
from tests.store.test_trouble import wait_for

READ = f"/v2/orders/{FIRST_REF}"
ALL = {"shadow.sample": 1.0, "shadow.max_calls_per_second": 10_000}


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.store.recorder.FLUSH", 0.2)


def ask(proxy: Carried, question: Callable[[Store], Any]) -> Any:
    """What the store answers; `None` while there is none."""
    with Store(proxy.snapshot.config.store.url.get_secret_value()) as store:
        try:
            return question(store)
        except StoreError:
            return None


def calls(store: Store) -> dict[tuple[str, str, str], int]:
    return {(one.endpoint, one.version, one.call): one.calls for one in store.callers()}


def test_calls_are_counted_by_version_and_unmapped_ones_by_template() -> None:
    with carried([{"writes": True, "stage": "v2"}, {"reads": True, "stage": "live"}]) as proxy:
        proxy.json("POST", "/v2/orders", order())
        for _ in range(3):
            proxy.ask("GET", READ)
        proxy.ask("PATCH", READ, "{}")
        proxy.ask("PROPFIND", READ)
        proxy.ask("GET", READ + "?zebra=1")
        proxy.ask("GET", "/v2/orders/zebra/zebra/zebra")
        proxy.ask("GET", "/v2/zebras/zebra")
        expected = {
            ("orders.create", "v2", ""): 1,
            ("orders.get", "v2.1", ""): 3,
            ("unmapped", "v2", "PATCH /v2/orders/{orderRef}"): 1,
            ("unmapped", "v2", "OTHER /v2/orders/{orderRef}"): 1,
            ("unmapped", "v2", "GET /v2/orders/{orderRef}?…"): 1,
            ("unmapped", "v2", "GET /v2/orders/…"): 1,
            ("unmapped", "v2", "GET /v2/…"): 1,
        }
        wait_for(lambda: ask(proxy, calls) == expected, proxy)
        assert b"zebra" not in everything(proxy)


def everything(proxy: Carried) -> bytes:
    """All bytes of the store, with what is not yet in its main file."""
    file = Path(proxy.snapshot.config.store.url.get_secret_value().removeprefix("sqlite:///"))
    return b"".join(one.read_bytes() for one in file.parent.glob(f"{file.name}*"))


def test_no_value_key_or_credential_reaches_the_store() -> None:
    """Canaries in bodies, unknown members, queries, headers and paths, with answers that diverge everywhere."""
    with carried(["shadow"], keys=ALL) as proxy:
        body = order(referenceId="zebra-1", cardType="zebra-2") | {"zebra-3": {"zebra-4": "zebra-5"}}
        proxy.json("POST", "/v2/orders", body)
        proxy.emulator.mischief.set("v2.1", Misbehaviour(drift=1.0))
        for number in range(10):
            proxy.ask("GET", READ, b"", ("X-Zebra", f"zebra-{number}"), ("Cookie", "zebra=1"))
        proxy.ask("GET", "/v2/orders?referenceId=zebra-1&zebra=2")
        proxy.ask("GET", "/v2/orders/zebra-6")
        wait_for(lambda: (ask(proxy, lambda store: len(store.groups())) or 0) >= 3, proxy)
        text = everything(proxy)
        assert b"zebra" not in text.lower()
        assert b"token-1" not in text
        assert b"client-1" not in text


def test_a_record_is_found_again_by_the_hash_of_its_key() -> None:
    with carried(["shadow"], keys=ALL) as proxy:
        proxy.json("POST", "/v2/orders", order())
        proxy.emulator.mischief.set("v2.1", Misbehaviour(drift=1.0, way="drops cardType"))
        proxy.ask("GET", READ)
        name = record_name(proxy.snapshot.key, FIRST_REF)
        wait_for(lambda: len(ask(proxy, lambda store: store.sightings(name)) or ()) == 1, proxy)


def test_a_process_that_stops_leaves_everything_in_the_store(tmp_path: Path) -> None:
    with emulator() as (url, _app), served(tmp_path, url, {"route": [{"stage": "v2"}]}) as process:
        assert process.ask("POST", "/v2/orders", json.dumps(order())).status == 201
        assert process.end(2) == 0
        with Store(f"sqlite:///{tmp_path / 'crossfade.db'}") as store:
            assert [(one.endpoint, one.calls) for one in store.callers()] == [("orders.create", 1)]


def test_replicas_share_one_store_on_postgresql_and_the_commands_read_it(
    tmp_path: Path, server: PostgreSQL
) -> None:
    (tmp_path / "address").write_text(server.created("replicas") + "\n")
    key = "ab" * 32
    with emulator() as (url, _app), ExitStack() as stack:
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "identity.key").write_text(key)
            keys = {"store.url_file": "../address"}
            replica = stack.enter_context(served(tmp_path / name, url, {"route": [{"stage": "v2"}]}, keys))
            assert replica.ask("POST", "/v2/orders", json.dumps(order())).status == 201
            assert replica.end(2) == 0
    done = crossfade("callers", "--json", folder=tmp_path / "one")
    assert (done.returncode, done.stderr) == (0, "")
    (caller,) = json.loads(done.stdout)["callers"]
    assert (caller["v2"], caller["blocks"]) == (2, ["orders.create stands at v2"])
    done = crossfade("purge", "--all", folder=tmp_path / "two")
    assert done.stdout == "1 row deleted\n"  # the calls of an hour are one row


def test_a_missing_driver_is_told_before_the_start() -> None:
    program = "import sys; sys.modules['psycopg'] = None; from proxy.store import Store; Store('postgresql://u@h/d')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1].endswith("install crossfade with the extra [postgresql]")


def test_an_address_that_is_none_is_told_before_the_start() -> None:
    with pytest.raises(ConfigError, match=r"store.url: is no address"):
        Store("postgresql://user@host:port:port/x")
