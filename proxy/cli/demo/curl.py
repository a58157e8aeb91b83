"""The platform's own commands: run with curl where it is installed, else sent with the same words by Python."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from base64 import b64encode
from http.client import HTTPConnection
from itertools import pairwise
from urllib.parse import urlsplit

from proxy.errors import ConfigError
from proxy.types import Answer, Call, Headers

PASSWORD = "demo"  # noqa: S105 - the emulator takes any
_SECONDS = 15


def command(text: str, address: str, user: str) -> str:
    """The command with its `<…>` filled in; nothing else is changed."""
    filled = text.replace("<baseURL>", address)
    return filled.replace("<username>", user).replace("<password>", PASSWORD).strip()


def curl_path() -> str | None:
    """Where curl is, if it is installed."""
    return shutil.which("curl")


def run(text: str) -> tuple[Call, Answer]:
    """Carry out one command: what was sent and what came back. Raises `ConfigError` when nothing came."""
    words = shlex.split(text.replace("\\\n", " "))[1:]
    path = curl_path()
    try:
        return _by_curl(path, words) if path else _by_python(words)
    except (OSError, subprocess.SubprocessError) as problem:
        raise ConfigError(
            f"crossfade demo: an example got no answer ({type(problem).__name__}); try again"
        ) from None


def _by_curl(path: str, words: list[str]) -> tuple[Call, Answer]:
    options = [
        "--disable",
        "--silent",
        "--verbose",
        "--noproxy",
        "*",
        "--http1.1",
        "--max-time",
        str(_SECONDS),
    ]
    done = subprocess.run(  # noqa: S603 - the words of the platform's documents
        [path, *options, *words],
        capture_output=True,
        check=True,
        timeout=_SECONDS + 5,
        stdin=subprocess.DEVNULL,
    )
    lines = done.stderr.splitlines()
    sent = [line[2:].strip() for line in lines if line.startswith(b"> ") and line[2:].strip()]
    came = [line[2:].strip() for line in lines if line.startswith(b"< ") and line[2:].strip()]
    if not sent or not came:
        raise OSError("curl told nothing")
    method, target, _ = sent[0].split(b" ", 2)
    call = Call(method.decode(), target, _fields(sent[1:]), _read(words).body)
    return call, Answer(int(came[0].split()[1]), _fields(came[1:]), done.stdout)


def _by_python(words: list[str]) -> tuple[Call, Answer]:
    call = _read(words)
    url = urlsplit(next(word for word in words if "://" in word))
    connection = HTTPConnection(url.netloc, timeout=_SECONDS)
    try:
        connection.putrequest(call.method, call.target.decode(), skip_host=True, skip_accept_encoding=True)
        for name, value in call.headers:
            connection.putheader(name.decode(), value.decode())
        connection.endheaders(call.body or None)
        answer = connection.getresponse()
        headers = [(name.encode(), value.encode()) for name, value in answer.getheaders()]
        return call, Answer(answer.status, headers, answer.read())
    finally:
        connection.close()


def _read(words: list[str]) -> Call:
    """The request that curl makes of its words: of the options, those that the documents use."""
    given = dict(pairwise(words))
    url = urlsplit(next(word for word in words if "://" in word))
    body = given.get("--data-raw", "").encode()
    name, _, value = given["-H"].partition(": ")
    headers = [
        (b"Host", url.netloc.encode()),
        (b"Authorization", b"Basic " + b64encode(given["-u"].encode())),
        (name.encode(), value.encode()),
    ]
    if body:
        headers.append((b"Content-Type", b"application/x-www-form-urlencoded"))
        headers.append((b"Content-Length", b"%d" % len(body)))
    target = url.path + (f"?{url.query}" if url.query else "")
    return Call(given["-X"], target.encode(), headers, body)


def _fields(lines: list[bytes]) -> Headers:
    pairs = (line.partition(b":") for line in lines)
    return [(name, value.strip()) for name, _, value in pairs]
