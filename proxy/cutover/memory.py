"""What the guard has learnt, in a small local file beside the journal: a restart does not begin anew.

The file is replaced whole, so a reader never sees half of it. Losing it costs evidence,
and the knowledge that a point of no return was passed.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp

import msgspec
from msgspec.structs import replace

from proxy.cutover.guard import Watched

FORMAT = 1
"""Version of the file; a file of another one counts as absent."""


class Memory(msgspec.Struct):
    """The guard's file."""

    format: int = FORMAT
    watched: dict[str, Watched] = {}
    """By route key."""
    crossed: dict[str, float] = {}
    """Resources behind their point of no return, and since when (seconds since 1970)."""
    conflicts: dict[str, int] = {}
    """By endpoint: creates that met a record in v2, and that v2.1 would have refused."""
    splits: dict[str, tuple[int, float]] = {}
    """By route key: distinct sticky keys, and the percentage of them that v2.1 answered."""


def memory_path(journal: Path) -> Path:
    """Where the file is, for the configured journal."""
    return journal.with_name(f"{journal.name}.guard")


def recall(path: Path) -> Memory:
    """What the file holds; nothing where it is absent, broken or of another format."""
    with suppress(OSError, msgspec.DecodeError):
        found = msgspec.json.decode(path.read_bytes(), type=Memory)
        if found.format == FORMAT:
            return found
    return Memory()


def remember(path: Path, memory: Memory) -> None:
    """Replace the file. Raises OSError."""
    replace_file(path, msgspec.json.encode(memory))


class _Shared(msgspec.Struct):
    """The part of the file that holds for every process."""

    crossed: dict[str, float] = {}
    conflicts: dict[str, int] = {}


class MemoryFile:
    """The file as a running process keeps it; other processes of its folder may write it meanwhile."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp = 0, 0
        self._saved = b""
        self._found = _Shared()

    def keep(self, memory: Memory) -> Memory:
        """Write down what is new, and give what all processes know together. Raises OSError.

        What was crossed or met in one process holds for every one; of the rest, the last writer's stays.
        """
        self._look()
        found, mine = self._found, memory.conflicts
        most = {one: max(mine.get(one, 0), found.conflicts.get(one, 0)) for one in mine | found.conflicts}
        memory = replace(memory, crossed=found.crossed | memory.crossed, conflicts=most)
        said = msgspec.json.encode(memory)
        if said != self._saved or (memory.crossed, most) != (found.crossed, found.conflicts):
            replace_file(self.path, said)
            self._stamp, self._saved, self._found = stamp(self.path), said, _Shared(memory.crossed, most)
        return memory

    def _look(self) -> None:
        """Read what another process has written since."""
        seen = stamp(self.path)
        if seen != self._stamp:
            with suppress(FileNotFoundError, msgspec.DecodeError):
                self._found = msgspec.json.decode(self.path.read_bytes(), type=_Shared)
            self._stamp = seen


def stamp(path: Path) -> tuple[int, int]:
    """Changes whenever the file does; zeros while there is none. Never raises."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_ino, found.st_mtime_ns


def replace_file(path: Path, data: bytes, *, lasting: bool = False) -> None:
    """Put a whole new file in the place of an old one, with its rights. Raises OSError; the old one then stays.

    What is `lasting` is whole also after the power has failed.
    """
    handle, draft = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            Path(draft).chmod(path.stat().st_mode & 0o777)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
