"""All journals of one configured path, whichever processes write them or have written them: read, and close by hand.

The lock on a file tells whether its process lives; the kernel lets go of it with the process. The lock on the folder is
held by whoever changes which files there are, or needs to see all of them at once.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from proxy.upstream.entries import Entry, Key, line, read, standing


class Survey(NamedTuple):
    """The writes in doubt, oldest first, and how many are in flight in processes that live."""

    in_doubt: list[Entry]
    in_flight: int


class Found(NamedTuple):
    """One file; its process lives if somebody holds its lock."""

    path: Path
    descriptor: int
    alive: bool


def survey(path: Path) -> Survey:
    """What the journals of `path` hold. Raises OSError when they cannot be read.

    What a dead process had in flight is in doubt: it is `unknown`.
    """
    with alone(path, wait=True):
        entries: list[Entry] = []
        flying: set[Key] = set()
        for one in files(path):
            with _closing(one):
                here = read(_all(one.descriptor))
            entries += here
            if one.alive:
                flying |= {key for key, entry in standing(here).items() if entry.state == "open"}
    open_ones = standing(entries)
    doubtful = [abandoned(entry) for key, entry in open_ones.items() if key not in flying]
    return Survey(sorted(doubtful, key=lambda entry: entry.at), len(flying & set(open_ones)))


def resolve(path: Path, keys: Collection[Key]) -> None:
    """Close these writes wherever they stand. Raises OSError."""
    now = round(time.time() * 1000)
    lines = b"\n" + b"".join(line(Entry("resolved", *key, now)) for key in keys)
    with alone(path, wait=True):
        for one in files(path):
            with _closing(one):
                if set(keys) & set(standing(read(_all(one.descriptor)))):
                    _append(one.path, lines)


def abandoned(entry: Entry) -> Entry:
    """The entry of a process that is gone: what was in flight has an unknown end."""
    return entry.doubtful("unknown") if entry.state == "open" else entry


def files(path: Path) -> Iterator[Found]:
    """The files of all processes, each open for reading; those without a living process are locked by this call."""
    ours = re.compile(re.escape(path.name) + r"\.[0-9a-f]{8}(\.new)?")
    for one in sorted(path.parent.iterdir()):
        if ours.fullmatch(one.name):
            try:
                descriptor = os.open(one, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            yield Found(one, descriptor, alive=not locked(descriptor))


def locked(descriptor: int) -> bool:
    """Lock a file or a folder for as long as it is open; false where somebody else has."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def alone(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold the lock on the folder; without `wait`, tell at once whether it could be had."""
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if wait:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield wait or locked(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _closing(found: Found) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(found.descriptor)


def _all(descriptor: int) -> bytes:
    with os.fdopen(os.dup(descriptor), "rb") as file:
        return file.read()


def _append(path: Path, data: bytes) -> None:
    with path.open("ab", buffering=0) as file:
        file.write(data)
