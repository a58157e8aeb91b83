"""HTTP/1.1 as bytes on a socket: compose a request, send it, read the answer, take it apart."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit


def read_message(
    connection: socket.socket, pending: bytes = b"", *, bodiless: bool = False
) -> tuple[bytes, bytes]:
    """One HTTP/1.1 message from a socket, and what came after it; a cut one comes as far as it got.

    `bodiless` for the answer to HEAD. An answer without a length runs to the end of the connection.
    """
    data = pending
    while (size := _whole(data, bodiless=bodiless)) is None or len(data) < size:
        chunk = connection.recv(65536)
        if not chunk:
            return data, b""
        data += chunk
    return data[:size], data[size:]


def _whole(data: bytes, *, bodiless: bool) -> int | None:
    """Size in bytes of the message that `data` begins with, None while it cannot be known."""
    head, mark, body = data.partition(b"\r\n\r\n")
    if not mark:
        return None
    start = len(head) + 4
    lines = head.lower().split(b"\r\n")
    fields = dict(line.partition(b":")[::2] for line in lines[1:])
    status = lines[0].split(b" ")[1] if lines[0].startswith(b"http/") else b""
    if bodiless or status in {b"204", b"304"} or status.startswith(b"1"):
        return start
    if b"chunked" in fields.get(b"transfer-encoding", b""):
        end = body.find(b"\r\n0\r\n\r\n") if not body.startswith(b"0\r\n\r\n") else -2
        return None if end == -1 else start + end + 7
    if b"content-length" in fields:
        return start + int(fields[b"content-length"])
    return None if status else start


def fetch(where: int | str, raw: bytes, *, timeout: float = 5.0) -> bytes:
    """Send raw request bytes to a port or a base URL; the first answer's raw bytes, 1xx left out.

    `b""` when the connection ends without an answer, a cut answer as far as it came.
    """
    port = where if isinstance(where, int) else urlsplit(where).port
    with socket.create_connection(("127.0.0.1", port or 80), timeout) as connection:
        connection.sendall(raw)
        answer, pending = b"HTTP/1.1 100", b""
        try:
            while answer.startswith((b"HTTP/1.1 1", b"HTTP/1.0 1")):
                answer, pending = read_message(connection, pending, bodiless=raw.startswith(b"HEAD "))
        except ConnectionResetError:
            return b""
        return answer


def request(
    method: str,
    target: str,
    body: bytes | str = b"",
    headers: Iterable[tuple[str, str]] = (),
    *,
    host: str = "test",
) -> bytes:
    """The bytes of one well-formed request that asks the server to close afterwards."""
    data = body.encode() if isinstance(body, str) else body
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines += [f"Content-Length: {len(data)}"] if data or method in {"POST", "PUT", "PATCH"} else []
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + data


@dataclass(frozen=True)
class Heard:
    """A raw answer taken apart; header names in lower case, body de-chunked by nobody."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name.lower()), None)


def parse(raw: bytes) -> Heard:
    """Status, header pairs and body bytes of a raw answer."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = [line.partition(":")[::2] for line in lines]
    return Heard(int(first.split(" ")[1]), [(name.lower(), value.strip()) for name, value in pairs], body)
