"""Which version answers: every row of the table at the head of `proxy/cutover/decide.py`."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from proxy.config.model import Config
from proxy.cutover.decide import NATIVE, UNMAPPED, Ahead, Caller, Decider
from proxy.cutover.routes import Routes
from proxy.cutover.stage import Stage
from proxy.errors import Fault, Refused
from proxy.mapping.api import CompiledMapping, load
from proxy.types import Headers, Version
from tests.mapping.goldens import BASES, FOLDER

SALT = b"s" * 32
KNOWN = Caller("a1b2c3d4", [])
STRANGER = Caller("ffffffff", [])
WRITES = load(FOLDER).writes


@cache
def mapping() -> CompiledMapping:
    return load(FOLDER).compiled({}, BASES)


def decider(*routes: dict[str, Any], unmapped_to_v2: bool = False) -> Decider:
    address = {"base_url": "http://localhost"}
    config = Config.model_validate({"upstream": {"v2": address, "v2_1": address}, "route": list(routes)})
    return Decider(mapping(), Routes.compile(config, WRITES), SALT, unmapped_to_v2)


def everything(stage: str, **more: Any) -> Decider:
    return decider({"stage": stage, **more})


def looked(
    by: Decider, method: str, path: bytes, query: bytes | None = None, caller: Caller = KNOWN
) -> Ahead:
    return by.look(method, path, query, caller)


@pytest.mark.parametrize(
    ("stage", "version"),
    [
        ("v2", Version.V2),
        ("shadow", Version.V2),
        ("live", Version.V2_1),
        ("v2.1", Version.V2_1),
    ],
)
@pytest.mark.parametrize(
    ("call", "endpoint"),
    [
        (("POST", b"/v2/orders", None), "orders.create"),
        (("POST", b"/v2/orders", b"guestRef=g"), "orders.create"),
        (("GET", b"/v2/orders", b"referenceId=a&limit=5&offset=1"), "orders.list"),
        (("GET", b"/v2/orders/", b""), "orders.list"),
        (("HEAD", b"/v2/orders/one", None), "orders.get"),
        (("GET", b"/v2/orders/a%20b", b"expand=orderItems"), "orders.get"),
        (("POST", b"/v2/orders/one/", None), "orders.update"),
        (("DELETE", b"/v2/orders/one", None), "orders.delete"),
    ],
)
def test_a_mapped_call_goes_where_its_route_says(
    stage: str, version: Version, call: tuple[str, bytes, bytes | None], endpoint: str
) -> None:
    by = everything(stage)
    ahead = looked(by, *call)
    assert ahead.label == endpoint
    assert (ahead.version, ahead.stage) == (version, Stage(stage))
    assert ahead.endpoint is mapping().endpoints[endpoint]
    assert by.settle(ahead, b"", KNOWN) is version


def test_what_was_found_goes_along() -> None:
    ahead = looked(everything("v2.1"), "GET", b"/v2/orders/a%20b", b"expand=orderItems")
    assert ahead.path == {"orderRef": b"a%20b"}
    assert ahead.pairs == [(b"expand", b"orderItems")]


def test_without_a_route_v2_answers() -> None:
    ahead = looked(decider(), "GET", b"/v2/orders/one")
    assert (ahead.version, ahead.stage, ahead.label) == (Version.V2, Stage.V2, "orders.get")


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("GET", b"/v2/guests/g", None),
        ("GET", b"/v2/orders/one/attachments", None),
        ("PATCH", b"/v2/orders/one", None),
        ("PUT", b"/v2/orders", None),
        ("GET", b"/v2/orders", b"referenceId=a&sort=price"),
        ("GET", b"/v2/orders/one", b"exp%61nd=orderItems"),
    ],
)
@pytest.mark.parametrize("stage", ["v2", "shadow", "canary"])
def test_what_no_endpoint_covers_goes_to_v2_untranslated(
    stage: str, method: str, path: bytes, query: bytes | None
) -> None:
    more = {"percent": 50} if stage == "canary" else {}
    by = everything(stage, **more)
    ahead = looked(by, method, path, query)
    assert (ahead.label, ahead.version, ahead.endpoint, ahead.stage) == (
        UNMAPPED,
        Version.V2,
        None,
        Stage.V2,
    )
    assert by.settle(ahead, b"", KNOWN) is Version.V2


def test_another_method_is_refused_once_v2_1_answers_everything_at_that_path() -> None:
    for stage in ("live", "v2.1"):
        with pytest.raises(Refused) as caught:
            looked(everything(stage), "PATCH", b"/v2/orders/one")
        assert caught.value.fault is Fault.METHOD
        assert "GET, HEAD, OPTIONS, POST" in caught.value.detail
    partly = decider({"endpoint": "orders.get", "stage": "live"}, {"stage": "v2"})
    assert looked(partly, "PATCH", b"/v2/orders/one").version is Version.V2
    kept = decider({"stage": "v2.1"}, unmapped_to_v2=True)
    assert looked(kept, "PATCH", b"/v2/orders/one").version is Version.V2


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (b"/v2/orders/one/attachments", None),
        (b"/v2/orderItems/i/attachments", None),
        (b"/v2/orders", b"x=1"),
        (b"/v2/%6frders", b"referenceId=one"),
        (b"/v2/order%73/one", None),
    ],
)
def test_an_unmapped_order_call_is_refused_once_the_caller_has_left_v2(
    path: bytes, query: bytes | None
) -> None:
    with pytest.raises(Refused) as caught:
        looked(everything("v2.1"), "GET", path, query)
    assert caught.value.fault is Fault.UNMAPPED
    assert 'unmapped = "v2"' in caught.value.detail
    assert looked(everything("live"), "GET", path, query).version is Version.V2
    kept = decider({"stage": "v2.1"}, unmapped_to_v2=True)
    assert looked(kept, "GET", path, query).version is Version.V2


def test_a_caller_that_has_not_left_v2_keeps_its_unmapped_calls() -> None:
    by = decider({"callers": [KNOWN.id], "stage": "v2.1"}, {"stage": "shadow"})
    with pytest.raises(Refused):
        looked(by, "GET", b"/v2/orders/one/attachments", caller=KNOWN)
    assert looked(by, "GET", b"/v2/orders/one/attachments", caller=STRANGER).version is Version.V2


def test_other_calls_to_v2_pass_even_then() -> None:
    assert looked(everything("v2.1"), "GET", b"/v2/guests/g").version is Version.V2


@pytest.mark.parametrize("stage", ["v2", "v2.1"])
def test_a_call_that_speaks_v2_1_already_goes_there(stage: str) -> None:
    ahead = looked(everything(stage), "PATCH", b"/v2.1/orders/one", b"any=thing")
    assert (ahead.label, ahead.version, ahead.endpoint) == (NATIVE, Version.V2_1, None)


@pytest.mark.parametrize("path", [b"/", b"/v2", b"/v3/orders", b"/V2/orders", b"/api/v2/orders", b"/v2.1"])
def test_any_other_path_is_not_found(path: bytes) -> None:
    with pytest.raises(Refused) as caught:
        looked(everything("v2"), "GET", path)
    assert caught.value.fault is Fault.NOT_FOUND


# ------------------------------------------------------------------------------------------------- OPTIONS


def options(by: Decider, path: bytes, meant: bytes | None = None) -> Ahead:
    headers: Headers = [] if meant is None else [(b"Access-Control-Request-Method", meant)]
    return looked(by, "OPTIONS", path, caller=Caller(KNOWN.id, headers))


def test_a_question_goes_to_the_version_that_answers_the_method_that_is_meant() -> None:
    by = decider({"reads": True, "stage": "live"}, {"stage": "v2"})
    assert options(by, b"/v2/orders/one", b"GET").version is Version.V2_1
    assert options(by, b"/v2/orders/one", b"POST").version is Version.V2
    assert options(by, b"/v2/orders/one").version is Version.V2_1
    assert options(by, b"/v2/orders/one", b"PATCH").endpoint is not None


def test_in_a_canary_a_question_goes_to_v2() -> None:
    by = everything("canary", percent=60)
    ahead = options(by, b"/v2/orders/one", b"GET")
    assert ahead.version is Version.V2
    assert by.settle(ahead, b"", KNOWN) is Version.V2


def test_a_question_is_answered_with_the_methods_that_are_carried() -> None:
    by = everything("v2.1")
    assert options(by, b"/v2/orders/one").allow == ("GET", "HEAD", "OPTIONS", "POST")
    assert options(by, b"/v2/orders").allow == ("GET", "HEAD", "OPTIONS", "POST")
    assert options(by, b"/v2/guests/g").label == UNMAPPED


def test_the_stages_are_steps_on_one_way() -> None:
    assert [stage.step for stage in Stage] == [0, 1, 2, 3, 4]
    assert Stage.V2.step < Stage.SHADOW.step < Stage.CANARY.step < Stage.LIVE.step < Stage.V2_1.step
