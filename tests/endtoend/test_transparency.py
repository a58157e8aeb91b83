"""Stage v2 is transparent: what the caller gets and what the platform gets are what they would be without the proxy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from proxy.emulator import Emulator, Misbehaviour, Mischief, Platform
from proxy.emulator.recorded import Recorded
from tests.emulator.caller import fresh_platform
from tests.endtoend.message import BY_HOP, OURS, lines
from tests.endtoend.odd import ODD
from tests.endtoend.running import LINKS, Carried, carried
from tests.raw import fetch
from tests.servers import RawUpstream, emulator

ODD_ANSWERS: dict[str, dict[str, Any]] = {
    "as documented": {},
    "pretty": {"pretty": True, "v2_paging": "all", "v2_error_link": "both", "v2_401_status": "text"},
    "strict": {
        "v2_match": "refuse",
        "v2_content_type": "415",
        "v2_nested": "refuse",
        "unknown_fields": "refuse",
    },
    "loose": {"v2_point_of_sale": "accept", "v2_delete": "delete", "v2_update_status": 201, "cors": False},
    "broken": {
        "v2_content_type": "500",
        "v2_guest_ref": "refuse",
        "v2_both_filters": "refuse",
        "gzip": False,
    },
}
TROUBLE = Misbehaviour(
    error_500=0.2, error_503=0.2, too_many=0.2, drift=0.4, slow=0.05, slow_seconds=0.01, seed=7
)


def still_platform(**switches: Any) -> Platform:
    """A platform whose clock stands, so that a second reader of it changes nothing."""
    platform = fresh_platform(**switches)
    platform.clock = lambda: datetime(2025, 12, 19, 12, 19, 1, 268_000, UTC)
    return platform


def seen(record: Recorded, sent: bytes) -> tuple[str, bytes, list[tuple[bytes, bytes]], bytes]:
    """What the platform got; a chunked body gets a length on its way, as RFC 9112 §6 lets it."""
    framing = {b"content-length"} if b"chunked" in sent else set()
    kept = [pair for pair in record.headers if pair[0] not in BY_HOP | OURS | framing]
    return record.method, record.target, kept, record.body


@pytest.mark.parametrize("kind", [*ODD_ANSWERS, "in trouble"])
@pytest.mark.parametrize("stage", ["v2", "shadow"])
def test_every_answer_and_every_request_is_what_it_is_without_the_proxy(stage: str, kind: str) -> None:
    switches = ODD_ANSWERS.get(kind, {})
    trouble = TROUBLE if kind == "in trouble" else Misbehaviour()
    accounts = {"client-1": "token-1"}
    direct = emulator(
        still_platform(**switches), base_url=LINKS, accounts=accounts, mischief=Mischief({"v2": trouble})
    )
    proxied = carried(
        [stage],
        # Where each call counts for what breaks next, comparing must not make any.
        keys={"shadow.sample": 1.0, "shadow.max_calls_per_second": 0 if kind == "in trouble" else 1000},
        platform=still_platform(**switches),
        accounts=accounts,
        mischief=Mischief({"v2": trouble}),
    )
    with direct as (url, app), proxied as proxy:
        for name, raw in ODD.items():
            expected, got = fetch(url, raw), fetch(proxy.url, raw)
            counted = b"x-correlation-id"  # counts the shadow's calls as well
            assert lines(got, counted) == lines(expected, counted), name
            assert seen(of_v2(proxy.emulator, raw), raw) == seen(of_v2(app, raw), raw), name


def of_v2(app: Emulator, raw: bytes) -> Recorded:
    """The latest call that is no comparison's: those read, and ask for no coding."""
    callers = [one for one in app.recorded if not one.target.startswith(b"/v2.1/")]
    if b"identity" not in raw:
        callers = [one for one in callers if one.header("accept-encoding") != "identity"]
    return callers[-1]


@pytest.fixture(scope="module")
def echo() -> Iterator[tuple[RawUpstream, Carried]]:
    answer = b"HTTP/1.1 200 OK\r\nX-Case: Kept\r\nx-twice: 1\r\nX-Twice: 2\r\ncontent-length: 2\r\n\r\n{}"
    empty = answer.removesuffix(b"{}")
    canned = RawUpstream(lambda raw: empty if raw.startswith(b"HEAD") else answer)
    with canned as upstream, carried(["v2"], upstream=upstream.url) as proxy:
        yield upstream, proxy


@pytest.mark.parametrize("name", ODD)
def test_the_bytes_on_the_platforms_wire_are_the_callers(
    name: str, echo: tuple[RawUpstream, Carried]
) -> None:
    upstream, proxy = echo
    raw = ODD[name]
    upstream.requests.clear()
    answer = fetch(proxy.url, raw)
    [arrived] = upstream.requests
    framing = b"content-length"
    start, fields, body = lines(arrived, framing)
    sent_start, sent_fields, sent_body = lines(raw, framing)
    assert start == sent_start
    assert fields == sent_fields
    assert b"chunked" in raw or body == sent_body
    expected = [b"x-case: Kept", b"x-twice: 1", b"x-twice: 2", b"content-length: 2"]
    assert lines(answer)[1] == expected
