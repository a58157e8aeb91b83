"""What an operator reads for each kind of mistake: the place, what is wrong, the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.config.load import load
from proxy.errors import ConfigError
from tests.config.conftest import Loading

CALLER = '[[caller]]\nid = "a1b2c3d4"\nname = "one"\n'
IGNORE = '[[ignore]]\nendpoint = "*"\npath = "/a"\nreason = "r"\nowner = "o"\nuntil = 2027-01-31\n'
FILE = "crossfade.toml: "

BAD = {
    # name: (text, place, what is wrong, way out)
    "unknown section": ("[sever]\nport = 1", FILE + "sever: ", "unknown key", 'did you mean "server"?'),
    "unknown key": ("[server]\nprt = 1", FILE + "server.prt: ", "unknown key", 'did you mean "port"?'),
    "unknown key, nothing near": (
        "[journal]\nzzz = 1",
        "journal.zzz: ",
        "unknown key",
        "path, fsync, on_failure",
    ),
    "unknown key in a list": (
        '[[route]]\nstge = "v2"\nstage = "v2"',
        "route[0].stge: ",
        "unknown",
        '"stage"',
    ),
    "unknown key in the 3rd entry": (
        '[[route]]\nstage = "v2"\n' * 3 + "percnt = 3",
        "route[2].percnt: ",
        "unknown",
        '"percent"',
    ),
    "unknown word at the top": (
        'unmapped = "refus"',
        "unmapped: ",
        'must be "refuse" or "v2"',
        'mean "refuse"?',
    ),
    "port as text": ('[server]\nport = "8080"', "server.port: ", "whole number", "without quotes"),
    "port as a fraction": ("[server]\nport = 80.5", "server.port: ", "whole number", "without quotes"),
    "port too high": ("[server]\nport = 65536", "server.port: ", "at most 65535", "lower it"),
    "port negative": ("[server]\nport = -1", "server.port: ", "at least 0", "raise it"),
    "host as a number": ("[server]\nhost = 1", "server.host: ", "must be text", "write it in quotes"),
    "host empty": ('[server]\nhost = ""', "server.host: ", "empty", "write a value"),
    "section as a value": ("server = 1", "server: ", "must be a table", "[name]"),
    "list as a table": ('[route]\nstage = "v2"', "route: ", "must be a list", "[[name]]"),
    "list as text": ('[server]\nallowed_hosts = "a"', "server.allowed_hosts: ", "must be a list", '["…"]'),
    "public_url relative": ('[server]\npublic_url = "/x"', "server.public_url: ", "absolute", "https://host"),
    "public_url ftp": ('[server]\npublic_url = "ftp://x"', "server.public_url: ", "absolute", "https://host"),
    "public_url with query": ('[server]\npublic_url = "http://x/?a=1"', "public_url: ", "query", "remove"),
    "public_url with fragment": ('[server]\npublic_url = "http://x#a"', "public_url: ", "fragment", "remove"),
    "public_url with credentials": (
        '[server]\npublic_url = "http://u:geheim@x"',
        "_url: ",
        "user name",
        "remove",
    ),
    "public_url with a bad port": (
        '[server]\npublic_url = "http://x:99999"',
        "_url: ",
        "absolute",
        "https://host",
    ),
    "public_url with a space": ('[server]\npublic_url = "http://x y"', "_url: ", "white space", "ASCII"),
    "v2_hrefs": (
        '[server]\nv2_hrefs = "prox"',
        "server.v2_hrefs: ",
        '"platform" or "proxy"',
        'mean "proxy"?',
    ),
    "duration as a number": ("[server]\ndrain_delay = 5", "server.drain_delay: ", "not a duration", '"5s"'),
    "duration without unit": ('[server]\ndrain_delay = "5"', "drain_delay: ", "not a duration", '"500ms"'),
    "duration negative": ('[server]\nbody_timeout = "-5s"', "body_timeout: ", "not a duration", '"2m"'),
    "size as a number": ("[server]\nmax_body = 1000", "server.max_body: ", "not a size", '"64KiB"'),
    "size in another unit": ('[server]\nmax_body = "1MB"', "server.max_body: ", "not a size", '"1MiB"'),
    "certificate alone": ('[server]\ntls_cert = "c"', FILE + "server: ", "go together", "add tls_key"),
    "key alone": ('[server]\ntls_key = "k"', FILE + "server: ", "go together", "add tls_cert"),
    "pass-through smaller": (
        '[server]\nmax_body = "2MiB"\nmax_passthrough_body = "1MiB"',
        FILE + "server: ",
        "smaller than max_body",
        "raise it",
    ),
    "in flight zero": ("[server]\nmax_in_flight = 0", "max_in_flight: ", "at least 1", "raise it"),
    "admin open without token": (
        '[admin]\nhost = "0.0.0.0"',
        FILE + "admin: ",
        "not loopback",
        "add token_file",
    ),
    "admin by name without token": ('[admin]\nhost = "box"', FILE + "admin: ", "not loopback", "127.0.0.1"),
    "admin on the same port": (
        "[admin]\nport = 8080",
        "the whole: ",
        "same host and port",
        "give admin.port",
    ),
    "engine": ('[upstream]\nengine = "nativ"', "upstream.engine: ", '"native" or "httpx"', 'mean "native"?'),
    "caller without name": ('[[caller]]\nid = "a1b2c3d4"', "caller[0].name: ", "missing", "add it"),
    "caller id": ('[[caller]]\nid = "Bob"\nname = "b"', "caller[0].id: ", "no caller id", "hexadecimal"),
    "caller names twice": (
        CALLER + CALLER.replace("a1b2", "ffff"),
        "caller[0] and caller[1]",
        "same name",
        "own",
    ),
    "caller ids twice": (CALLER + CALLER.replace("one", "two"), "caller[0] and caller[1]", "same id", "own"),
    "route without stage": ("[[route]]\nreads = true", "route[0].stage: ", "missing", "add it"),
    "stage": ('[[route]]\nstage = "shadwo"', "route[0].stage: ", 'must be "v2" or', 'did you mean "shadow"?'),
    "canary without percent": ('[[route]]\nstage = "canary"', "route[0]: ", "needs a percent", "add percent"),
    "percent elsewhere": ('[[route]]\nstage = "live"\npercent = 5', "route[0]: ", "only", "remove it"),
    "percent zero": ('[[route]]\nstage = "canary"\npercent = 0', "route[0].percent: ", "at least 1", "raise"),
    "percent high": (
        '[[route]]\nstage = "canary"\npercent = 101',
        "route[0].percent: ",
        "at most 100",
        "lower",
    ),
    "percent as text": ('[[route]]\nstage = "canary"\npercent = "9"', "percent: ", "a number", "quotes"),
    "percent as nan": ('[[route]]\nstage = "canary"\npercent = nan', "percent: ", "finite", "digits"),
    "reads and writes": (
        '[[route]]\nreads = true\nwrites = true\nstage = "v2"',
        "route[0]: ",
        "exclude each other",
        "remove both",
    ),
    "reads as text": (
        '[[route]]\nreads = "yes"\nstage = "v2"',
        "route[0].reads: ",
        "true or false",
        "quotes",
    ),
    "no callers": (
        '[[route]]\ncallers = []\nstage = "v2"',
        "route[0].callers: ",
        "empty list",
        "remove the key",
    ),
    "sticky": ('[[route]]\nsticky = "ip"\nstage = "v2"', "route[0].sticky: ", "no way to stick", '"record"'),
    "sticky by credentials": (
        '[[route]]\nsticky = "header:Authorization"\nstage = "v2"',
        "route[0].sticky: ",
        "credentials",
        'sticky = "caller"',
    ),
    "sample": ("[shadow]\nsample = 10", "shadow.sample: ", "at most 1", "lower it"),
    "workers": ("[shadow]\nworkers = 0", "shadow.workers: ", "at least 1", "raise it"),
    "rate without end": ("[shadow]\nmax_calls_per_second = inf", "per_second: ", "finite", "digits"),
    "budget": ("[guard]\nbudget = 0.0", "guard.budget: ", "more than 0", "raise it"),
    "alpha": ("[guard]\nalpha = 1.0", "guard.alpha: ", "less than 1", "lower it"),
    "action": ('[guard]\naction = "rolback"', "guard.action: ", '"rollback" or', 'did you mean "rollback"?'),
    "ignore without owner": (IGNORE.replace('owner = "o"', ""), "ignore[0].owner: ", "missing", "add it"),
    "ignore until whenever": (
        IGNORE.replace("2027-01-31", '"soon"'),
        "ignore[0].until: ",
        "date",
        "2027-01-31",
    ),
    "ignore until a time": (
        IGNORE.replace("-31", "-31T10:00:00Z"),
        "ignore[0].until: ",
        "date",
        "2027-01-31",
    ),
    "ignore until a number": (IGNORE.replace("2027-01-31", "20270131"), "until: ", "date", "2027-01-31"),
    "ignore path": (IGNORE.replace("/a", "a"), "ignore[0].path: ", "not a contract pointer", '"/field"'),
    "journal": ('[journal]\non_failure = "stop"', "journal.on_failure: ", "must be", '"send" or "refuse"'),
    "store": ('[store]\nurl = "mysql://x"', "store.url: ", "no store", "postgresql://"),
    "store's file is not there": ('[store]\nurl_file = "nope"', "store.url_file: ", "cannot be read", "path"),
    "requests": ('[log]\nrequests = "on"', "log.requests: ", 'must be "off"', '"sampled" or "all"'),
    "compat table": ("[compat.x]\ny = 1", "compat.x: ", "neither a word", "write one of these"),
    "compat date": ("[compat]\nx = 2027-01-31", "compat.x: ", "neither a word", "write one of these"),
    "TOML": ("[server]\nport == 1", "line 2, column 7: ", "Invalid value", "correct the TOML there"),
    "TOML twice": ("[server]\n[server]", "line 2, column 8: ", "twice", "correct the TOML there"),
    "TOML open": (
        '[server]\nhost = "',
        "crossfade.toml: line 2",
        "Illegal character",
        "correct the TOML there",
    ),
    "a name that is no line": (
        '[server]\n"a\\nb\\u001b\\u2028" = 1',
        'server."a\\nb',
        "unknown",
        "valid here: ",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_mistake_is_named_with_its_place_and_the_way_out(loading: Loading, name: str) -> None:
    text, *expected = BAD[name]
    with pytest.raises(ConfigError) as caught:
        loading(text)
    (line,) = str(caught.value).splitlines()
    for part in expected:
        assert part in line
    assert "geheim" not in line


UPSTREAMS = {
    "missing": ("", "upstream: ", "is missing", "add it"),
    "base_url missing": ("[upstream.v2]", "upstream.v2.base_url: ", "is missing", "add it"),
    "base_url relative": (
        '[upstream.v2]\nbase_url = "x.example"',
        "upstream.v2.base_url: ",
        "absolute",
        "https",
    ),
    "alias": (
        '[upstream.v2]\nbase_url = "http://x"\naliases = ["y"]',
        "upstream.v2.aliases[0]: ",
        "absolute",
        "https",
    ),
    "read timeout": (
        '[upstream.v2]\nbase_url = "http://x"\nread_timeout = "1h"',
        "upstream.v2: ",
        "longer than total_timeout",
        "raise total_timeout",
    ),
    "pool": (
        '[upstream.v2]\nbase_url = "http://x"\npool_size = 0',
        "v2.pool_size: ",
        "at least 1",
        "raise it",
    ),
    "proxy address": (
        '[upstream.v2]\nbase_url = "http://x"\nproxy = "geheim"',
        "v2.proxy: ",
        "not a proxy",
        "http://proxy",
    ),
}


@pytest.mark.parametrize("name", UPSTREAMS)
def test_a_mistake_about_the_upstream_is_named(loading: Loading, name: str) -> None:
    text, *expected = UPSTREAMS[name]
    with pytest.raises(ConfigError) as caught:
        loading(text, bare=True)
    lines = str(caught.value).splitlines()
    assert any(all(part in line for part in expected) for line in lines), lines
    assert "geheim" not in str(caught.value)


def test_a_proxy_needs_the_other_engine(loading: Loading) -> None:
    address = 'base_url = "http://x"'
    text = f'[upstream.v2]\n{address}\nproxy = "http://u:geheim@p"\n[upstream.v2_1]\n{address}'
    with pytest.raises(
        ConfigError, match=r'upstream: v2.proxy needs the other engine; set engine = "httpx"'
    ) as caught:
        loading(text, bare=True)
    assert "geheim" not in str(caught.value)


VARIABLES = {
    "section": ("CROSSFADE__SEVER__PORT", "1", 'no key "sever"; did you mean "server"?'),
    "key": ("CROSSFADE__SERVER__PRT", "1", 'no key "prt"; did you mean "port"?'),
    "whole section": ("CROSSFADE__SERVER", "{}", "set one of its keys, such as CROSSFADE__SERVER__HOST"),
    "below a key": ("CROSSFADE__SERVER__PORT__X", "1", "has no keys below it; set CROSSFADE__SERVER__PORT"),
    "type": ("CROSSFADE__SERVER__PORT", "many", "server.port: must be a whole number"),
    "list": ("CROSSFADE__ROUTE", '[{"stage": "v3"}]', 'route[0].stage: must be "v2" or'),
    "not JSON": ("CROSSFADE__SERVER__ALLOWED_HOSTS", "a.example", "server.allowed_hosts: must be a list"),
}


@pytest.mark.parametrize("name", VARIABLES)
def test_a_mistake_in_the_environment_names_the_variable(loading: Loading, name: str) -> None:
    variable, value, expected = VARIABLES[name]
    with pytest.raises(ConfigError) as caught:
        loading("", {variable: value})
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"environment: {variable}: ")
    assert expected in line


def test_all_mistakes_are_told_at_once(loading: Loading) -> None:
    with pytest.raises(ConfigError) as caught:
        loading('[server]\nport = "x"\nprt = 1\n[guard]\nalpha = 2', {"CROSSFADE__LOG__X": "1"})
    places = [line.split(": ")[1] for line in str(caught.value).splitlines()]
    assert sorted(places) == ["CROSSFADE__LOG__X", "guard.alpha", "server.port", "server.prt"]


def test_a_secret_in_the_wrong_place_is_not_quoted(loading: Loading) -> None:
    with pytest.raises(ConfigError) as caught:
        loading(
            '[store]\nurl = "geheim"\n[server]\nport = "geheim"\nmax_body = "geheim"\n'
            '[log]\nrequests = "geheim"'
        )
    assert "geheim" not in str(caught.value)


def test_an_address_and_its_file_exclude_each_other(loading: Loading, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://u:geheim@h/d\n")
    with pytest.raises(ConfigError, match="remove one of the two") as caught:
        loading('[store]\nurl = "sqlite:///x.db"\nurl_file = "url"')
    assert "geheim" not in str(caught.value)


def test_a_file_that_is_not_there_names_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"No such file.*crossfade config init"):
        load(tmp_path / "none.toml", {})


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xff", "byte 0 is not UTF-8"),
        (b"a = " + b"[" * 5000, "nested too deeply"),
        (b"a = " + b"9" * 5000, "cannot be read"),
    ],
)
def test_a_file_that_is_no_toml_is_one_line(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "crossfade.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=expected) as caught:
        load(path, {})
    assert len(str(caught.value).splitlines()) == 1
