"""The fault matrix as a table: each fault, how the platform commits it, and how every call ends.

`docs/faults.md` is made from it, and `test_matrix.py` commits every fault and holds every ending.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from tests.faults import platform as p
from tests.faults.places import Places, acts, distrusted, full, nameless, plays, refusing, speechless

ENGINES = ("native", "httpx")
STAGES = ("v2", "v2.1")
CALLS = ("GET", "POST create", "POST update", "DELETE")

UNREACHABLE = "502 `CF-UNREACHABLE` not_sent"
LATE_TO_CONNECT = "504 `CF-TIMEOUT` not_sent"
BROKEN = "502 `CF-BROKEN` unknown"
BAD = "502 `CF-BAD-ANSWER` unknown"
UNSAYABLE = "502 `CF-BAD-ANSWER` answered"
TIMEOUT = "504 `CF-TIMEOUT` unknown"
RIGHT = "as usual"
"""The answer that the platform gives when nothing is wrong: 200, 201 or 204."""
UNTRANSLATED = "200 as v2.1 said it"
"""A success that cannot be said in v2's words, marked with `X-Crossfade-Untranslated`."""

CUT = "200, then a reset"
"""A large answer that is passed on as it comes and breaks off: the caller's connection is reset, so it never looks whole."""

But: TypeAlias = Mapping[tuple[str, ...], str]


@dataclass(frozen=True)
class Row:
    """One fault. Calls end as `ends`, unless a line of `but` fits, whose words name an engine, a stage or a call."""

    id: str
    says: str
    place: Places
    ends: str
    but: But = field(default_factory=dict)
    warm: bool = False
    """Whether a call goes well before."""
    keeps: tuple[str, str] = ("x-nothing", "")
    """A field of the platform's answer, and the value that the caller gets."""

    def ending(self, engine: str, stage: str, call: str) -> str:
        """How one call ends."""
        words = {engine, stage, call, "GET" if call == "GET" else "write"}
        return next((said for names, said in self.but.items() if words.issuperset(names)), self.ends)


H = b"HTTP/1.1 200 OK\r\n"
CHUNKED = H + b"Transfer-Encoding: chunked\r\n\r\n"
JUNK = p.NEVER
CHUNK = b"1000\r\n" + b"x" * 4096 + b"\r\n"
MUCH = b"x" * (2 << 20)
LONG = H + b"X: " + b"a" * 102_400 + b"\r\nContent-Length: 0\r\n\r\n"
HINT = b"HTTP/1.1 103 Early Hints\r\nX: " + JUNK + b"\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + JUNK
HTML = b"Content-Type: text/html"
OK = b"200 OK"
TRANSLATED: But = {("v2.1", "GET"): UNSAYABLE, ("v2.1",): UNTRANSLATED}


def _odd(id_: str, says: str, body: bytes, *fields: bytes) -> Row:
    """A proper 200 whose body is not what it should be: untouched where v2 answers."""
    return Row(id_, says, plays(p.replies(body, *fields, status=OK)), "200 as it came", TRANSLATED)


def _says(
    id_: str, says: str, status: bytes, *fields: bytes, keeps: tuple[str, str] = ("x-nothing", "")
) -> Row:
    """A status that speaks for itself."""
    said = f"{status[:3].decode()} as it came"
    return Row(id_, says, plays(p.replies(b"", *fields, status=status)), said, keeps=keeps)


ROWS = (
    Row("F01", "its name cannot be resolved", nameless, UNREACHABLE),
    Row("F02", "refuses the connection", refusing, UNREACHABLE),
    Row("F03", "does not take the connection: a black hole", full, LATE_TO_CONNECT),
    Row("F03 TLS", "takes it, and never answers the TLS handshake", speechless, LATE_TO_CONNECT),
    Row("F04 authority", "has a certificate of an unknown authority", distrusted(stranger=True), UNREACHABLE),
    Row("F04 expired", "has a certificate that has expired", distrusted(expired=True), UNREACHABLE),
    Row("F04 host", "has a certificate of another host", distrusted(name="elsewhere.test"), UNREACHABLE),
    Row("F05", "resets before it has read the request", acts(p.unread), BROKEN),
    Row("F06", "resets in the middle of the request's body", acts(p.half_read), BROKEN),
    Row("F07", "resets after the request, before an answer", plays(p.resets(b"")), BROKEN),
    Row("F07 close", "closes after the request, before an answer", plays(p.says()), BROKEN),
    Row("F08", "resets in the header section", plays(p.resets(H + b"Content-Le")), BROKEN),
    Row("F09", "resets in the body", plays(p.resets(H + b"Content-Length: 99\r\n\r\n" + JUNK)), BROKEN),
    Row("F10", "leaves out the last chunk", plays(p.says(CHUNKED + b"8\r\n" + JUNK + b"\r\n")), BROKEN),
    Row(
        "F11", "announces more than it sends", plays(p.says(H + b"Content-Length: 99\r\n\r\n" + JUNK)), BROKEN
    ),
    Row("F12", "sends more than it announces", plays(p.replies(behind=JUNK)), RIGHT),
    Row(
        "F13",
        "sends its header section field by field",
        plays(p.goes_on(H, b"X-A: 1\r\n", pause=0.02)),
        TIMEOUT,
    ),
    Row(
        "F14",
        "sends its body byte by byte",
        plays(p.goes_on(H + b"Content-Length: 9999\r\n\r\n", b"x", pause=0.02)),
        TIMEOUT,
    ),
    Row("F15", "never answers", plays(p.silent), TIMEOUT),
    Row(
        "F16",
        "answers in bytes that are no HTTP",
        plays(p.says(b"\x16\x03\x01\xff" + JUNK + b"\r\n\r\n")),
        BAD,
    ),
    Row(
        "F17",
        "answers without a status line, as HTTP/0.9 did",
        plays(p.says(b"<html>" + JUNK)),
        BAD,
        {("httpx",): BROKEN},
    ),
    Row("F18", "sends a field of 100 KiB", plays(p.says(LONG)), BAD),
    Row(
        "F19",
        "announces 1 GiB and closes after 2 MiB",
        plays(p.says(H + b"Content-Length: 1073741824\r\n\r\n", MUCH)),
        BAD,
        {("v2",): CUT},
    ),
    Row(
        "F19 chunks",
        "closes in the middle of many chunks",
        plays(p.says(CHUNKED, CHUNK * 512)),
        BAD,
        {("v2",): CUT},
    ),
    Row(
        "F20",
        "sends 40 KiB of gzip that are 40 MiB",
        plays(p.replies(p.bomb(), b"Content-Encoding: gzip", status=OK)),
        "200 as it came",
        TRANSLATED,
    ),
    _odd("F21", "answers 200 with a page in HTML", b"<html>down</html>", HTML),
    _odd("F22 cut", "answers JSON that ends too early", b'{"ref": "'),
    _odd("F22 NaN", "answers JSON with a NaN", b'{"price": NaN}'),
    Row(
        "F22 twice",
        "answers JSON with a member that stands twice",
        plays(p.replies(b'{"ref": "a", "ref": "b"}', status=OK)),
        "200 as it came",
        {("v2.1", "DELETE"): "200 as it came", **TRANSLATED},
    ),
    _odd("F22 mark", "answers JSON with a byte order mark", b'\xef\xbb\xbf{"ref": "a"}'),
    _odd("F22 latin-1", "answers JSON that is not UTF-8", b'{"ref": "caf\xe9"}'),
    _says(
        "F23 401",
        "answers 401",
        b"401 Unauthorized",
        b'WWW-Authenticate: Basic realm="x"',
        keeps=("www-authenticate", 'Basic realm="x"'),
    ),
    _says("F23 403", "answers 403", b"403 Forbidden"),
    _says(
        "F23 407",
        "answers 407, as proxies do",
        b"407 Proxy Authentication Required",
        b"Proxy-Authenticate: SMUGGLED",
    ),
    _says("F23 429", "answers 429", b"429 Too Many Requests", b"Retry-After: 7", keeps=("retry-after", "7")),
    _says(
        "F23 503",
        "answers 503",
        b"503 Service Unavailable",
        b"Retry-After: 7",
        HTML,
        keeps=("retry-after", "7"),
    ),
    _says(
        "F24",
        "redirects to another host",
        b"302 Found",
        b"Location: http://127.0.0.1:9/elsewhere",
        keeps=("location", "http://127.0.0.1:9/elsewhere"),
    ),
    Row("F25", "sends interim answers without end", plays(p.goes_on(b"", HINT)), BAD, {("httpx",): TIMEOUT}),
    Row("F26", "switches protocols", plays(p.says(SWITCH)), BAD),
    Row(
        "F27", "sends a second answer in the same packet", plays(p.replies(behind=H + b"\r\n" + JUNK)), RIGHT
    ),
    Row(
        "F28",
        "answers 204 with a body",
        plays(p.replies(JUNK, b"Content-Length: 8", status=b"204 No Content")),
        "204",
    ),
    Row(
        "F29",
        "closes an idle connection just when the next request comes",
        acts(p.races),
        BROKEN,
        {("GET",): RIGHT},
        warm=True,
    ),
    Row(
        "F30 unknown",
        "answers with a member that nobody knows",
        plays(p.replies(p.changed(new={"a": 1}), status=OK)),
        "200",
    ),
    Row(
        "F30 missing",
        "leaves out a member that was promised",
        plays(p.replies(p.changed(price=...), status=OK)),
        "200",
    ),
    Row(
        "F30 type",
        "answers with members of another type",
        plays(p.replies(p.changed(price=[], href=7), status=OK)),
        "200",
    ),
)
