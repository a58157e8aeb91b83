"""`crossfade explain` and `crossfade guide` as an operator meets them: real processes, their output and exit codes."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import pty
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from proxy.cli import asking
from proxy.cli.ending import Exit
from proxy.cli.explaining import print_explanation
from proxy.cli.given import answer_from_text, from_har, from_text
from proxy.config.load import load as load_config
from proxy.config.mapped import compiled
from proxy.errors import ConfigError
from proxy.exchange import Asked
from proxy.explain import explain
from proxy.mapping.declared import catalogue
from proxy.types import Answer
from tests.mapping.goldens import FOLDER
from tests.mapping.requests import SOURCE

ROOT = Path(__file__).parents[2]
SENT = (
    b'{"pointOfSale":"s","currencyCode":"EUR","price":80.00,"orderedAt":"2025-12-19T12:07:18.149Z",'
    b'"referenceId":"A"}'
)
BODY = b'{"ref":null,' + SENT[1:]
HEAD = b"POST /v2/orders HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic c2VjcmV0OnNlc2FtZQ==\r\n"
CREATED = b'{"ref":"1","href":"https://api.example.com/v2.1/orders/1","status":"BROWSED","price":80.00}'


def crossfade(
    *words: str | Path, folder: Path, stdin: bytes = b"", **environ: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "proxy", *map(str, words)],
        cwd=folder,
        input=stdin,
        capture_output=True,
        timeout=60,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environ,
        check=False,
    )


def written(path: Path, content: bytes | dict[str, Any]) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def har(url: str, answer: str, **content: str) -> dict[str, Any]:
    request = {
        "method": "POST",
        "url": url,
        "headers": [{"name": ":path", "value": "/"}, {"name": "Content-Encoding", "value": "gzip"}],
        "postData": {"text": BODY.decode()},
    }
    response = {"status": 201, "headers": [], "content": {"text": answer, **content}}
    return {
        "log": {
            "entries": [
                {"request": {"method": "GET", "url": "https://x/"}},
                {"request": request, "response": response},
            ]
        }
    }


def test_a_request_text_is_told_value_by_value_without_its_credentials(tmp_path: Path) -> None:
    file = written(tmp_path / "r.http", HEAD + b"\r\n" + BODY)
    done = crossfade("explain", file, "--answer", written(tmp_path / "a.json", CREATED), folder=tmp_path)
    out = done.stdout.decode()
    assert done.returncode == Exit.OK
    assert "call 1 to v2.1: POST /v2.1/orders" in out
    assert "/price <- /price: 80.00 [as it came]" in out
    assert re.search(r"dropped <- /ref: null \[orders.response-only: .*; LOSS L-RESPONSE-ONLY: ", out)
    assert re.search(
        r'/status <- /status: "BROWSED" → "UNKNOWN" \[values.status.browsed: .*LOSS L-NEW-STATUS', out
    )
    assert '"http://localhost:8080/v2/orders/1" [codec.href: ' in out
    assert "answer to the caller: 201 (v2.1 said 201)" in out
    assert "c2VjcmV0" not in out


def test_output_is_the_translation_alone_byte_for_byte(tmp_path: Path) -> None:
    text = HEAD + b"\r\n" + BODY
    done = crossfade("explain", "-", "--output", folder=tmp_path, stdin=text)
    assert (done.returncode, done.stdout, done.stderr) == (0, SENT, b"")
    answer = written(tmp_path / "a.http", b"HTTP/1.1 201 Created\r\nX: y\r\n\r\n" + b'{"contacts": {}}')
    done = crossfade("explain", "--output", "--answer", answer, folder=tmp_path, stdin=text)
    made = b'{"contacts":{"items":[]},"consumers":{"items":[]},"orderItems":{"items":[]}}'
    assert done.stdout == made


def test_a_call_without_a_body_is_its_method_and_target(tmp_path: Path) -> None:
    done = crossfade("explain", "--target", "/v2/orders?referenceId=1&limit=500", "--output", folder=tmp_path)
    assert done.stdout == b"GET /v2.1/orders?referenceId=1&limit=100\n"


def test_a_refusal_has_code_place_rule_and_way_out_and_exits_with_1(tmp_path: Path) -> None:
    words = ("explain", "--target", "/v2/orders?referenceId=1&guestRef=2")
    done = crossfade(*words, folder=tmp_path)
    assert done.returncode == Exit.NO
    out = done.stdout.decode()
    assert "refused: CF-QUERY (400) at ?referenceId,guestRef, rule orders.list.filters" in out
    assert "compat.both_filters" in out
    alone = crossfade(*words, "--output", folder=tmp_path)
    assert (alone.returncode, alone.stdout) == (Exit.NO, b"")
    assert b"CF-QUERY" in alone.stderr


def test_json_is_the_whole_record_as_the_page_describes_it(tmp_path: Path) -> None:
    body = written(tmp_path / "b.json", BODY)
    words = ("explain", "--json", "--method", "POST", "--target", "/v2/orders", "--body", body)
    record = json.loads(
        crossfade(*words, "--answer", written(tmp_path / "a", CREATED), folder=tmp_path).stdout
    )
    page = (ROOT / "docs" / "explain.md").read_text("utf-8")
    for name in (*record, *record["calls"][0], *record["request"][0], *record["answer"]):
        assert f"`{name}`" in page, name
    (dropped,) = [one for one in record["request"] if one["place"] is None]
    assert dropped["source"] == "/ref"
    assert dropped["lossy"] is True
    for name in dropped["rules"][0]:
        assert f"`{name}`" in page, name
    assert record["calls"] == [
        {"by": "orders.create", "method": "POST", "target": "/v2.1/orders", "body": SENT.decode()}
    ]
    assert record["refusal"] is None
    refused = json.loads(crossfade(*words[:3], "DELETE", "--target", "/v2/orders/1", folder=tmp_path).stdout)
    for name in refused["refusal"]:
        assert f"`{name}`" in page, name


def test_a_har_entry_gives_the_request_and_a_native_answer_the_way_back(tmp_path: Path) -> None:
    file = written(
        tmp_path / "one.har", har("https://api.test/v2/orders", '{"href":"https://api.test/v2.1/orders/1"}')
    )
    done = crossfade("explain", "--har", file, "--entry", "2", folder=tmp_path)
    out = done.stdout.decode()
    assert done.returncode == 0, done.stderr
    assert '"https://api.test/v2.1/orders/1" → "http://localhost:8080/v2/orders/1"' in out
    written(file, har("https://api.test/v2/orders", '{"href":"https://api.test/v2/orders/1"}'))
    out = crossfade("explain", "--har", file, "--entry", "2", folder=tmp_path).stdout.decode()
    assert "no answer to call 1 was given" in out


def test_the_switches_of_a_configuration_count(tmp_path: Path) -> None:
    config = '[upstream.v2]\nbase_url = "http://a"\n[upstream.v2_1]\nbase_url = "http://a"\n'
    written(tmp_path / "crossfade.toml", f'{config}[compat]\npoint_of_sale = "accept"\n'.encode())
    body = BODY.replace(b'"pointOfSale":"s",', b"")
    words = ("explain", "--target", "/v2/orders", "-", "--output")
    done = crossfade(*words, folder=tmp_path, stdin=body)
    assert (done.returncode, done.stdout) == (0, SENT.replace(b'"pointOfSale":"s",', b""))
    written(tmp_path / "other.toml", config.encode())
    assert crossfade(*words, "--config", "other.toml", folder=tmp_path, stdin=body).returncode == Exit.NO


@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        (("explain",), b"{}", "no request line"),
        (("explain", "missing.http"), b"", "missing.http"),
        (("explain", "--json", "--output"), b"", "exclude each other"),
        (("explain", "x", "--har", "y"), b"", "choose one of them"),
        (("explain", "--method", "GET", "-"), b"GET /v2/orders", "leave --method and --target out"),
        (("explain", "--config", "none.toml"), b"GET /v2/orders", "none.toml"),
        (("guide", "--check"), b"", "name it"),
    ],
)
def test_what_cannot_be_used_is_a_usage_error_with_a_way_out(
    tmp_path: Path, words: tuple[str, ...], stdin: bytes, said: str
) -> None:
    done = crossfade(*words, folder=tmp_path, stdin=stdin)
    assert said in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert done.returncode == Exit.USAGE


@pytest.mark.parametrize(
    ("target", "said"),
    [("/v2/guests", "goes to v2 as it came"), ("/v2.1/orders", "goes to v2.1 as it came")],
)
def test_a_call_that_no_endpoint_covers_goes_as_it_came(tmp_path: Path, target: str, said: str) -> None:
    done = crossfade("explain", "--target", target, folder=tmp_path)
    assert (done.returncode, said in done.stdout.decode()) == (0, True)
    alone = crossfade(
        "explain", "--output", "--method", "POST", "--target", target, "-", folder=tmp_path, stdin=b"{ }"
    )
    assert alone.stdout == b"{ }"


@pytest.mark.parametrize("target", ["/v2/orders/../x", "/elsewhere", "/v2/orders/1/"])
def test_a_target_is_judged_as_traffic_judges_it(tmp_path: Path, target: str) -> None:
    done = crossfade("explain", "--method", "GET", "--target", target, folder=tmp_path)
    assert done.returncode == (Exit.OK if target.endswith("1/") else Exit.NO)


def drain(end: int, heard: list[bytes]) -> None:
    """Read a terminal until its other end is closed."""
    with contextlib.suppress(OSError):
        while some := os.read(end, 4096):
            heard.append(some)


def on_terminal(width: int, **environ: str) -> str:
    """What a terminal of this width gets."""
    config = asking.unconfigured("https://api.example.com")
    request = asking.asked(SOURCE, compiled(SOURCE, config), config, from_text(HEAD + b"\r\n" + BODY).call)
    assert isinstance(request, Asked)
    mapping = compiled(SOURCE, config)
    shown = explain(mapping, catalogue(SOURCE), request, [Answer(201, [], CREATED)])
    ours, theirs = pty.openpty()
    heard: list[bytes] = []
    reader = threading.Thread(target=drain, args=(ours, heard))
    reader.start()
    saved = {name: os.environ.get(name) for name in environ}
    os.environ.update(environ)
    try:
        with os.fdopen(theirs, "w", encoding="utf-8") as out:
            print_explanation(shown, out, width)
        reader.join(10)
        return b"".join(heard).decode()
    finally:
        os.close(ours)
        for name, value in saved.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def test_at_a_hundred_columns_no_line_is_longer_and_no_id_is_broken() -> None:
    text = on_terminal(100, TERM="xterm", NO_COLOR="1")
    assert "\x1b[33m" not in text
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert max(len(line.rstrip()) for line in plain.splitlines()) <= 100
    for word in ("orders.response-only", "LOSS L-RESPONSE-ONLY", "values.status.browsed", "codec.href"):
        assert word in plain


def test_lossy_lines_are_coloured_where_colour_is_wanted() -> None:
    assert "\x1b[33m" in on_terminal(100, TERM="xterm-256color", COLORTERM="truecolor")


def test_a_value_cannot_steer_the_terminal() -> None:
    config = asking.unconfigured("https://api.example.com")
    mapping = compiled(SOURCE, config)
    body = BODY.replace(b'"s"', '"\u009b31m\u202e"'.encode())
    request = asking.asked(SOURCE, mapping, config, from_text(body, "POST", "/v2/orders").call)
    assert isinstance(request, Asked)
    out = io.StringIO()
    print_explanation(explain(mapping, catalogue(SOURCE), request), out)
    assert "\\u009b31m\\u202e" in out.getvalue()
    assert "\u009b" not in out.getvalue()


def test_the_addresses_are_those_that_traffic_uses(tmp_path: Path) -> None:
    text = '[upstream.v2]\nbase_url = "http://a/"\naliases = ["http://b"]\n[upstream.v2_1]\nbase_url = "http://c"\n'
    config = load_config(written(tmp_path / "c.toml", text.encode()), {}).config
    links = compiled(SOURCE, config).links
    for link in (b'"http://a/v2.1/x"', b'"http://b/v2/x"', b'"http://c/v2.1/x"'):
        assert links.back(link) == b'"http://localhost:8080/v2/x"'
    assert links.back(b'"http://d/v2.1/x"') == b'"http://d/v2.1/x"'


def test_a_har_file_in_odd_shapes(tmp_path: Path) -> None:
    native = b"/v2.1/"
    coded = base64.b64encode(b'{"x":"\\/v2.1\\/y"}').decode()
    given = from_har(json.dumps(har("http://x/v2/orders?a=1", coded, encoding="base64")).encode(), 2, native)
    assert given.call.target == b"/v2/orders?a=1"
    assert given.origin == "http://x"
    assert given.call.headers == []
    assert [one.body for one in given.answers] == [b'{"x":"\\/v2.1\\/y"}']
    assert from_har(json.dumps(har("http://x", "")).encode(), 1, native).call.target == b"/"
    for text, entry in ((b"{}", 1), (b"nonsense", 1), (json.dumps(har("http://x", "")).encode(), 3)):
        with pytest.raises(ConfigError):
            from_har(text, entry, native)
    with pytest.raises(ConfigError, match="base64"):
        from_har(json.dumps(har("http://x", "*", encoding="base64")).encode(), 2, native)


def test_a_request_text_in_odd_shapes() -> None:
    assert from_text(HEAD.replace(b"\r", b"") + b"\n" + BODY) == from_text(HEAD + b"\r\n" + BODY)
    assert from_text(HEAD + b"\r\n" + BODY).call.body == BODY
    assert from_text(b"GET http://h/v2/orders").origin == "http://h"
    assert from_text(b"{}", "", "http://h/v2/orders?x=1").call.target == b"/v2/orders?x=1"
    assert from_text(b"GET /x\nA: b\n").call.headers == [(b"A", b"b")]
    assert answer_from_text(b"HTTP/1.1 404 Not Found\r\n\r\n{}", 200) == Answer(404, [], b"{}")
    for text in (b"GET ", b"GET /x\nno colon\n\n"):
        with pytest.raises(ConfigError):
            from_text(text)
    with pytest.raises(ConfigError, match="status line"):
        answer_from_text(b"HTTP/1.1", 200)


def test_the_guide_is_written_and_a_stale_one_is_found(tmp_path: Path) -> None:
    page = tmp_path / "guide.md"
    assert crossfade("guide", page, folder=tmp_path).returncode == 0
    assert page.read_bytes() == (ROOT / "docs" / "migration-guide.md").read_bytes()
    assert crossfade("guide", "--check", page, folder=tmp_path).returncode == Exit.OK
    assert crossfade("guide", "--mappings", FOLDER, folder=tmp_path).stdout == page.read_bytes()
    page.write_bytes(page.read_bytes() + b"\n")
    stale = crossfade("guide", "--check", page, folder=tmp_path)
    assert stale.returncode == Exit.NO
    assert b"crossfade guide " in stale.stderr
