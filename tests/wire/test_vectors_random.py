"""Targets and header sections by chance: what goes upstream is the canonical form of what came, or nothing does.

`make vectors` tries 50,000 of them, an ordinary run 200 in each stage.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy.cutover.decide import Caller
from proxy.errors import Refused, UpstreamFailed
from proxy.exchange import exchange
from proxy.snapshot import Snapshot
from proxy.translate import asked_of
from proxy.types import Call, Headers, Version
from proxy.upstream.request import outgoing_headers, request_head
from proxy.upstream.settings import parse_origin
from proxy.wire.headers import check_request, for_upstream
from proxy.wire.target import check_target, split
from tests.faults.gateway import Gate, House, house
from tests.faults.places import Place
from tests.faults.stories import told
from tests.wire.rfc import statuses, values
from tests.wire.test_vectors import heard

EXAMPLES = 25_000 if os.environ.get("CROSSFADE_VECTORS") == "long" else 200
ORIGIN = parse_origin("http://platform.test:8080/base")
METHODS = ("GET", "HEAD", "DELETE", "PUT", "PATCH", "OPTIONS", "PROPFIND", "get")
PREFIXES = (
    "/v2/orders",
    "/v2/orders/",
    "/v2.1/orders/",
    "/v2/",
    "/v2",
    "/V2/orders",
    "//v2/orders",
    "/",
    "",
    "@evil",
)
PIECES = (
    rb"/ // . .. /../ /./ ; \ ? & = # @ : * % %2e %2E%2e %2f %5c %00 %0d%0a %25 %252e %3f %23 %3b %c0%ae %c3%bc "
    rb"%ef%bc%8e %ef%bc%8f %e2%88%95 a B94TXY-1 orders orders/ v2 v2.1 http:// evil.test guests ref1 items %41 "
    rb"referenceId=1 guestRef=2 limit=5 limit=x expand=true + ~ ! ' ( ) [ ] { } | ^ `"
).split()
NAMES = (
    b"Host Authorization authorization Content-Length Transfer-Encoding Connection Via X-A X_A X-Forwarded-Host Cookie "
    b"Content_Length TE Upgrade Expect Proxy-Authorization X-HTTP-Method-Override x-crossfade-request-id Max-Forwards"
).split()
VALUES = (
    b"test",
    b"evil.test",
    b"a, b",
    b"close",
    b"authorization",
    b"1.1 crossfade",
    b"1.1 x",
    b"0",
    b"5",
    b"chunked",
)

targets = st.builds(
    lambda prefix, tail: prefix.encode() + tail,
    st.sampled_from(PREFIXES),
    st.one_of(
        st.lists(st.sampled_from(PIECES), max_size=2).map(b"".join),  # one flaw alone: more hide each other
        st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join),
        st.binary(max_size=24),
    ),
)
fields = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=6)


@pytest.fixture(scope="module")
def where() -> Iterator[House]:
    with house() as made:
        yield made


@pytest.fixture(scope="module", params=["v2", "v2.1"])
def snapshot(request: pytest.FixtureRequest, where: House) -> Snapshot:
    return where.snapshot("http://platform.test:8080", "native", request.param, {})


def onward(snapshot: Snapshot, method: str, target: bytes, headers: Headers) -> tuple[bytes, bytes] | None:
    """The path of the canonical form and the head that goes upstream for a request without a body; `None` if nothing does.

    The same functions in the same order as in `proxy/serve.py`; the next test takes the whole way.
    """
    try:
        check_target(target)
        check_request(headers)
        path, query = split(target)
        caller = Caller("anonymous", headers)
        ahead = snapshot.decider.look(method, path, query, caller)
        call = Call(method, target, for_upstream(headers, "id"))
        canonical = path
        if (
            snapshot.decider.settle(ahead, b"", caller) is Version.V2_1
            and ahead.endpoint is not None
            and not ahead.allow
        ):
            made = next(exchange(snapshot.mapping, asked_of(ahead, Call(method, target, headers), "id")))
            wanted = ahead.endpoint.v2_1_path.split("/")
            came = path.rstrip(b"/").split(b"/")
            assert len(wanted) == len(came)
            held = zip(wanted, came, strict=True)
            canonical = b"/".join(there if hole.startswith("{") else hole.encode() for hole, there in held)
            call = made
        return canonical, request_head(call, ORIGIN, outgoing_headers(call, ORIGIN.authority.encode()))
    except (Refused, UpstreamFailed):
        return None


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(method=st.sampled_from(METHODS), target=targets, headers=fields)
def test_what_is_sent_is_the_canonical_form_of_what_came(
    method: str, target: bytes, headers: Headers, snapshot: Snapshot
) -> None:
    sent = onward(snapshot, method, target, headers)
    if sent is None:
        return
    canonical, head = sent
    line, _, rest = head.partition(b"\r\n")
    verb, path_and_query, version = line.split(b" ")
    path = path_and_query.partition(b"?")[0]
    assert (verb.isalpha(), version) == (True, b"HTTP/1.1")
    assert path == b"/base" + canonical, (
        "under the configured prefix, and the very bytes that were decided on"
    )
    assert path.startswith((b"/base/v2/", b"/base/v2.1/"))
    for _ in range(3):
        assert not {b"", b".", b".."} & set(path.split(b"/")[1:-1])
        path = unquote_to_bytes(path)
    raw = line + b"\r\n" + rest
    assert values(raw, b"host") == [b"platform.test:8080"]
    assert len(values(raw, b"authorization")) <= 1
    assert values(raw, b"transfer-encoding") == values(raw, b"connection") == []
    assert head.endswith(b"\r\n\r\n")
    assert head.count(b"\r\n\r\n") == 1


@settings(
    max_examples=max(4, EXAMPLES // 500),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(some=st.lists(st.tuples(targets, fields), min_size=12, max_size=12))
def test_the_same_over_sockets(some: list[tuple[bytes, Headers]], where: House) -> None:
    async def story(place: Place, front: Gate, _call: str) -> None:
        for target, headers in some:
            lines = [b"GET " + target + b" HTTP/1.1", *(name + b": " + value for name, value in headers)]
            lines += (
                [b"Connection: close"]
                if (b"Host", b"test") in headers
                else [b"Host: test", b"Connection: close"]
            )
            data = await heard(front, b"\r\n".join([*lines, b"", b""]))
            for sent in place.seen.requests:
                _, went, version = sent.split(b"\r\n")[0].split(b" ")
                path = split(target)[0]
                assert version == b"HTTP/1.1"
                assert split(went)[0] in {path, path.rstrip(b"/").replace(b"/v2/", b"/v2.1/", 1)}, target
                assert went.startswith((b"/v2/", b"/v2.1/"))
                assert values(sent, b"host") == [place.url.removeprefix("http://").encode()]
            assert len(place.seen.requests) <= 1
            assert place.seen.requests == [] or statuses(data)
            place.seen.requests.clear()

    told(where, story, engines=("native",))
