"""An exported test fails while the divergence exists and passes once it is mended: real traffic, a real run of pytest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from proxy.emulator import Misbehaviour
from proxy.evidence.difference import Difference
from proxy.evidence.export import NotExportable, exported
from proxy.store import Store
from proxy.store.rows import Group, GroupKey, Shape, Triage
from tests.cli.test_divergences import run
from tests.emulator.caller import FIRST_REF, order
from tests.endtoend.configured import configuration
from tests.endtoend.running import Carried, carried
from tests.evidence.answers import MAPPING
from tests.store.seen import group_of
from tests.store.test_trouble import wait_for

READ = f"/v2/orders/{FIRST_REF}"
WAYS = {
    "prints price as text": ("/price", "type"),
    "drops cardType": ("/cardType", "missing"),
    "adds an unknown member": ("/{unknown", "extra"),
}


@pytest.mark.parametrize("way", WAYS)
def test_it_fails_against_the_diverging_platform_and_passes_against_the_mended_one(
    tmp_path: Path, way: str
) -> None:
    """Seen in shadow by comparing both versions; decided where v2.1 answers."""
    pointer, kind = WAYS[way]
    address = f"sqlite:///{tmp_path / 'crossfade.db'}"
    keys = {"store.url": address, "shadow.sample": 1.0, "shadow.max_calls_per_second": 10_000}
    with carried(["shadow"], keys=keys) as proxy:
        proxy.json("POST", "/v2/orders", order())
        proxy.emulator.mischief.set("v2.1", Misbehaviour(drift=1.0, way=way))
        proxy.json("GET", READ)
        wait_for(lambda: bool(groups(address, pointer, kind)), proxy)
    (group,) = groups(address, pointer, kind)
    configuration(tmp_path, "http://localhost:9", {}, {})
    done = run(
        tmp_path, "divergences", "export", group.key.id, "--output", str(tmp_path / "test_exported.py")
    )
    assert done.exit_code == 0, done.output
    with carried(["v2.1"]) as proxy:
        proxy.emulator.mischief.set("v2.1", Misbehaviour(drift=0.3, way=way))
        assert outcome(tmp_path, proxy) == 1
        proxy.emulator.mischief.set("v2.1", Misbehaviour())
        assert outcome(tmp_path, proxy) == 0


def groups(address: str, pointer: str, kind: str) -> list[Group]:
    try:
        with Store(address) as store:
            return [
                one
                for one in store.groups()
                if one.key.endpoint == "orders.get"
                and one.key.pointer.startswith(pointer)
                and one.key.kind == kind
            ]
    except Exception:  # noqa: BLE001 - it is not there before the first batch
        return []


def outcome(folder: Path, proxy: Carried) -> int:
    """The exit code of pytest over the exported file, somewhere where there is nothing of ours."""
    environ = os.environ | {
        "CROSSFADE_BASE_URL": proxy.url,
        "CROSSFADE_CREDENTIALS": "client-1:token-1",
        "PYTHONPATH": "",
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return done.returncode


def made(
    difference: Difference,
    endpoint: str = "orders.get",
    statuses: tuple[int, int] = (200, 200),
    evidence: str = "shadow_read",
) -> Group:
    key = GroupKey(
        id=group_of(difference, endpoint),
        endpoint=endpoint,
        status_v2=statuses[0],
        status_v2_1=statuses[1],
        pointer=difference.pointer,
        kind=difference.kind,
        v2=None if difference.v2 is None else str(difference.v2),
        v2_1=None if difference.v2_1 is None else str(difference.v2_1),
    )
    return Group(key, 0, 0, 1, 1, 1, Triage(), (Shape(0, "request-1", evidence, "shadow", ()),))


@pytest.mark.parametrize(
    ("group", "why"),
    [
        (made(Difference("/price", "value", "number", "number")), "values are not kept"),
        (made(Difference("", "status", 200, 404)), "different statuses"),
        (made(Difference("/message", "missing", "string", None), statuses=(404, 404)), "error"),
        (made(Difference("/price", "missing", "number", None), evidence="translate_only"), "request"),
        (made(Difference("/price", "missing", "number", None), evidence="read_back"), "read back"),
        (made(Difference("/{unknown:a1}", "missing", "string", None)), "keyed hash"),
        (made(Difference("/price", "type", "number", "string"), "orders.gone"), "no such endpoint"),
        (made(Difference("/price", "type", "number", "string"), statuses=(206, 206)), "says nothing"),
        (made(Difference("/items/*/price", "missing", "number", None), "orders.list"), "several forms"),
        (made(Difference("/nowhere/{unknown:a1}", "extra", None, "string")), "list the members"),
        (made(Difference("/{unknown:a1}/more", "extra", None, "string")), "list the members"),
    ],
    ids=lambda one: one if isinstance(one, str) else None,
)
def test_what_shape_alone_does_not_decide_says_why_it_cannot_be_exported(group: Group, why: str) -> None:
    with pytest.raises(NotExportable, match=why):
        exported(group, MAPPING)


def test_every_call_about_an_order_can_be_put_into_a_test(tmp_path: Path) -> None:
    calls = [
        ("orders.get", "/price", 200),
        ("orders.create", "/price", 201),
        ("orders.update", "/price", 200),
    ]
    calls.append(("orders.list", "/items/*/price", 200))
    texts = []
    for endpoint, pointer, status in calls:
        group = made(Difference(pointer, "type", "number", "string"), endpoint, statuses=(status, status))
        texts.append(exported(group, MAPPING))
        (tmp_path / f"test_exported_{len(texts)}.py").write_text(texts[-1])
    with carried(["v2.1"]) as proxy:
        assert outcome(tmp_path, proxy) == 0
        proxy.emulator.mischief.set("v2.1", Misbehaviour(drift=1.0, way="prints price as text"))
        assert outcome(tmp_path, proxy) == 1


def test_nothing_that_was_sent_or_stored_stands_in_an_exported_test() -> None:
    text = exported(made(Difference("/price", "type", "number", "string")), MAPPING)
    assert "request-1" not in text
    assert "proxy" not in text
    compile(text, "test_exported.py", "exec")
