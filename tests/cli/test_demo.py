"""`crossfade demo` as somebody meets it who has just cloned the project: what is on the screen, and what is left behind."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from proxy.cli.demo import curl
from proxy.cli.demo.material import read_examples

ROOT = Path(__file__).parents[2]
DEMO = [sys.executable, "-m", "proxy", "demo"]


def environ(folder: Path, **more: str) -> dict[str, str]:
    settings = {"PYTHONPATH": str(ROOT), "TMPDIR": str(folder), "NO_COLOR": "1", "COLUMNS": "100"}
    return os.environ | settings | more


def addresses(screen: str) -> list[str]:
    """The proxy's and the platform's, as the demo tells them."""
    return re.findall(r"http://127\.0\.0\.1:\d+(?=[,.\s])", screen)[:2]


def assert_nothing_is_left(screen: str, folder: Path) -> None:
    assert not list(folder.iterdir())
    told = addresses(screen)
    assert len(told) == 2
    for address in told:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((urlsplit(address).hostname, urlsplit(address).port or 0), timeout=2)


def test_the_examples_run_through_three_stages_then_traffic_then_one_caller_goes_all_the_way(
    tmp_path: Path,
) -> None:
    begin, first, screen = time.monotonic(), 0.0, ""
    with subprocess.Popen(
        [*DEMO, "--seconds", "5"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ(tmp_path, COLUMNS="60"),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            screen += line
            if "new divergence" in line and not first:
                first = time.monotonic() - begin
        assert (process.wait(20), process.stderr.read()) == (0, "")
    assert 0 < first < 60
    assert_the_way_to_v2_1(screen.partition("Now the way from v2 to v2.1")[2])
    for stage in ("v2", "shadow", "v2.1"):
        for title in ("Create an order", "Retrieve an order", "Retrieve orders", "Update an order"):
            assert re.search(rf"^{title}   stage {re.escape(stage)} *$", screen, re.MULTILINE)
    v2, shadow, v2_1 = re.split(r"(?m)^Create an order   stage .*$", screen)[1:]
    assert "PUT" not in v2 + shadow
    assert re.search(r"→ POST\s*• → PUT", v2_1)
    assert "→ GET\n" not in v2_1
    assert " → GET" in shadow
    assert "Then v2.1 is" in shadow
    assert "Then v2.1 is" not in v2
    assert re.search(r"new divergence: unexpected, orders\.", screen)
    callers = "mainframe web-shop mobile-app dotnet-desk form-poster anonymous airline airline-desk"
    for caller in callers.split():
        assert re.search(rf"^{caller} +\S+ +\d+", screen, re.MULTILINE)
    assert re.search(r"^comparisons: \d+ ", screen, re.MULTILINE)
    assert max(map(len, screen.splitlines())) <= 80
    assert "\x1b" not in screen
    assert_nothing_is_left(screen, tmp_path)


def assert_the_way_to_v2_1(chapter: str) -> None:
    looks = re.findall(
        r"^  (\S+): (\d+) calls, (\d+)% of them answered by v2\.1, (\d+) failed", chapter, re.MULTILINE
    )
    assert [one[0] for one in looks] == ["shadow", "canary", "shadow", "shadow", "canary", "live"]
    assert all(int(calls) > 20 and failed == "0" for _, calls, _, failed in looks)
    before, canary, back, mended, again, live = (int(share) for _, _, share, _ in looks)
    assert (before, back, mended, live) == (0, 0, 0, 100)
    assert 0 < canary < 100
    assert 0 < again < 100
    typed = re.findall(r"^\$ crossfade cutover (\w+) 'orders\.\*'(.*)$", chapter, re.MULTILINE)
    assert [one[0] for one in typed] == ["set", "why", "set", "set"]
    assert [one[1].split()[0] for one in typed if one[1]] == ["canary", "canary", "live"]
    found = re.search(r"([\d.]+) s later the guard has taken the route back to shadow", chapter)
    assert found is not None
    assert float(found[1]) < 10
    assert "guard." in chapter
    assert "distinct records were bad" in chapter
    compared = re.findall(r"^  comparisons: (.*)$", chapter, re.MULTILINE)
    assert ["unexpected" in one for one in compared] == [False, False, True, False, False, False]
    assert "the file says so already" in chapter
    assert "no answer on the whole way: 0." in chapter


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_middle_ends_it_with_0_and_leaves_nothing_behind(
    tmp_path: Path, number: signal.Signals
) -> None:
    with subprocess.Popen(
        [*DEMO, "--seconds", "50"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ(tmp_path),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        screen = ""
        for line in process.stdout:
            screen += line
            if "calls answered" in line:
                break
        process.send_signal(number)
        process.send_signal(number)  # somebody who cannot wait must not get in the way of the cleaning up
        screen += process.stdout.read()
        assert (process.wait(20), process.stderr.read()) == (0, "")
    assert screen.endswith("stopped; everything that was started is gone\n")
    assert_nothing_is_left(screen, tmp_path)


def test_on_a_terminal_it_draws_holds_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(ROOT)
        os.execve(
            sys.executable,
            [*DEMO, "--seconds", "2", "--hold"],
            environ(tmp_path, TERM="xterm-256color", COLUMNS="120", NO_COLOR=""),
        )
    screen = read_until(terminal, b"stays up until Ctrl-C")
    text = screen.decode()
    assert "Traffic: 0 of 2 s" in text
    assert "\x1b[" in text
    proxy = addresses(text)[0]
    assert f"curl -X POST '{proxy}/v2/orders' \\" in text
    _, answer = curl.run(curl.command(read_examples().examples[0].text, proxy, "stage-v2.1"))
    assert answer.status == 201
    os.write(terminal, b"\x03")
    text += read_until(terminal, b"is gone").decode()
    _, status = os.waitpid(process, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    assert_nothing_is_left(text, tmp_path)


def read_until(terminal: int, wanted: bytes) -> bytes:
    screen, until = b"", time.monotonic() + 120
    while wanted not in screen:
        assert time.monotonic() < until, screen[-2000:]
        if select.select([terminal], [], [], 0.5)[0]:
            screen += os.read(terminal, 65536)
    return screen


def test_a_port_in_use_is_said_and_nothing_stays(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*DEMO, "--no-traffic", "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=60,
            env=environ(tmp_path),
            check=False,
        )
    assert done.returncode == 2
    assert f"{port}" in done.stderr
    assert "already in use" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
