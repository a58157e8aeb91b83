"""A platform that records what it executes, and breaks connections in every phase of an exchange."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
from collections import Counter
from contextlib import suppress
from typing import TypeAlias

FATES = {
    "answered": 40,
    "answered late": 20,
    "reset before it is read": 4,
    "reset amid its head": 4,
    "reset amid its body": 4,
    "read and dropped": 4,
    "reset once it is executed": 4,
    "closed once it is executed": 4,
    "reset amid the answer's head": 4,
    "reset amid the answer's body": 4,
    "closed amid the answer's body": 4,
}
"""What becomes of a request, and how often. Only a request that was read whole, and not dropped, is executed."""

_Streams: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Recording:
    """Executes, records, and answers as luck has it. An order's reference is the name of its write."""

    def __init__(self, luck: random.Random) -> None:
        self.luck = luck
        self.executed: Counter[str] = Counter()
        self.fates: Counter[str] = Counter()
        self.waits: dict[str, asyncio.Event] = {}
        """Names of writes that are answered only after somebody says so."""
        self.port = 0
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen, always at the same address."""
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Take no more connections."""
        if self._server is not None:
            self._server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError):
            while await self._turn((reader, writer)):
                pass
        writer.close()

    async def _turn(self, streams: _Streams) -> bool:
        """One request; whether another may follow on this connection."""
        reader, writer = streams
        fate = self.luck.choices(list(FATES), list(FATES.values()))[0]
        if fate == "reset before it is read":
            return self._ends(fate, writer)
        if fate == "reset amid its head":
            await reader.readexactly(24)
            return self._ends(fate, writer)
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        if lines[0].startswith(b"get "):  # a comparison reads what was written
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}")
            return True
        size = next(int(one[15:]) for one in lines if one.startswith(b"content-length:"))
        if fate == "reset amid its body":
            await reader.readexactly(size // 2)
            return self._ends(fate, writer)
        body = await reader.readexactly(size)
        if fate == "read and dropped":
            return self._ends(fate, writer)
        name = json.loads(body)["referenceId"]
        self.executed[name] += 1
        if name in self.waits:
            await self.waits[name].wait()
        return await self._answer(fate, writer, body)

    async def _answer(self, fate: str, writer: asyncio.StreamWriter, body: bytes) -> bool:
        if fate == "answered late":
            await asyncio.sleep(self.luck.uniform(0.01, 0.15))
        size = len(body)
        head = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % size
        part = {"head": head[:20], "body": head + body[: size // 2], "executed": b""}
        said = next((some for word, some in part.items() if fate.endswith(word)), head + body)
        writer.write(said)
        await writer.drain()
        if said == head + body:
            self.fates[fate] += 1
            return True
        await asyncio.sleep(0.002)  # else the reset may overtake what was said
        return self._ends(fate, writer)

    def _ends(self, fate: str, writer: asyncio.StreamWriter) -> bool:
        self.fates[fate] += 1
        if fate.startswith("closed"):
            return False
        made: socket.socket = writer.get_extra_info("socket")
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        return False
