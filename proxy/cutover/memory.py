"""What the guard has learnt, in a small local file beside the journal: a restart does not begin anew.

The file is replaced whole, so a reader never sees half of it. Where it is absent nothing was learnt. One that holds something
else says nothing of the kind: it may have known that a point of no return was passed, so it is named and left alone.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from proxy.cutover.guard import Watched
from proxy.cutover.splitter import LEAST
from proxy.errors import ConfigError

FORMAT = 1
"""Version of the file; one of another version cannot be read."""


class Formed(msgspec.Struct):
    """What every such file begins with."""

    format: int = FORMAT


Form = TypeVar("Form", bound=Formed)


class Memory(Formed):
    """The guard's file."""

    watched: dict[str, Watched] = {}
    """By route key."""
    crossed: dict[str, float] = {}
    """Resources behind their point of no return, and since when (seconds since 1970)."""
    conflicts: dict[str, int] = {}
    """By endpoint: creates that met a record in v2, and that v2.1 would have refused."""
    splits: dict[str, tuple[int, float]] = {}
    """By route key: distinct sticky keys, and the percentage of them that v2.1 answered."""


_LACKING = (
    "nothing that the guard has learnt; mend it, or move it away where no point of no return was passed"
)


def memory_path(journal: Path) -> Path:
    """Where the file is, for the configured journal."""
    return journal.with_name(f"{journal.name}.guard")


class UnreadableError(ConfigError):
    """A file beside the journal holds something else than this program has written."""


def recall(path: Path) -> Memory:
    """What the file holds; nothing where there is none. Raises `UnreadableError`, and OSError."""
    try:
        return decoded(path, Memory, _LACKING)
    except FileNotFoundError:
        return Memory()


def decoded(path: Path, kind: type[Form], lacking: str) -> Form:
    """A file of this form. Raises `UnreadableError`, which says what it is `lacking` and the way out, and OSError."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        found = kind(format=0)
    if found.format != FORMAT:
        raise UnreadableError(f"{path}: holds {lacking}")
    return found


def remember(path: Path, memory: Memory) -> None:
    """Replace the file. Raises OSError."""
    replace_file(path, msgspec.json.encode(memory))


class _Shared(Formed):
    """The part of the file that holds for every process."""

    crossed: dict[str, float] = {}
    conflicts: dict[str, int] = {}
    splits: dict[str, tuple[int, float]] = {}


class MemoryFile:
    """The file as a running process keeps it; other processes of its folder may write it meanwhile."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp = 0, 0
        self._saved = b""
        self._found = _Shared()
        self._known = False

    def keep(self, memory: Memory) -> Memory:
        """Write down what is new, and give what all processes know together. Raises OSError and `UnreadableError`.

        What was crossed or met in one process holds for every one; of the rest, the last writer's stays. A share of few
        keys says nothing, so it takes the place of none: what was measured before a restart stands until then.
        """
        self._look()
        found, mine = self._found, memory.conflicts
        most = {one: max(mine.get(one, 0), found.conflicts.get(one, 0)) for one in mine | found.conflicts}
        splits = {
            route: share if share[0] >= LEAST else found.splits.get(route, share)
            for route, share in memory.splits.items()
        }
        memory = replace(memory, crossed=found.crossed | memory.crossed, conflicts=most, splits=splits)
        said = msgspec.json.encode(memory)
        if said != self._saved or (memory.crossed, most) != (found.crossed, found.conflicts):
            replace_file(self.path, said)
            self._stamp, self._saved = stamp(self.path), said
            self._found = _Shared(crossed=memory.crossed, conflicts=most, splits=splits)
        return memory

    def _look(self) -> None:
        """Read what another process has written since. What was broken under us is written anew from what we know."""
        seen = stamp(self.path)
        if seen == self._stamp and self._known:
            return
        try:
            if not self._known:
                recall(self.path)  # also what is not shared has to be readable before it may be written over
            self._found = decoded(self.path, _Shared, _LACKING)
        except FileNotFoundError:
            self._saved = b""
        except UnreadableError:
            if not self._known:
                raise
            self._saved = b""
        self._stamp, self._known = seen, True


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
