"""The command line as an operator meets it: real processes, their output and exit codes."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from proxy import __version__

FILE = '[upstream.v2]\nbase_url = "http://localhost:9"\n[upstream.v2_1]\nbase_url = "http://localhost:9"\n'


def crossfade(*words: str | Path, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-m", "proxy", *map(str, words)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        env=os.environ | {"PYTHONPATH": str(root)} | environ,
        check=False,
    )


@contextmanager
def admin(statuses: dict[str, int]) -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(statuses[self.path])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_help_lists_the_commands_and_loads_none_of_their_machinery(tmp_path: Path) -> None:
    done = crossfade("--help", folder=tmp_path)
    assert done.returncode == 0
    for command in (
        "serve",
        "emulator",
        "healthcheck",
        "config",
        "version",
        "divergences",
        "callers",
        "purge",
    ):
        assert f"\n  {command} " in done.stdout
    program = (
        "import sys, proxy.cli\n"
        "sys.argv = ['crossfade', '--help']\n"
        "try: proxy.cli.main()\n"
        "except SystemExit: pass\n"
        "heavy = {'pydantic', 'httpx', 'uvicorn', 'starlette', 'structlog', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_version(tmp_path: Path) -> None:
    assert crossfade("version", folder=tmp_path).stdout == f"crossfade {__version__}\n"


def test_the_first_steps_of_an_operator(tmp_path: Path) -> None:
    made = crossfade("config", "init", "--base-url", "https://platform.example", folder=tmp_path)
    assert (made.returncode, made.stdout.startswith("wrote crossfade.toml")) == (0, True)
    again = crossfade("config", "init", folder=tmp_path)
    assert (again.returncode, again.stderr) == (
        2,
        "crossfade.toml: exists and is left alone; name another file with --config\n",
    )
    shown = crossfade("config", "show", "--origin", folder=tmp_path, CROSSFADE__SERVER__PORT="9000")
    assert shown.returncode == 0
    rows = {line.split(" = ")[0]: line for line in shown.stdout.splitlines()}
    assert rows["server.port"].split() == ["server.port", "=", "9000", "#", "CROSSFADE__SERVER__PORT"]
    assert rows["upstream.v2.base_url"].endswith("# crossfade.toml")
    assert rows["shadow.workers"].endswith("# default")


def test_show_as_json_with_and_without_origins(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(FILE + '[store]\nurl = "postgresql://u:geheim@h/d"')
    plain = crossfade("config", "show", "--config", "c.toml", "--json", folder=tmp_path)
    assert json.loads(plain.stdout)["server"]["drain_delay"] == "5s"
    told = crossfade("config", "show", "--config", "c.toml", "--json", "--origin", folder=tmp_path)
    assert json.loads(told.stdout)["store.url"] == {"value": "postgresql://u:***@h/d", "origin": "c.toml"}
    human = crossfade("config", "show", "--config", "c.toml", folder=tmp_path)
    assert "geheim" not in plain.stdout + told.stdout + human.stdout


def test_the_schema_is_json(tmp_path: Path) -> None:
    schema = json.loads(crossfade("config", "schema", folder=tmp_path).stdout)
    assert set(schema["properties"]) >= {"server", "admin", "upstream", "route", "compat", "unmapped"}


@pytest.mark.parametrize(
    "words", [("serve",), ("config", "show"), ("healthcheck",), ("serve", "--config", "none/x.toml")]
)
def test_a_missing_file_is_one_line_and_exit_code_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = crossfade(*words, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot be read: No such file or directory" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_each_mistake_is_a_line_on_standard_error(tmp_path: Path) -> None:
    (tmp_path / "crossfade.toml").write_text(FILE + '[server]\nprt = 1\n[log]\nrequests = "on"')
    done = crossfade("serve", folder=tmp_path)
    assert done.returncode == 2
    assert sorted(line.split(": ")[1] for line in done.stderr.splitlines()) == ["log.requests", "server.prt"]


@pytest.mark.parametrize(
    "words",
    [
        ("srve",),
        ("serve", "--confg", "x"),
        ("emulator", "--port", "x"),
        ("emulator", "--switch", "nothing=1"),
        ("emulator", "--misbehave", "nothing=1"),
        ("healthcheck", "--is", "fine"),
    ],
)
def test_a_wrong_command_line_is_exit_code_2_without_a_traceback(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = crossfade(*words, folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("statuses", "question", "code", "text"),
    [
        ({"/readyz": 200}, "ready", 0, "ready: yes\n"),
        ({"/livez": 200}, "live", 0, "live: yes\n"),
        ({"/readyz": 503}, "ready", 1, "ready: no (503)\n"),
    ],
)
def test_healthcheck_asks_the_admin_listener(
    tmp_path: Path, statuses: dict[str, int], question: str, code: int, text: str
) -> None:
    (tmp_path / "token").write_text("t")
    with admin(statuses) as port:
        (tmp_path / "crossfade.toml").write_text(
            f'{FILE}[admin]\nhost = "0.0.0.0"\nport = {port}\ntoken_file = "token"'
        )
        done = crossfade("healthcheck", "--is", question, folder=tmp_path)
    assert (done.returncode, done.stdout + done.stderr) == (code, text)


def test_healthcheck_says_no_when_nobody_listens(tmp_path: Path) -> None:
    (tmp_path / "crossfade.toml").write_text(f"{FILE}[admin]\nport = 1")
    done = crossfade("healthcheck", folder=tmp_path)
    assert done.returncode == 1
    assert "ConnectionRefusedError; is `crossfade serve` running" in done.stderr


def test_no_colour_reaches_a_pipe_or_somebody_who_wants_none(tmp_path: Path) -> None:
    for words in (("--help",), ("srve",)):
        done = crossfade(*words, folder=tmp_path, NO_COLOR="1", FORCE_COLOR="")
        assert "\x1b" not in done.stdout + done.stderr
