"""The stand-in for the platform, in a thread of this process, with a record of what it heard and said."""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvicorn

from proxy.emulator import Emulator, make_app
from proxy.emulator.app import Message, Receive, Send
from proxy.emulator.serve import Protocol
from proxy.types import Answer, Call

_PATIENCE = 10.0
_KEPT = 200


@dataclass
class Watched:
    """The emulator as an ASGI app that keeps the latest exchanges, oldest first."""

    emulator: Emulator
    exchanges: deque[tuple[Call, Answer]] = field(default_factory=lambda: deque(maxlen=_KEPT), repr=False)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Hand everything through, and remember a whole exchange at its end."""
        if scope["type"] != "http":
            await self.emulator(scope, receive, send)
            return
        heard, said = bytearray(), bytearray()
        start: Message = {"status": 0, "headers": []}

        async def listening() -> Message:
            message = await receive()
            heard.extend(message.get("body", b""))
            return message

        async def speaking(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
            said.extend(message.get("body", b""))
            await send(message)

        await self.emulator(scope, listening, speaking)
        query = scope["query_string"]
        target = scope["raw_path"] + (b"?" + query if query else b"")
        call = Call(scope["method"], target, list(scope["headers"]), bytes(heard))
        self.exchanges.append((call, Answer(start["status"], list(start["headers"]), bytes(said))))


@contextmanager
def platform(host: str) -> Iterator[tuple[str, Watched]]:
    """The platform on a free port of `host` until the block ends: its address, and the app."""
    listener = socket.create_server((host, 0))
    address = f"http://{host}:{listener.getsockname()[1]}"
    watched = Watched(make_app(base_url=address))
    config = uvicorn.Config(
        watched,
        http=Protocol,
        ws="none",
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="platform", daemon=True)
    thread.start()
    try:
        until = time.monotonic() + _PATIENCE
        while not server.started and thread.is_alive() and time.monotonic() < until:
            time.sleep(0.01)
        yield address, watched
    finally:
        server.should_exit = True
        thread.join(_PATIENCE)
        listener.close()
