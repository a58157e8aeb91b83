"""What the guard has learnt, in a small local file beside the journal: a restart does not begin anew.

The file is replaced whole, so a reader never sees half of it. Losing it costs evidence and nothing else.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp

import msgspec

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


def replace_file(path: Path, data: bytes) -> None:
    """Put a whole new file in the place of an old one, with its rights. Raises OSError; the old one then stays."""
    handle, draft = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        with suppress(FileNotFoundError):
            Path(draft).chmod(path.stat().st_mode & 0o777)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
