"""A real PostgreSQL for tests: a cluster of its own in a temporary folder, on a free port of loopback, gone at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

_USER = "crossfade"
_SETTINGS = {"fsync": "off", "shared_buffers": "16MB", "max_connections": "40", "unix_socket_directories": ""}


def programs() -> Path | None:
    """The folder with the server's programs: the newest of Debian's packages, or the one in PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda one: float(one.parts[-3]))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


@dataclass
class PostgreSQL:
    """A cluster that can be stopped and started; `address` is a database of it."""

    folder: Path
    port: int
    bin: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        return self.database("postgres")

    def database(self, name: str) -> str:
        return f"postgresql://{_USER}@127.0.0.1:{self.port}/{name}"

    def created(self, name: str) -> str:
        """The address of a new, empty database."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.database(name)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        words = [str(self.bin / "postgres"), "-D", str(self.folder), "-p", str(self.port), "-h", "127.0.0.1"]
        words += [f"-c{name}={value}" for name, value in _SETTINGS.items()]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([*as_user(), *words], stdout=log, stderr=log)
        until = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.address, connect_timeout=2).close()
            except psycopg.OperationalError:
                assert time.monotonic() < until, (self.folder / "log").read_text()
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """End it at once, as a machine that goes away would."""
        if self._process is not None:
            pid = int((self.folder / "postmaster.pid").read_text().splitlines()[0])
            os.kill(pid, signal.SIGQUIT)
            self._process.wait(20)
            self._process = None


def as_user() -> Sequence[str]:
    """What goes before a command of the server, which refuses to run as root."""
    if os.getuid():
        return ()
    user = _server_user()
    return ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")


def _server_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


@contextmanager
def postgresql() -> Iterator[PostgreSQL | None]:
    """A running cluster, or `None` where no server is installed."""
    place = programs()
    if place is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="crossfade-pg-") as name:
        outer = Path(name)
        folder = outer / "data"
        folder.mkdir(0o700)
        if not os.getuid():
            user = _server_user()
            outer.chmod(0o755)
            os.chown(folder, user.pw_uid, user.pw_gid)
        words = [
            str(place / "initdb"),
            "-D",
            str(folder),
            "-U",
            _USER,
            "-A",
            "trust",
            "--no-sync",
            "-E",
            "UTF8",
        ]
        done = subprocess.run(
            [*as_user(), *words, "--locale=C"], capture_output=True, text=True, check=False, cwd="/"
        )
        assert done.returncode == 0, done.stderr
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = PostgreSQL(folder, port, place)
        try:
            server.start()
            yield server
        finally:
            server.stop()
