"""Platform and proxy, up while a block runs: a folder for the proxy's files, its configuration, its process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory

from proxy.cli.demo.watched import Watched, platform
from proxy.config.identity import load_key
from proxy.errors import ConfigError
from proxy.wire.credentials import CallerIds

HOST = "127.0.0.1"
_PATIENCE = 20.0

_FILE = """\
[server]
host = "{host}"
port = {port}
public_url = "http://{host}:{port}"
drain_delay = "0s"
[admin]
host = "{host}"
port = {admin}
[upstream.v2]
base_url = "{platform}"
[upstream.v2_1]
base_url = "{platform}"
[shadow]
sample = 1.0
max_calls_per_second = 1000
[log]
divergences = "crossfade.log"
requests = "all"
"""
_CALLER = '[[caller]]\nid = "{id}"\nname = "{name}"\n'
_ROUTE = '[[route]]\nendpoint = "{endpoint}"\ncallers = ["{name}"]\nstage = "{stage}"\n'


@dataclass(frozen=True)
class Member:
    """A caller of the demo: its user name, the stage of its route, and which endpoints that is about."""

    name: str
    stage: str
    endpoint: str = "*"


@dataclass(frozen=True)
class Stage:
    """What is up: addresses, the platform to look into, the proxy's log, callers by their ids."""

    proxy: str
    admin_port: int
    platform: str
    watched: Watched
    log: Path
    config: Path
    callers: dict[str, Member]
    process: subprocess.Popen[bytes]

    def check(self) -> None:
        """Raise `ConfigError` when the proxy has ended on its own."""
        if self.process.poll() is not None:
            raise ConfigError(_ended(self.process, self.log.parent))

    def typed(self, *words: str) -> str:
        """What `crossfade` prints with these words in the folder of the configuration. Raises `ConfigError` when it fails."""
        done = subprocess.run(  # noqa: S603 - this very program
            [sys.executable, "-m", "proxy", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=3 * _PATIENCE,
            cwd=self.config.parent,
            env=_environ(),
            check=False,
        )
        if done.returncode:
            raise ConfigError(f"crossfade demo: crossfade {' '.join(words)} failed:\n{done.stderr.strip()}")
        return done.stdout.strip()

    def place(self, name: str) -> int:
        """Where the route of a caller stands in the file, counted from 0."""
        return [one.name for one in self.callers.values()].index(name)


@contextmanager
def staged(members: Sequence[Member], port: int) -> Iterator[Stage]:
    """Everything up; gone when the block ends, however it ends. `port` 0 takes a free one. Raises `ConfigError`."""
    with TemporaryDirectory(prefix="crossfade-demo-") as name, platform(HOST) as (address, watched):
        folder = Path(name)
        front, back = port or _free_port(), _free_port()
        ids = CallerIds(load_key(folder / "identity.key"))
        callers = {ids.of_user(one.name.encode()): one for one in members}
        config = folder / "crossfade.toml"
        config.write_text(_configuration(address, front, back, callers), encoding="utf-8")
        process = _start(config)
        try:
            log = folder / "crossfade.log"
            stage = Stage(f"http://{HOST}:{front}", back, address, watched, log, config, callers, process)
            _wait(stage)
            yield stage
        finally:
            _stop(process)


def _configuration(address: str, front: int, back: int, callers: dict[str, Member]) -> str:
    parts = [_FILE.format(host=HOST, port=front, admin=back, platform=address)]
    parts += [_CALLER.format(id=known, name=one.name) for known, one in callers.items()]
    for one in callers.values():
        percent = "percent = 50\n" if one.stage == "canary" else ""
        parts.append(_ROUTE.format(name=one.name, stage=one.stage, endpoint=one.endpoint) + percent)
    parts.append('[[route]]\nstage = "shadow"\n')
    return "".join(parts)


def _start(config: Path) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C in the terminal then reaches this process alone, which stops the proxy itself.
    with (config.parent / "output.txt").open("wb") as output:
        return subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-m", "proxy", "serve", "--config", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=config.parent,
            env=_environ(),
            start_new_session=True,
        )


def _environ() -> dict[str, str]:
    """The environment of this process with the program in reach, and without configuration of somebody's own."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CROSSFADE__")}
    root = str(Path(__file__).parents[3])
    return environ | {"PYTHONPATH": os.pathsep.join(filter(None, [root, environ.get("PYTHONPATH", "")]))}


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait(stage: Stage) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        stage.check()
        if fetched(stage.admin_port, "/readyz") is not None:
            return
        time.sleep(0.05)
    raise ConfigError(
        f"crossfade demo: the proxy was not ready within {_PATIENCE:g} s; try again on a quieter machine"
    )


def fetched(port: int, path: str) -> str | None:
    """The body of a 200 from the operators' listener, `None` for everything else."""
    connection = HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
    except (OSError, HTTPException):
        return None
    else:
        return text if answer.status == 200 else None
    finally:
        connection.close()


def _ended(process: subprocess.Popen[bytes], folder: Path) -> str:
    output = (folder / "output.txt").read_text("utf-8", "replace").strip()
    said = "\n".join(output.splitlines()[-12:]) or "nothing was written"
    return (
        f"crossfade demo: the proxy ended on its own with code {process.returncode}; its last words:\n{said}"
    )


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
