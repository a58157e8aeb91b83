"""Stage v2 for any request and any answer within the rules of the wire."""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.endtoend.message import lines
from tests.endtoend.running import Carried, carried
from tests.raw import fetch
from tests.servers import RawUpstream, Reply

PLAIN = string.ascii_letters + string.digits + "-_~!$&'()*+,=:@"
KNOWN = [
    "Accept",
    "Accept-Encoding",
    "Content-Type",
    "Cookie",
    "Origin",
    "User-Agent",
    "X-Request-ID",
    "If-Match",
]
STATUSES = [
    200,
    201,
    202,
    203,
    204,
    206,
    299,
    301,
    302,
    304,
    400,
    401,
    403,
    404,
    409,
    418,
    422,
    429,
    500,
    503,
    599,
]

pieces = st.one_of(
    st.text(PLAIN, min_size=1, max_size=8),
    st.sampled_from(["%20", "%C3%A9", "%41", "a.b", "%e2%82%ac", "..x", "x..", "%22"]),
)
segments = st.lists(pieces, min_size=1, max_size=3).map("".join)
queries = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#"), max_size=30)
values = st.text(
    st.characters(
        min_codepoint=0x20, max_codepoint=0xFF, exclude_characters=[chr(n) for n in range(0x7F, 0xA0)]
    ),
    max_size=20,
).map(lambda text: text.strip(" \t\xa0"))
names = st.one_of(st.sampled_from(KNOWN), st.text(string.ascii_letters + "-", max_size=8).map("X-".__add__))
fields = st.lists(st.tuples(names, values), max_size=6)


@st.composite
def targets(draw: st.DrawFn) -> str:
    first = draw(st.sampled_from(["/v2/orders", "/v2/guests", "/v2/orders/a1", "/v2"]))
    path = "/".join([first, *draw(st.lists(segments, min_size=first == "/v2", max_size=3))])
    slash, mark = draw(st.sampled_from(["", "/"])), draw(st.sampled_from(["", "?"]))
    return path + slash + (mark and mark + draw(queries))


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    method = draw(st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]))
    body = draw(st.binary(max_size=200))
    sent = [f"{name}: {value}".encode("latin-1") for name, value in draw(fields)]
    start = f"{method} {draw(targets())} HTTP/1.1".encode()
    if draw(st.booleans()):
        sent.append(b"Authorization: " + draw(values).encode("latin-1"))
    length = [b"Content-Length: %d" % len(body)] if body or draw(st.booleans()) else []
    return b"\r\n".join([start, b"Host: test", b"Connection: close", *sent, *length, b"", body])


@st.composite
def answers(draw: st.DrawFn) -> Reply:
    status, body = draw(st.sampled_from(STATUSES)), draw(st.binary(max_size=200))
    head = [b"HTTP/1.1 %d Some Reason" % status]
    head += [f"{name}: {value}".encode("latin-1") for name, value in draw(fields)]
    if status in {204, 304}:
        told = [b"Content-Length: %d" % len(body)] if status == 304 and draw(st.booleans()) else []
        return Reply(b"\r\n".join([*head, *told, b"", b""]))
    match draw(st.sampled_from(["length", "chunks", "close"])):
        case "length":
            return Reply(b"\r\n".join([*head, b"Content-Length: %d" % len(body), b"", body]))
        case "chunks":
            chunk = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
            return Reply(b"\r\n".join([*head, b"Transfer-Encoding: chunked", b"", chunk + b"0\r\n\r\n"]))
        case _:
            return Reply(b"\r\n".join([*head, b"", body]), then="close")


@dataclass
class Script:
    """What the platform says next."""

    answer: Reply

    def __call__(self, raw: bytes) -> Reply:
        if not raw.startswith(b"HEAD "):
            return self.answer
        return Reply(self.answer.data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", self.answer.then)


@pytest.fixture(scope="module")
def hop() -> Iterator[tuple[Script, RawUpstream, Carried]]:
    script = Script(Reply())
    with RawUpstream(script) as upstream, carried(["v2"], upstream=upstream.url) as proxy:
        yield script, upstream, proxy


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(raw=requests(), answer=answers())
def test_any_request_and_any_answer_pass_as_they_are(
    hop: tuple[Script, RawUpstream, Carried], raw: bytes, answer: Reply
) -> None:
    script, upstream, proxy = hop
    script.answer = answer
    upstream.requests.clear()
    got = fetch(proxy.url, raw)
    event(raw.split(b" ")[0].decode())
    assert len(upstream.requests) == 1, got
    framing = b"content-length"
    assert lines(upstream.requests[0], framing) == lines(raw, framing)
    start, kept, body = lines(got, framing)
    wanted_start, wanted, wanted_body = lines(answer.data, framing)
    assert start.split(b" ")[1] == wanted_start.split(b" ")[1]
    assert kept == wanted
    if not raw.startswith(b"HEAD "):
        assert body == plain(answer.data, wanted_body)


def plain(data: bytes, body: bytes) -> bytes:
    """A body without its chunks."""
    if b"\r\nTransfer-Encoding: chunked\r\n" not in data.partition(b"\r\n\r\n")[0] + b"\r\n":
        return body
    return body.partition(b"\r\n")[2].removesuffix(b"\r\n0\r\n\r\n") if body[:1] != b"0" else b""
