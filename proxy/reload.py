"""Hot reload: on SIGHUP, and when the configuration, one of its files or a mapping has changed.

Everything is read, compiled and checked beside the running configuration, then swapped in one assignment. What is refused
changes nothing: the last good configuration stays, and log, metric and `/readyz` say so until the files are good again.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge
from pydantic import BaseModel

from proxy.assembly import rebuilt
from proxy.config.load import Loaded, load
from proxy.config.model import Config
from proxy.config.places import leaves
from proxy.errors import ConfigError, MappingError
from proxy.mapping.api import SHIPPED
from proxy.recorded import log_mistake
from proxy.serve import Gateway
from proxy.snapshot import Snapshot
from proxy.steering import Steering

POLL = 0.25
"""Seconds between two looks at the files. A change counts when two looks agree: nobody is still writing."""
PART = "config"
"""What `/readyz` calls this part."""
AT_START: Mapping[str, tuple[str, ...]] = {
    "server": ("host", "port", "tls_cert", "tls_key"),
    "admin": ("host", "port", "token_file"),
    "identity": ("key_file",),
    "shadow": ("workers",),
    "journal": ("path", "fsync"),
    "store": ("url", "url_file", "keep", "max_size"),
    "log": ("divergences",),
}
"""Keys that take effect at the next start only: what a process binds, opens or derives from is not changed under it."""


class Reloader:
    """Belongs to one gateway and one event loop."""

    def __init__(
        self,
        loaded: Loaded,
        gateway: Gateway,
        steering: Steering,
        environ: Mapping[str, str],
        registry: CollectorRegistry,
    ) -> None:
        self._path = loaded.path
        self._environ = environ
        self._gateway = gateway
        self._steering = steering
        self._reloading = asyncio.Lock()
        self._named: tuple[Config | None, list[Path]] = (None, [])
        self._stamps = stamps(self._files())
        self._digest = digest(self._files())
        self._outcomes = Counter(
            "crossfade_config_reloads",
            "Configurations read again, by outcome.",
            ["outcome"],
            registry=registry,
        )
        refused = Gauge(
            "crossfade_config_refused", "Whether the files hold what was refused.", registry=registry
        )
        refused.set_function(lambda: float(PART in gateway.snapshot.troubles))

    async def run(self) -> None:
        """Watch the files until it is cancelled."""
        before = self._stamps
        while True:
            await asyncio.sleep(POLL)
            try:
                found = stamps(self._files())
                if found == before and found != self._stamps:
                    await self.reload()
                before = found
            except Exception as error:  # noqa: BLE001 - a mistake of ours must not end the watching
                log_mistake(self._gateway.snapshot.log, error, "")

    async def reload(self) -> bool:
        """Read everything again; says whether it is in effect now."""
        async with self._reloading:
            self._stamps = stamps(self._files())
            seen = digest(self._files())
            if seen == self._digest and PART not in self._gateway.snapshot.troubles:
                self._tell("unchanged", self._gateway.snapshot.hash, [])
                return True
            try:
                snapshot, waiting = await asyncio.to_thread(self._read, self._gateway.snapshot)
            except (ConfigError, MappingError) as problem:
                self._refuse(str(problem).splitlines())
                return False
            except OSError as problem:
                self._refuse([f"{problem.filename}: {problem.strerror}; make it readable"])
                return False
            except Exception as mistake:  # noqa: BLE001 - a mistake of ours must not end the watching
                log_mistake(self._gateway.snapshot.log, mistake, "")
                self._refuse(["a mistake in crossfade; the line before this one names the place"])
                return False
            self._digest = seen
            self._gateway.snapshot.troubles.pop(PART, None)
            self._steering.adopt(snapshot)
            self._tell("loaded", snapshot.hash, [f"{one}: takes effect at the next start" for one in waiting])
            return True

    def _read(self, old: Snapshot) -> tuple[Snapshot, list[str]]:
        loaded = load(self._path, self._environ)
        config, waiting = kept(old.config, loaded.config)
        return rebuilt(replace(loaded, config=config), old), waiting

    def _refuse(self, findings: list[str]) -> None:
        self._gateway.snapshot.troubles[PART] = "refused"
        self._tell("refused", self._gateway.snapshot.hash, findings)

    def _tell(self, outcome: str, config: str, findings: list[str]) -> None:
        self._outcomes.labels(outcome).inc()
        self._gateway.snapshot.log.write("config", outcome=outcome, config=config, findings=findings)

    def _files(self) -> list[Path]:
        config = self._gateway.snapshot.config
        if (
            self._named[0] is not config
        ):  # they are looked at four times a second: long enough to be felt by a caller
            self._named = config, list(named_by(config))
        return sorted({self._path, *self._named[1], *mappings_of(config)})


def kept(old: Config, new: Config) -> tuple[Config, list[str]]:
    """The new configuration with the old values of keys that wait for a start, and the names of those that differ."""
    waiting: list[str] = []
    changed: dict[str, BaseModel] = {}
    for section, keys in AT_START.items():
        before, after = getattr(old, section), getattr(new, section)
        differing = [key for key in keys if getattr(before, key) != getattr(after, key)]
        waiting += [f"{section}.{key}" for key in differing]
        if differing:
            changed[section] = after.model_copy(update={key: getattr(before, key) for key in differing})
    return new.model_copy(update=changed), waiting


def named_by(config: Config) -> Iterator[Path]:
    """The files that a key of the configuration names."""
    for place, value in leaves(config.model_dump(mode="json")):
        if place.endswith("_file") and value:
            yield Path(str(value))


def mappings_of(config: Config) -> Iterator[Path]:
    """The files of its mappings."""
    folder = Path(config.mappings) if config.mappings else SHIPPED
    for pattern in ("*.toml", "*/*.toml", "*/*.json"):
        yield from folder.glob(pattern)


def stamps(files: list[Path]) -> dict[Path, tuple[int, int, int]]:
    """What changes when one of the files does; a missing one has none."""
    found = {}
    for one in files:
        try:
            state = one.stat()
        except OSError:
            continue
        found[one] = state.st_ino, state.st_size, state.st_mtime_ns
    return found


def digest(files: list[Path]) -> bytes:
    """What the files say, in 16 bytes."""
    found = hashlib.blake2b(digest_size=16)
    for one in files:
        try:
            data = one.read_bytes()
        except OSError:
            data = b"\x00"
        found.update(b"%d %d\n" % (len(str(one)), len(data)) + str(one).encode() + data)
    return found.digest()
