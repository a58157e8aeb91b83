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
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from proxy.answers import unreadable
from proxy.errors import Fault
from proxy.replying import Replying
from proxy.serve import LINE, RAW_TARGET
from proxy.upstream.request import READS
from proxy.wire.framing import check_framing, without_upgrade

_BUFFER = 64 * 1024
"""Bytes of a request body that may wait to be read."""
_ASGI = {"version": "3.0", "spec_version": "2.3"}
_EXPECT = len(b"expect")
_WAITING = 32
"""Whole requests that may wait behind one in flight: what comes in one read can be thousands, each of which costs memory."""


class GatewayProtocol(Replying):
    """One connection of a caller."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn narrows it too
        """A caller has connected, and has to say something soon."""
        super().connection_made(transport)
        self._cycles: list[RequestResponseCycle] = []
        self._began = False
        self._head = 0
        self._left = self._limits.max_head
        self._fault = Fault.HEADERS
        self._deadline: asyncio.TimerHandle | None = None
        self._watch()
        if len(self.connections) > self._limits.max_connections:
            self._refuse(Fault.OVERLOADED)

    def data_received(self, data: bytes) -> None:
        """Bytes have come; a timer runs only while a header section is unfinished, so most requests need none."""
        if self._deaf:
            return
        self._began = False
        rest = data
        while rest and not self._deaf:
            rest = self._fed(rest)
        if self._open and not self._began:
            self._head += len(data)
            if self._head > 2 * self._limits.max_head + self._limits.max_target:
                self._refuse(Fault.HEAD_TOO_LARGE)
        self._watch()

    def eof_received(self) -> bool | None:  # type: ignore[override] # uvicorn returns nothing; asyncio asks for this
        """The caller says no more. Its writes are still answered; its reads end, as if it had left."""
        self.flush()  # asyncio may close now, and knows nothing of what waits here
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
        self._watch()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A new request begins: its header section is open again."""
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self._open = self._began = True
        self._head = 0
        self._left = self._limits.max_head

    def on_url(self, url: bytes) -> None:
        """A piece of the target. Raises ValueError for too long a one."""
        super().on_url(url)
        if len(self.url) > self._limits.max_target:
            self._fault = Fault.TARGET_LENGTH
            raise ValueError

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field line; those behind the body are trailers and stop here. Raises ValueError for too many."""
        self._left -= len(name) + len(value)
        if self._left < 0 or len(self.headers) >= self._limits.max_fields:
            self._fault = Fault.HEAD_TOO_LARGE
            raise ValueError
        if self._open:
            if len(name) == _EXPECT and name.lower() == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The header section is whole: start to answer it.

        Raises ValueError, which httptools turns into a refusal, where the framing is not what RFC 9112 §3.2 and §6.1 ask for,
        and where too many requests wait already: the connection ends behind those.
        """
        self._open = False
        if len(self.pipeline) >= _WAITING:
            raise ValueError
        version = self.parser.get_http_version()
        check_framing(version, self.headers)
        if self.parser.should_upgrade():
            return  # the parser stops here; it is read again without the wish
        before = [one for one in self._cycles if not one.response_complete]
        self.cycle = self._cycle(version)
        self._cycles = [*before, self.cycle]
        if before:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))
        else:
            self._start_asgi_task(self.cycle, self.app)

    def on_body(self, body: bytes) -> None:
        """A piece of the body, for the request that it belongs to."""
        if not self.cycle.response_complete:
            self.cycle.body += body
            if len(self.cycle.body) > _BUFFER:
                self.flow.pause_reading()
            self.cycle.message_event.set()

    def on_message_complete(self) -> None:
        """The request is whole."""
        if not self.parser.should_upgrade() and not self.cycle.response_complete:
            self.cycle.more_body = False
            self.cycle.message_event.set()
            if not self.pipeline:
                self.flow.resume_reading()  # a large body has paused it, and a caller that leaves must be heard

    def at_hand(self, most: int) -> bytes | None:
        """The whole body of the request at work, taken; None while some is to come, or where it is over `most` bytes."""
        cycle = self._current
        if cycle.more_body or cycle.disconnected or len(cycle.body) > most:
            return None
        body, cycle.body = bytes(cycle.body), bytearray()
        self.flow.resume_reading()
        return body

    def _cycle(self, version: str) -> RequestResponseCycle:
        """The request whose header section is whole; who needs its path takes it from the target."""
        scope: Any = {
            "type": "http",
            "asgi": _ASGI,
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "method": self.parser.get_method().decode("ascii"),
            "headers": self.headers,
            RAW_TARGET: self.url,
            LINE: self,
        }
        return RequestResponseCycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=[],
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue and version != "1.0",  # RFC 9110 §10.1.1
            keep_alive=version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )

    def _fed(self, data: bytes) -> bytes:
        """Have bytes parsed; gives what has to be parsed after them."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            return self._again(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._refuse(self._fault)
        return b""

    def _again(self, rest: bytes) -> bytes:
        """A request whose wish to upgrade was not granted, as if it had not been uttered, then what came behind its head."""
        method, url, headers = self.parser.get_method(), self.url, self.headers
        if method == b"CONNECT":
            self._refuse(Fault.HEADERS)
            return b""
        head = without_upgrade(method, url, self.parser.get_http_version(), headers)
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it
        return head + rest

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

    def _refuse(self, fault: Fault | None) -> None:
        """End the connection: behind the answers that are owed, else at once, with a refusal if there is a `fault`.

        Where it is a body that cannot be read, its request is answered by whoever carries it: part of it may have left.
        """
        if self._stop_listening() or self.transport.is_closing():
            return
        if fault is not None and self._cycles and not self._cycles[-1].response_complete:
            self.broken = unreadable(fault)
            self._cycles[-1].message_event.set()
            return
        if fault is not None:
            self._send(self._app.refusal(fault))
        self._close()

    def _watch(self) -> None:
        if self._open and self._deadline is None:
            self._deadline = self.loop.call_later(self._limits.head_timeout, self._late)
        elif not self._open and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        self._deadline = None
        self._refuse(Fault.HEAD_TIMEOUT if self._head or self._began else None)
