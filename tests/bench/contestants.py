"""The programs that are measured side by side: each a process of its own on one core, over real sockets on loopback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROXY_CORE, LOAD_CORE = 0, 1
"""The proxy under test has one core; upstream and load share the other."""

_NGINX = """
daemon off; master_process off; pid {folder}/{name}.pid; error_log {folder}/{name}.err crit;
worker_rlimit_nofile 20000;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 600s;
  client_body_temp_path {folder}/{name}-b; proxy_temp_path {folder}/{name}-p; fastcgi_temp_path {folder}/{name}-f;
  uwsgi_temp_path {folder}/{name}-u; scgi_temp_path {folder}/{name}-s;
  {inner}
}}
"""
_UPSTREAM = """
  server {{ listen 127.0.0.1:{port} backlog=4096; default_type application/json;
    location / {{ if ($request_method = POST) {{ return 201 '{answer}'; }} return 200 '{answer}'; }} }}
"""
_PROXY = """
  upstream platform {{ server 127.0.0.1:{upstream}; keepalive 512; keepalive_requests 1000000000; }}
  server {{ listen 127.0.0.1:{port} backlog=4096;
    location /v2/ {{ proxy_pass http://platform/v2.1/; proxy_http_version 1.1; proxy_set_header Connection ""; }} }}
"""
_PLATFORM = "https://api-engage-eu.sitecorecloud.io"
ALL_COMPARED = "sample = 1.0\nmax_calls_per_second = 1000000"
_CONFIGURATION = """
[server]
port = {port}
public_url = "http://127.0.0.1:{port}"
max_in_flight = 1000
[admin]
port = {admin}
[identity]
key_file = "{name}.key"
[upstream.v2]
base_url = "http://127.0.0.1:{v2}"
[upstream.v2_1]
base_url = "http://127.0.0.1:{upstream}"
[[route]]
stage = "{stage}"
[shadow]
{shadow}
[journal]
path = "{name}.journal"
[store]
url = "sqlite:///{name}.db"
[log]
divergences = "{name}.log"
"""


@dataclass(frozen=True)
class Contestant:
    """A running program that takes requests on a port."""

    name: str
    port: int
    process: subprocess.Popen[bytes]

    def cpu(self) -> float:
        """Seconds of CPU that it has used so far, all threads."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9

    def memory(self) -> float:
        """Resident MiB."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def free_port() -> int:
    """A port of loopback that nobody has at this moment."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def need(*programs: str) -> None:
    """End with a sentence unless these programs are there."""
    missing = [one for one in programs if shutil.which(one) is None]
    if missing:
        sys.exit(
            f"make bench needs {' and '.join(missing)}; install them (Debian: nginx-light, wrk) and try again"
        )


@contextmanager
def running(
    name: str, words: list[str], port: int, core: int, more: Mapping[str, str] | None = None
) -> Iterator[Contestant]:
    """Start a program on one core, wait until it listens; it is stopped at the end."""
    process = subprocess.Popen(
        ["taskset", "-c", str(core), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | dict(more or {}),
    )
    try:
        _wait(process, port, name)
        yield Contestant(name, port, process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def upstream(folder: Path, answer: str) -> tuple[list[str], int]:
    """nginx that gives every request the same answer, with links to itself."""
    port = free_port()
    assert not set("'$") & set(answer)
    answer = answer.replace(_PLATFORM, f"http://127.0.0.1:{port}")
    return _nginx(folder, "upstream", _UPSTREAM.format(port=port, answer=answer)), port


def nginx_proxy(folder: Path, platform: int) -> tuple[list[str], int]:
    """nginx as a reverse proxy: the practical limit."""
    port = free_port()
    return _nginx(folder, "nginx", _PROXY.format(port=port, upstream=platform)), port


def uvicorn(app: str) -> tuple[list[str], int]:
    """An app of this folder on uvicorn with uvloop and httptools."""
    port = free_port()
    words = f"-m uvicorn tests.bench.{app} --port {port} --loop uvloop --http httptools --no-access-log --log-level error"
    return [sys.executable, *words.split()], port


def crossfade(
    folder: Path, name: str, stage: str, platform: int, *, v2: int | None = None, shadow: str = ""
) -> tuple[list[str], int]:
    """Our own, every endpoint at one stage; `shadow` holds keys of that section, which else has its defaults."""
    port = free_port()
    file = folder / f"{name}.toml"
    filled = _CONFIGURATION.format(
        name=name,
        port=port,
        admin=free_port(),
        stage=stage,
        upstream=platform,
        v2=v2 or platform,
        shadow=shadow,
    )
    file.write_text(filled)
    return [sys.executable, "-m", "proxy", "serve", "--config", str(file)], port


def as_answer(document: bytes) -> str:
    """A JSON document in the form that an nginx configuration can hold, compact as the platform prints it."""
    return json.dumps(json.loads(document), ensure_ascii=True, separators=(",", ":"))


def _nginx(folder: Path, name: str, inner: str) -> list[str]:
    file = folder / f"{name}.conf"
    file.write_text(_NGINX.format(folder=folder, name=name, inner=inner))
    return [shutil.which("nginx") or "/usr/sbin/nginx", "-e", f"{folder}/{name}.err", "-c", str(file)]


def _wait(process: subprocess.Popen[bytes], port: int, name: str) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if process.poll() is not None:
            sys.exit(f"{name} ended with {process.returncode} before it listened")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    sys.exit(f"{name} does not listen")
