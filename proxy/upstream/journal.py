"""The journal: which writes have begun and not come to an end that everybody knows of.

A line goes to the kernel before the first byte of a write leaves, in one `write` call: it is there whatever happens to
this process. With `fsync` it also waits for the disk, in a thread, and once for all writes that are waiting.

Each process has a file of its own, the configured name with eight digits behind it, locked while the process lives. One
that starts takes over what dead ones have left. When the file has grown, or an hour has passed, it is written anew from
what still stands, so closed entries go.
"""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path

from proxy.log import EventLog
from proxy.upstream.entries import Entry, Key, line, read, standing
from proxy.upstream.journals import Found, abandoned, alone, files, locked

GROWTH = 4 << 20
"""Bytes that the file may grow before it is written anew."""
LIMIT = 16 << 20
"""Bytes of a journal that takes no more writes: some 60,000 in doubt."""
AGE = 3600.0
"""Seconds after which closed entries go."""
BREATH = 0.5
"""Seconds before a journal that failed is tried again."""

_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


class Journal:
    """The journal of this process. It opens with the first write, and belongs to one event loop."""

    def __init__(self, path: Path, log: EventLog, *, fsync: bool = False) -> None:
        self._path = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        self._base = path
        self._log = log
        self._fsync = fsync
        self._descriptor = -1
        self._standing: dict[Key, Entry] = {}
        self._ends = b""
        """Closing lines that are not written yet."""
        self._size = self._renewed = 0
        self._due = self._again = 0.0
        self._appended = self._synced = 0
        self._syncing: asyncio.Task[None] | None = None
        self.failure = ""
        """Why it cannot be written, in the system's words; empty while it can."""

    def start(self) -> None:
        """Open it now, and take over what dead processes have left. A failure degrades it and is not raised."""
        with suppress(OSError):
            self._attempt(b"\n")

    async def enter(self, entry: Entry) -> None:
        """Append a write that is about to leave. Raises OSError; the write is known here all the same."""
        self._standing[entry.key] = entry
        self._attempt(line(entry))
        if self._fsync:
            await self._durable()

    def note(self, entry: Entry) -> None:
        """Append what became of a write: it is closed, or in doubt from now on. A failure only degrades the journal.

        Closing lines are written together at the end of the turn, or with the next write: a crash before that leaves in doubt
        what was closed, and nothing else.
        """
        if entry.closed:
            self._standing.pop(entry.key, None)
            if not self._ends:
                asyncio.get_running_loop().call_soon(self._catch_up)
            self._ends += line(entry)
            return
        self._standing[entry.key] = entry
        with suppress(OSError):
            self._attempt(line(entry))
        self._tell(entry)

    def in_doubt(self) -> int:
        """How many writes are in doubt here; those in flight are not, and those that were resolved are no more."""
        if self._descriptor >= 0:
            self._take_resolved()
        return sum(entry.state != "open" for entry in self._standing.values())

    def close(self) -> None:
        """Leave what stands for the next process; where nothing does, no file stays."""
        if self._descriptor < 0:
            return
        self._catch_up()
        with suppress(OSError):
            self._renew()
            if not self._standing:
                self._path.unlink()
        os.close(self._descriptor)
        self._descriptor = -1

    def _catch_up(self) -> None:
        if self._ends:
            with suppress(OSError):
                self._attempt(b"")

    def _attempt(self, data: bytes) -> None:
        # Where this fails the closing lines are not missed: the file is written anew.
        data, self._ends = self._ends + data, b""
        now = time.monotonic()
        if self.failure and now < self._again:
            raise OSError(errno.EAGAIN, self.failure)
        try:
            self._put(data, due=bool(self.failure) or self._size - self._renewed > GROWTH or now > self._due)
        except OSError as problem:
            self._degrade(problem)
            raise
        if self.failure:
            self._log.write("degraded", part="journal", state="recovered", reason=self.failure)
            self.failure = ""

    def _put(self, data: bytes, *, due: bool) -> None:
        """Append lines, or write the file anew, which says the same."""
        if not due or not self._renew():
            if self.failure:
                # The last line may be cut short, and what stands has not all been written.
                data = b"".join([b"\n", *map(line, self._standing.values()), data])
            self._size += len(data)
            self._appended += 1
            _write(self._descriptor, data)
        elif self._size > LIMIT:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))

    def _degrade(self, problem: OSError) -> None:
        self._again = time.monotonic() + BREATH
        if not self.failure:
            self.failure = problem.strerror or type(problem).__name__
            self._log.write("degraded", part="journal", state="degraded", reason=self.failure)

    def _renew(self) -> bool:
        """Write the file anew from what stands; false where another process holds the folder and there is a file."""
        with alone(self._base, wait=False) as held:
            if not held and self._descriptor >= 0:
                return False
            left = self._adopted() if held else []
            if self._descriptor >= 0:
                self._take_resolved()
            try:
                self._replace(b"".join(map(line, self._standing.values())))
                for one in left:
                    one.path.unlink()
            finally:
                for one in left:
                    os.close(one.descriptor)
        self._due = time.monotonic() + AGE
        return True

    def _adopted(self) -> list[Found]:
        """The files of dead processes, after what stands in them has been taken over."""
        left = []
        for one in files(self._base):
            if one.alive:
                os.close(one.descriptor)
                continue
            left.append(one)
            for key, entry in standing(read(_content(one.descriptor))).items():
                if key not in self._standing:
                    self._standing[key] = abandoned(entry)
                    self._tell(self._standing[key])
        return left

    def _replace(self, data: bytes) -> None:
        draft = self._path.with_name(f"{self._path.name}.new")
        descriptor = os.open(draft, _FLAGS | os.O_TRUNC, 0o640)
        try:
            locked(descriptor)
            _write(descriptor, data)
            if self._fsync:
                os.fsync(descriptor)
            draft.rename(self._path)
        except OSError:
            os.close(descriptor)
            draft.unlink(missing_ok=True)
            raise
        if self._fsync:
            _sync_folder(self._path.parent)
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._size, self._renewed = descriptor, len(data), len(data)

    def _take_resolved(self) -> None:
        """Learn which writes an operator has closed meanwhile: only then is the file larger than what was written here."""
        size = os.fstat(self._descriptor).st_size
        if size == self._size:
            return
        self._size = size
        for entry in read(_content(self._descriptor)):
            if entry.state == "resolved":
                self._standing.pop(entry.key, None)

    async def _durable(self) -> None:
        """Wait until all that has been appended is on the disk; raises OSError."""
        wanted = self._appended
        while self._synced < wanted:
            if self._syncing is None:
                self._syncing = asyncio.ensure_future(self._sync())
            await asyncio.shield(self._syncing)

    async def _sync(self) -> None:
        reached, copy = self._appended, os.dup(self._descriptor)
        try:
            await asyncio.to_thread(os.fdatasync, copy)
            self._synced = reached
        except OSError as problem:
            self._degrade(problem)
            raise
        finally:
            os.close(copy)
            self._syncing = None

    def _tell(self, entry: Entry) -> None:
        self._log.write(
            "in_doubt",
            request_id=entry.request,
            endpoint=entry.endpoint,
            step=entry.step,
            caller=entry.caller,
            outcome=entry.state,
            record=entry.record or None,
            code=entry.code,
        )


def _write(descriptor: int, data: bytes) -> None:
    if os.write(descriptor, data) < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _content(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
