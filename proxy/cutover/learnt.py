"""What the guard learns, between its file and its work: read at the start, written down while it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from proxy.cutover.chronicle import Chronicle
from proxy.cutover.crossing import Crossing
from proxy.cutover.guard import Watched
from proxy.cutover.memory import Memory, MemoryFile, recall


class Learnt:
    """What an earlier process has left, if it can be read, and what has been added since."""

    def __init__(self, path: Path, chronicle: Chronicle) -> None:
        found = chronicle.tried(path, partial(recall, path))
        self.crossing = Crossing(None if found is None else found.crossed)
        self.watched: Mapping[str, Watched] = found.watched if found else {}
        """What the guard begins with."""
        self._file = MemoryFile(path)
        self._met = Counter(found.conflicts if found else {})
        self._chronicle = chronicle

    def save(
        self, watched: dict[str, Watched], met: Mapping[str, int], splits: dict[str, tuple[int, float]]
    ) -> None:
        """Write down what is new and take over what other processes know; `met` are the conflicts of this process."""
        memory = Memory(
            watched=watched,
            crossed=self.crossing.since,
            conflicts=dict(self._met + Counter(met)),
            splits=splits,
        )
        kept = self._chronicle.tried(self._file.path, partial(self._file.keep, memory))
        if kept is not None:
            self.crossing = Crossing(kept.crossed)
