"""Where lines go: a file or standard output that is full, gone or slow makes nobody wait."""

from __future__ import annotations

import os
import select

from proxy.errors import ConfigError

_PIECE = select.PIPE_BUF
_OPEN = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


class Sink:
    """A file descriptor that takes whole lines without ever waiting."""

    def __init__(self, target: str) -> None:
        """Open `-` (standard output) or a file, which is appended to. Raises ConfigError."""
        try:
            self._descriptor = 1 if target == "-" else os.open(target, _OPEN, 0o640)
        except OSError as problem:
            raise ConfigError(
                f'log.divergences: {target}: {problem.strerror}; make its folder writable, or write "-"'
            ) from None
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLOUT)
        self._rest = b""

    def write(self, line: str) -> None:
        """Write a line, its end added. Raises OSError when it was not taken."""
        self._push()
        if self._rest:
            raise BlockingIOError
        self._rest = whole = line.encode("ascii") + b"\n"
        self._push()
        if self._rest == whole:
            self._rest = b""
            raise BlockingIOError

    def close(self) -> None:
        """Close the file; standard output stays open."""
        if self._descriptor != 1:
            os.close(self._descriptor)

    def _push(self) -> None:
        # A pipe that polls as ready takes PIPE_BUF bytes at once (POSIX). The tail of a line that was begun
        # is kept, so that the next line does not start in the middle of it.
        while self._rest and self._poll.poll(0):
            try:
                taken = os.write(self._descriptor, self._rest[:_PIECE])
            except OSError:
                self._rest = b""
                raise
            self._rest = self._rest[taken:]
