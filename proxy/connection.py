"""One connection of a caller: uvicorn with httptools, and what a gateway needs of them differently.

* The request target and the names of fields are kept as they came, and answers are written in one piece as they are.
* Trailer fields are not merged into the header section (RFC 9110 §6.5.1): a late `Authorization` must not count.
* A wish to upgrade is not granted (RFC 9110 §7.8), and the request is read as if it had not been uttered: httptools by
  itself takes the body behind it for another protocol.
* What is no HTTP at all is answered in v2's error shape and the connection is closed (RFC 9112 §2.2). So are a header
  section that is too long or too slow, and framing that two servers could read differently. Bytes that come behind a
  request in flight never become its answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from proxy.owed import Owed
from proxy.serve import ANSWERED, LINE, RAW_TARGET
from proxy.types import Answer, Headers
from proxy.upstream.request import READS
from proxy.wire.headers import first

MAX_FIELDS = 200
"""Field lines of one request; real callers send about twenty."""
MAX_SECTION = 64 * 1024
"""Bytes of one request's header section."""
MAX_HEAD = MAX_SECTION + 16 * 1024
"""Bytes that may have come while a head is unfinished: request line, section, line ends."""
_PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus}


class GatewayProtocol(HttpToolsProtocol):
    """One connection of a caller."""

    head_seconds = 10.0
    """How long a header section may take to arrive, counted from the connection or from its first byte."""
    gone = False
    """Whether the caller has left, or was left."""
    leaving: Callable[[], object] | None = None
    """What to do when the caller leaves while this is set: end a read that nobody waits for any more."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn narrows it too
        """A caller has connected, and has to say something soon."""
        super().connection_made(transport)
        self._owed = Owed(self.loop, transport)
        self._cycles: list[RequestResponseCycle] = []
        self._deaf = self._ended = False
        self._open = True
        self._began = False
        self._head = 0
        self._left = MAX_SECTION
        self._deadline: asyncio.TimerHandle | None = None
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Bytes have come; a timer runs only while a header section is unfinished, so most requests need none."""
        if self._deaf:
            return
        self._began = False
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._read_on(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._refuse(told=True)
        if self._open and not self._began:
            self._head += len(data)
            if self._head > MAX_HEAD:
                self._refuse(told=True)
        self._watch()

    def eof_received(self) -> bool | None:  # type: ignore[override] # uvicorn returns nothing; asyncio asks for this
        """The caller says no more. Its writes are still answered; its reads end, as if it had left."""
        if self._deaf and not self._cycles:
            return None
        writes = [cycle for cycle in self._whole() if cycle.scope["method"] not in READS]
        if writes and self.transport.get_extra_info("ssl_object") is None:
            self._ended = True
            self._stop_listening()
            return True
        self.gone = True
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended, and its timer with it."""
        self._open = False
        self.gone = True
        self._watch()
        super().connection_lost(exc)
        self._owed.settle(
            handed=exc is None
        )  # asyncio ends a connection without an exception once all is written
        if self.leaving is not None:
            self.leaving()

    def when_handed(self, told: Callable[[bool], None]) -> None:
        """Tell whether the kernel has taken all that was sent: soon, or when the caller reads on or is gone.

        A caller that says no more may have gone altogether, and the kernel takes an answer all the same: that is no.
        """
        self._owed.add(told, gone=self.gone or self._ended)

    def cut(self) -> None:
        """End at once: what has not been handed over never will be."""
        self._owed.settle(handed=False)
        self.transport.abort()

    def on_message_begin(self) -> None:
        """A new request begins: its header section is open again."""
        super().on_message_begin()
        self._unset_keepalive_if_required()
        self._open = self._began = True
        self._head = 0
        self._left = MAX_SECTION

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field line; those behind the body are trailers and stop here. Raises ValueError for too many."""
        self._left -= len(name) + len(value)
        if self._left < 0 or len(self.headers) >= MAX_FIELDS:
            raise ValueError
        if self._open:
            if name.lower() == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The header section is whole: start to answer it.

        Raises ValueError, which httptools turns into a refusal, where the framing is not what RFC 9112 §3.2 and §6.1 ask for.
        """
        self._open = False
        check_framing(self.parser.get_http_version(), self.headers)
        if self.parser.should_upgrade():
            return  # the parser stops here; it is read again without the wish
        scope: Any = self.scope
        scope[RAW_TARGET] = self.url
        scope[LINE] = self
        super().on_headers_complete()
        scope[ANSWERED] = partial(self._answer, self.cycle)
        self._cycles = [*(one for one in self._cycles if not one.response_complete), self.cycle]

    def on_body(self, body: bytes) -> None:
        """A piece of the body, for the request that it belongs to."""
        if not self.cycle.response_complete:
            self.cycle.body += body
            if len(self.cycle.body) > MAX_SECTION:
                self.flow.pause_reading()
            self.cycle.message_event.set()

    def on_message_complete(self) -> None:
        """The request is whole."""
        if not self.parser.should_upgrade() and not self.cycle.response_complete:
            self.cycle.more_body = False
            self.cycle.message_event.set()
            if not self.pipeline:
                self.flow.resume_reading()  # a large body has paused it, and a caller that leaves must be heard

    async def _answer(self, cycle: RequestResponseCycle, answer: Answer, *, head: bool) -> None:
        """Write a whole answer in one piece, names and reason as they are; nothing where the caller has left."""
        if self.flow.write_paused and not cycle.disconnected:
            await self.flow.drain()
        if cycle.disconnected or self.transport.is_closing():
            return
        cycle.response_started = True
        cycle.waiting_for_100_continue = False
        self.transport.write(head_of(answer, keep_alive=cycle.keep_alive) + (b"" if head else answer.body))
        cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()

    def _read_on(self, rest: bytes) -> None:
        """Read a request again whose wish to upgrade was not granted, then what came behind its head."""
        method, url, headers = self.parser.get_method(), self.url, self.headers
        if method == b"CONNECT":
            self._refuse(told=True)
            return
        version = self.parser.get_http_version().encode()
        kept = [(name, value) for name, value in headers if name.lower() not in {b"upgrade", b"connection"}]
        options = [value for name, value in headers if name.lower() == b"connection"]
        wanted = [one.strip() for one in b",".join(options).split(b",")]
        kept += [(b"Connection", one) for one in wanted if one and one.lower() != b"upgrade"]
        lines = [method + b" " + url + b" HTTP/" + version, *(name + b": " + value for name, value in kept)]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it
        self.data_received(b"\r\n".join([*lines, b"", b""]) + rest)

    def _whole(self) -> list[RequestResponseCycle]:
        """The requests that have come whole and are not answered yet, oldest first."""
        return [one for one in self._cycles if not one.response_complete and not one.more_body]

    def _stop_listening(self) -> bool:
        """Take nothing more; close behind the last whole request. Says whether there is one."""
        self._deaf = True
        self._open = False
        whole = self._whole()
        if whole:
            whole[-1].keep_alive = False
            self.pipeline = type(self.pipeline)(one for one in self.pipeline if not one[0].more_body)
        return bool(whole)

    def _refuse(self, *, told: bool) -> None:
        """End the connection: behind the answers that are owed, else at once, with a refusal where it can be `told`."""
        if self._stop_listening() or self.transport.is_closing():
            return
        answer: Callable[[], bytes] | None = getattr(self.app, "unreadable", None)
        if told and answer is not None:
            self.transport.write(answer())
        self.transport.close()

    def _watch(self) -> None:
        if self._open and self._deadline is None:
            self._deadline = self.loop.call_later(self.head_seconds, self._late)
        elif not self._open and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        self._deadline = None
        self._refuse(told=False)


def check_framing(version: str, headers: Headers) -> None:
    """Raises ValueError: HTTP/1.1 without `Host`, a transfer coding other than `chunked`, any of them before HTTP/1.1."""
    coding = first(headers, b"transfer-encoding")
    known = coding is None or (version == "1.1" and coding.lower() == b"chunked")
    if not known or version not in {"1.0", "1.1"} or (version == "1.1" and first(headers, b"host") is None):
        raise ValueError


def head_of(answer: Answer, *, keep_alive: bool) -> bytes:
    """Status line and header section of an answer (RFC 9112 §4)."""
    reason = answer.reason or _PHRASES.get(answer.status, b"")
    lines = [b"HTTP/1.1 %d %b" % (answer.status, reason)]
    lines += [name + b": " + value for name, value in answer.headers]
    if not keep_alive:
        lines.append(b"Connection: close")
    return b"\r\n".join([*lines, b"", b""])
