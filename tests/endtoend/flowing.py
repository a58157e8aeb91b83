"""A platform whose bodies flow: it reads and writes at a pace of its own, and counts."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

MIB = 1 << 20
Script = Callable[["Platform", socket.socket], None]


class Platform:
    """A TCP server that runs one script for each connection, with small buffers, so that pressure shows."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.sent = self.taken = 0
        self.cut = threading.Event()
        self.go = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.go.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(5)

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.threads.append(threading.Thread(target=self.talk, args=(connection,), daemon=True))
                self.threads[-1].start()

    def talk(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        with connection, suppress(OSError):
            self.script(self, connection)

    def send(self, connection: socket.socket, data: bytes) -> None:
        """Send slice by slice and count; a connection that ends meanwhile is noted."""
        try:
            for at in range(0, len(data), 1 << 16):
                connection.sendall(data[at : at + (1 << 16)])
                self.sent += len(data[at : at + (1 << 16)])
        except OSError:
            self.cut.set()
            raise

    def take(self, connection: socket.socket) -> None:
        """Read until the other side ends or has nothing more to say; a connection that ends is noted."""
        with suppress(TimeoutError):
            while data := connection.recv(1 << 16):
                self.taken += len(data)
        self.cut.set()
