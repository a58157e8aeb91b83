"""Reading one answer out of bytes: framing, limits, and whether the connection can be used again. No I/O.

llhttp, under httptools, checks the syntax and refuses two lengths, a length next to a transfer coding, folded
lines and bad chunks. What it does not know, or does for servers only, stands here:

    it was a HEAD                  the answer ends with its header section (RFC 9112 §6.3 rule 1)
    1xx                            whole messages that come before the answer; 101 was never asked for
    a coding other than `chunked`  llhttp would read to the end and leave the coding on; refused
    a coding in HTTP/1.0           faulty framing (RFC 9112 §6.1); refused
    no length, no coding           the answer ends with the connection; llhttp cannot be told that it did
    bytes after the answer         the answer stands, the connection does not (RFC 9112 §6.3)
    trailers                       dropped, never merged into the header list (RFC 9112 §7.1.2)
    sizes                          llhttp has no limits
"""

from __future__ import annotations

import httptools

from proxy.types import Answer, Headers

_MAX_INTERIM = 8
_EMPTY = frozenset({204, 304})
_OWS = b" \t"
_FRAMING_SHARE = 8
"""Bytes on the wire per byte of body that are let pass: a chunk of one byte needs six."""


class BadAnswer(Exception):  # noqa: N818 - never leaves the room; the connection turns it into UpstreamFailed
    """What came is not a proper answer; the text says which rule it breaks and holds nothing of it."""


class AnswerReader:
    """Reads the answers of one connection, one after the other: `begin`, then `feed` until one is whole."""

    __slots__ = (
        "_answer",
        "_bodiless",
        "_coded",
        "_headed",
        "_headers",
        "_interim",
        "_length",
        "_max_body",
        "_max_head",
        "_parser",
        "_phrase",
        "_pieces",
        "_reason",
        "_room",
        "_size",
        "_status",
        "_to_end",
        "parted",
        "received",
        "reusable",
    )

    def __init__(self, max_body: int, max_head: int) -> None:
        self._max_body = max_body
        self._max_head = max_head
        self._parser = httptools.HttpResponseParser(self)
        self._bodiless = False
        self.received = 0
        """Bytes that came since `begin`."""
        self.reusable = True
        """Whether another request may follow on this connection."""
        self.begin("GET")

    def begin(self, method: str, room: int | None = None) -> None:
        """Be ready for the answer to a request with this method.

        With `room`, an answer whose body is larger than so many bytes is no fault: it comes in parts.
        """
        if self._bodiless:
            # The last one was a HEAD: the parser still waits for the body that its header section announced.
            self._parser = httptools.HttpResponseParser(self)
        self._bodiless = method == "HEAD"
        self._answer: Answer | None = None
        self._room = room
        self.parted = False
        """Whether the answer comes in parts: `part` has what came of it."""
        self.received = 0
        self._interim = 0
        self._reason = ""
        self._restart()

    def _restart(self) -> None:
        self._headers: Headers = []
        self._pieces: list[bytes] = []
        self._size = 0
        self._status = 0
        self._phrase = b""
        self._length = -1
        self._headed = self._coded = self._to_end = False

    def feed(self, data: bytes) -> Answer | None:
        """Take what came; the answer, or the last part of it, once it is whole. Raises BadAnswer."""
        if not self.received and data[:7] != b"HTTP/1."[: len(data)]:
            raise BadAnswer("it does not begin with an HTTP/1 status line")
        self.received += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            if self._answer is None:
                raise BadAnswer(self._reason or "it is not proper HTTP/1.1") from error
            self.reusable = False
        if self._answer is None and self.received - _FRAMING_SHARE * self._size > self._max_head:
            raise BadAnswer(f"its header section or framing is larger than {self._max_head} bytes")
        return self._answer

    def end(self) -> Answer | None:
        """Take a clean end of the connection; the answer if that makes it whole (RFC 9112 §6.3 rule 8)."""
        if self._to_end:
            self._finish()
        return self._answer

    def part(self) -> Answer:
        """What has come of an answer since the last part."""
        pieces, self._pieces = self._pieces, []
        return self._made(b"".join(pieces))

    def close(self) -> None:
        """Let go of the parser, which knows this reader: no cycle is left for the collector."""
        del self._parser

    # What follows is called by the parser.

    def on_message_begin(self) -> None:
        """Begin an answer, or meet bytes behind the final one."""
        if self._answer is not None:
            self._refuse("")
        if self._headed:
            self._restart()

    def on_status(self, phrase: bytes) -> None:
        """Keep the reason phrase, which may come in pieces."""
        self._phrase += phrase

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a field line; a late one is a trailer."""
        if not self._headed:
            self._headers.append((name, value.rstrip(_OWS)))

    def on_headers_complete(self) -> None:
        """Decide where the answer ends (RFC 9112 §6.3)."""
        parser = self._parser
        self._headed = True
        self._status = status = parser.get_status_code()
        if self.received > self._max_head:
            self._check_head_size()
        self._take_framing()
        if status < 200:
            self._check_interim(status)
            return
        if status > 599:
            self._refuse("its status code is not between 100 and 599")
        self.reusable = parser.should_keep_alive()
        if self._coded and parser.get_http_version() != "1.1":
            self._refuse("it has a transfer coding in HTTP/1.0")
        if self._bodiless:
            # A stray last chunk behind a chunked HEAD answer could not be told from the next answer.
            self.reusable = self.reusable and not self._coded
            self._finish()
        elif status not in _EMPTY:
            self._check_size(self._length)
            self._to_end = self._length < 0 and not self._coded

    def on_body(self, piece: bytes) -> None:
        """Keep body bytes; behind a HEAD answer there must be none."""
        if self._answer is not None:
            self._refuse("")
        self._size += len(piece)
        self._check_size(self._size)
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """Finish the answer, unless it was an interim one."""
        if self._status >= 200 and self._answer is None:
            self._finish()

    def _finish(self) -> None:
        pieces = self._pieces
        self._answer = self._made(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def _made(self, body: bytes) -> Answer:
        headers = self._headers
        if self._coded or self._status == 204:
            headers = unframed(headers, self._status)
        return Answer(self._status, headers, body, self._phrase)

    def _take_framing(self) -> None:
        """What the header section says of the body's end; llhttp has made sure that a length is one number."""
        names = [name.lower() for name, _ in self._headers]
        if b"content-length" in names:
            self._length = int(self._headers[names.index(b"content-length")][1])
        if b"transfer-encoding" in names:
            coding = self._headers[names.index(b"transfer-encoding")][1]
            if names.count(b"transfer-encoding") > 1 or coding.lower() != b"chunked":
                self._refuse("it has a transfer coding other than chunked")
            self._coded = True

    def _check_interim(self, status: int) -> None:
        self._interim += 1
        if status == 101:
            self._refuse("it switches protocols, which nobody asked for")
        if status < 100:
            self._refuse("its status code is not between 100 and 599")
        if self._coded or self._length >= 0:
            self._refuse("an interim answer has a body")
        if self._interim > _MAX_INTERIM:
            self._refuse(f"more than {_MAX_INTERIM} interim answers came")

    def _check_head_size(self) -> None:
        if sum(len(name) + len(value) + 4 for name, value in self._headers) > self._max_head:
            self._refuse(f"its header section is larger than {self._max_head} bytes")

    def _check_size(self, size: int) -> None:
        if self._room is not None:
            self.parted = self.parted or size > self._room
        elif size > self._max_body:
            self._refuse(f"its body is larger than {self._max_body} bytes")

    def _refuse(self, reason: str) -> None:
        self.reusable = False
        self._reason = reason
        raise BadAnswer(reason)


def unframed(headers: Headers, status: int) -> Headers:
    """The fields of an answer without its transfer coding; a 204 may not have a length either (RFC 9110 §8.6)."""
    dropped = {b"transfer-encoding", b"content-length"} if status == 204 else {b"transfer-encoding"}
    return [pair for pair in headers if pair[0].lower() not in dropped]
