"""What is shipped: the steps of the Dockerfile, one after the other in a clean folder, and what they leave behind.

No container engine is needed: absolute paths of the image lie under a folder of the test, a fresh virtual environment stands
for the image's Python, and the program runs as the image's user where the test may choose its user.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.servers import emulator, fetch, parse, request

ROOT = Path(__file__).parents[1]
_OWN = re.compile(r"(?<![\w.])/(src|opt|etc/crossfade|var/lib/crossfade)\b")
_SECONDS = 300
NOBODY = 65532
PYTHONS = (sys.executable, "/usr/local/bin/python3", "/usr/bin/python3")


class Step(NamedTuple):
    """One instruction of the Dockerfile."""

    word: str
    rest: str


def instructions() -> list[Step]:
    text = re.sub(r"(?m)^\s*#.*\n", "", (ROOT / "Dockerfile").read_text()).replace("\\\n", " ")
    return [Step(*line.split(None, 1)) for line in text.splitlines() if line.strip()]


def last(word: str) -> str:
    return [step.rest for step in instructions() if step.word == word][-1]


def open_to_all(python: str) -> bool:
    """Whether it is recent enough, can make environments, and every user may start it (not one in a closed home)."""
    wanted = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"
    path = Path(python).resolve()
    if not path.exists() or not all(part.stat().st_mode & 0o001 for part in path.parents):
        return False
    return subprocess.run([python, "-c", wanted], capture_output=True, check=False).returncode == 0


class Image:
    """A folder that stands for an image's file system."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environ = {"PATH": f"{root}/python/bin:{os.environ['PATH']}", "HOME": str(root)}
        self.environ |= {
            name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))
        }
        self.folder = root
        self.as_nobody = os.geteuid() == 0 and any(map(open_to_all, PYTHONS))
        python = next(filter(open_to_all, PYTHONS), sys.executable)
        subprocess.run([python, "-m", "venv", root / "python"], check=True)
        shutil.copytree(Path.home() / ".config", root / ".config") if (
            Path.home() / ".config/pip"
        ).is_dir() else None

    def place(self, text: str) -> str:
        """A path or a command of the image, as it is under the folder."""
        return _OWN.sub(rf"{self.root}/\1", text)

    def carry_out(self, step: Step) -> None:
        act = getattr(self, f"_{step.word.lower()}", None)
        if act is not None:
            act(step.rest)

    def run(self, words: list[str]) -> subprocess.Popen[str]:
        """Start a command in the image, as its user where this process may."""
        user = NOBODY if self.as_nobody else None
        return subprocess.Popen(
            words,
            cwd=self.folder,
            env=self.environ,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )

    def _workdir(self, rest: str) -> None:
        self.folder = Path(self.place(rest))
        self.folder.mkdir(parents=True, exist_ok=True)

    def _env(self, rest: str) -> None:
        for name, value in re.findall(r"(\w+)=(\S+)", rest):
            self.environ[name] = self.place(value).replace("${PATH}", self.environ["PATH"])

    def _copy(self, rest: str) -> None:
        if rest.startswith("--from"):
            return
        *sources, target = rest.split()
        for source in sources:
            into = self.folder / target
            goal = into / Path(source).name if target.endswith("/") else into
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, goal, ignore=shutil.ignore_patterns("__pycache__", "examples"))
            else:
                goal.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, goal)

    def _run(self, rest: str) -> None:
        command = self.place(rest) if os.geteuid() == 0 else re.sub(r"&& chown \S+ \S+", "", self.place(rest))
        done = subprocess.run(
            command, shell=True, cwd=self.folder, env=self.environ, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"RUN {rest}\n{done.stdout}\n{done.stderr}"


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    with tempfile.TemporaryDirectory(prefix="crossfade-image-") as name:
        Path(name).chmod(0o755)
        built = Image(Path(name).resolve())
        first, second = (at for at, step in enumerate(instructions()) if step.word == "FROM")
        for step in instructions()[first + 1 : second]:
            built.carry_out(step)
        for left_behind in ("src", "opt/build"):
            shutil.rmtree(built.root / left_behind)
        built.folder = built.root
        for step in instructions()[second + 1 :]:
            built.carry_out(step)
        yield built


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def files(image: Image) -> dict[str, float]:
    """Every file but for what stands in the volume, and when it was written."""
    return {
        str(path): path.stat().st_mtime
        for path in image.root.rglob("*")
        if path.is_file() and not path.is_relative_to(image.root / "var/lib/crossfade")
    }


@pytest.mark.timeout(_SECONDS)
def test_the_image_serves_answers_its_healthcheck_and_writes_only_to_its_volume(image: Image) -> None:
    front, back = free_port(), free_port()
    image.environ["CROSSFADE__SERVER__HOST"] = "127.0.0.1"
    with emulator() as (platform, app):
        (image.root / "etc/crossfade/crossfade.toml").write_text(
            f'[server]\nport = {front}\ndrain_delay = "0s"\n[admin]\nport = {back}\n'
            f'[upstream.v2]\nbase_url = "{platform}"\n[upstream.v2_1]\nbase_url = "{platform}"\n'
            '[[route]]\nstage = "v2.1"\n'
        )
        before = files(image)
        command = [*json.loads(last("ENTRYPOINT")), *json.loads(last("CMD"))]
        with image.run([shutil.which(command[0], path=image.environ["PATH"]) or "", *command[1:]]) as process:
            try:
                assert healthy(image, process)
                call = request("GET", "/v2/orders?referenceId=x", headers=[("Authorization", "Basic YTpi")])
                answer = parse(fetch(front, call))
                assert answer.status == 200
                assert app.recorded[-1].target == b"/v2.1/orders?referenceId=x"
            finally:
                process.send_signal(signal.SIGTERM)
                said = process.communicate(timeout=20)[0]
            assert process.returncode == 0, said
        assert files(image) == before
        assert (image.root / "var/lib/crossfade/identity.key").exists()


def healthy(image: Image, process: subprocess.Popen[str]) -> bool:
    check = json.loads(last("HEALTHCHECK").split("CMD", 1)[1])
    program = shutil.which(check[0], path=image.environ["PATH"]) or ""
    until = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < until:
        with image.run([program, *check[1:]]) as asked:
            if asked.wait(20) == 0:
                return True
        time.sleep(0.2)
    return False


@pytest.mark.timeout(_SECONDS)
@pytest.mark.parametrize("tool", ["pip", "setuptools", "wheel", "pytest"])
def test_no_tool_to_build_with_is_left_in_the_image(image: Image, tool: str) -> None:
    for python in ("python/bin/python", "opt/crossfade/bin/python"):
        done = subprocess.run([image.root / python, "-c", f"import {tool}"], capture_output=True, check=False)
        assert b"ModuleNotFoundError" in done.stderr


@pytest.mark.timeout(_SECONDS)
def test_the_installed_program_carries_its_mappings_and_the_demo_its_material(image: Image) -> None:
    program = (
        "import proxy.cli.demo.material as m\n"
        "from proxy.mapping.api import SHIPPED, load\n"
        "load(SHIPPED)\n"
        "traffic = m.read_traffic()\n"
        "print(SHIPPED, len(m.read_examples().examples), len(traffic.callers), len(traffic.stories))"
    )
    python = image.root / "opt/crossfade/bin/python"
    said = subprocess.run(
        [python, "-c", program], capture_output=True, text=True, cwd=image.root, check=True
    ).stdout
    assert said.startswith(f"{image.root}/opt/crossfade/lib/")
    assert said.split()[1:] == ["4", "6", "1"]


def test_the_image_runs_as_nobody_in_particular() -> None:
    words = [step.word for step in instructions()]
    assert last("USER") == "65532:65532"
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert words.count("FROM") == 2


def test_nothing_that_is_copied_is_kept_out_of_the_build() -> None:
    admitted = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    copied = {
        source
        for step in instructions()
        if step.word == "COPY" and "--from" not in step.rest
        for source in step.rest.split()[:-1]
    }
    assert copied == admitted


@pytest.mark.parametrize("name", ["core.txt", "postgresql.txt", "dev.txt", "build.txt"])
def test_every_requirement_is_pinned_with_a_hash_and_no_index_is_named(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text()
    pinned = re.findall(r"(?m)^[a-zA-Z0-9][^\n]*", text)
    assert pinned
    assert all("==" in line and line.rstrip().endswith("\\") for line in pinned)
    assert "://" not in text
    assert not re.search(r"(?m)^\s*--(?!hash)", text)


def test_no_command_names_an_index() -> None:
    for name in ("Makefile", "Dockerfile", ".ci/run", "pyproject.toml"):
        text = (ROOT / name).read_text()
        assert not re.search(r"(?<!no-emit-)index-url|https?://", text)


def test_the_wheel_is_built_with_what_the_developers_have() -> None:
    dev = (ROOT / "requirements/dev.txt").read_text()
    for line in re.findall(r"\S+==\S+|--hash=\S+", (ROOT / "requirements/build.txt").read_text()):
        assert line in dev
