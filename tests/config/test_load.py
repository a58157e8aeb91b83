"""Where values come from, what wins, and what stays hidden."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.config.load import load
from proxy.config.model import Config
from proxy.config.values import _seconds, _size, duration_text, size_text
from tests.config.conftest import UPSTREAM, Loading


def test_two_addresses_are_enough(loading: Loading, tmp_path: Path) -> None:
    loaded = loading()
    config = loaded.config
    assert config.upstream.v2.base_url == "https://api.example.com"
    assert (config.server.port, config.server.drain_delay, config.server.max_body) == (8080, 5.0, 1 << 20)
    assert config.route == ()
    assert config.journal.path == tmp_path / "crossfade.journal"
    assert config.store.url.get_secret_value() == f"sqlite:///{tmp_path}/crossfade.db"
    assert loaded.folder == tmp_path


def test_what_is_shown_can_be_loaded_again(loading: Loading, tmp_path: Path) -> None:
    loaded = loading('[server]\ndrain_delay = "90s"\n[[route]]\nstage = "canary"\npercent = 2.5')
    shown = loaded.config.model_dump(mode="json")
    assert shown["store"]["url"] == f"sqlite:///{tmp_path}/crossfade.db"
    assert Config.model_validate(shown) == loaded.config


def test_units_are_read_as_seconds_and_bytes(loading: Loading) -> None:
    server = loading('[server]\ndrain_delay = "500ms"\nbody_timeout = "2m"\nmax_body = "64KiB"').config.server
    assert (server.drain_delay, server.body_timeout, server.max_body) == (0.5, 120.0, 65536)


def test_relative_paths_count_from_the_file_and_absolute_ones_stay(loading: Loading, tmp_path: Path) -> None:
    text = '[identity]\nkey_file = "keys/id"\n[admin]\ntoken_file = "/etc/t"\n[log]\ndivergences = "d.log"'
    config = loading(text, {"CROSSFADE__JOURNAL__PATH": "j"}).config
    assert config.identity.key_file == tmp_path / "keys/id"
    assert config.admin.token_file == Path("/etc/t")
    assert config.log.divergences == str(tmp_path / "d.log")
    assert config.journal.path == tmp_path / "j"


ENVIRONMENT = {
    "CROSSFADE__SERVER__PORT": "9000",
    "CROSSFADE__SERVER__HOST": "0.0.0.0",
    "CROSSFADE__SERVER__ALLOWED_HOSTS": '["a.example"]',
    "CROSSFADE__SERVER__BODY_TIMEOUT": "7s",
    "CROSSFADE__JOURNAL__FSYNC": "true",
    "CROSSFADE__SHADOW__SAMPLE": "0.5",
    "CROSSFADE__UPSTREAM__V2_1__BASE_URL": "https://other.example/",
    "CROSSFADE__UNMAPPED": "v2",
    "CROSSFADE__COMPAT__SWITCH": "true",
    "CROSSFADE__COMPAT__WORD": "drop",
    "CROSSFADE__ROUTE": '[{"stage": "shadow", "reads": true}, {"stage": "v2"}]',
    "CROSSFADE__IGNORE": '[{"endpoint":"*","path":"/a","reason":"r","owner":"o","until":"2027-01-31"}]',
    "crossfade_other": "not ours",
}


def test_the_environment_wins_over_the_file(loading: Loading) -> None:
    text = '[server]\nport = 1\nhost = "127.0.0.1"\n[[route]]\nendpoint = "x"\nstage = "live"\n'
    config = loading(text, ENVIRONMENT).config
    assert (config.server.port, config.server.host, config.server.body_timeout) == (9000, "0.0.0.0", 7.0)
    assert config.server.allowed_hosts == ("a.example",)
    assert config.journal.fsync is True
    assert config.shadow.sample == 0.5
    assert config.upstream.v2_1.base_url == "https://other.example"
    assert config.unmapped == "v2"
    assert config.compat == {"switch": True, "word": "drop"}
    assert [(route.endpoint, route.stage) for route in config.route] == [("*", "shadow"), ("*", "v2")]
    assert str(config.ignore[0].until) == "2027-01-31"


def test_every_value_knows_its_origin(loading: Loading) -> None:
    text = '[server]\nport = 1\n[[route]]\npercent = 5\nstage = "canary"\n'
    text += '[[caller]]\nid = "a1b2c3d4"\nname = "n"'
    environ = {"CROSSFADE__SERVER__HOST": "::1", "CROSSFADE__ROUTE": '[{"stage": "live"}]'}
    loaded = loading(text, environ)
    origins = loaded.origins
    assert origins["server.port"] == "crossfade.toml"
    assert origins["server.host"] == "CROSSFADE__SERVER__HOST"
    assert origins["server.drain_delay"] == "default"
    assert origins["route[0].stage"] == "CROSSFADE__ROUTE"
    assert origins["route[0].percent"] == "default"
    assert origins["caller[0].name"] == "crossfade.toml"
    assert origins["upstream.v2.base_url"] == "crossfade.toml"
    assert origins["upstream.v2.pool_size"] == "default"


def test_a_secret_from_a_file_takes_effect_and_never_shows(loading: Loading, tmp_path: Path) -> None:
    (tmp_path / "store.url").write_text("postgresql://user:geheim@db.example/x?sslkey=geheim\n")
    loaded = loading('[store]\nurl_file = "store.url"')
    assert loaded.config.store.url.get_secret_value().startswith("postgresql://user:geheim@")
    assert loaded.origins["store.url"] == "store.url_file = store.url"
    shown = loaded.config.model_dump(mode="json")["store"]["url"]
    assert shown == "postgresql://user:***@db.example/x?***"
    for text in (repr(loaded), str(loaded.config), json.dumps(loaded.config.model_dump(mode="json"))):
        assert "geheim" not in text


def test_the_hash_names_the_values_not_the_place_nor_the_spelling(loading: Loading, tmp_path: Path) -> None:
    first = loading("[server]\nport = 1").hash
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "c.toml").write_text(f"# the same\n{UPSTREAM}\n[server]\nport = 1\n")
    assert load(other / "c.toml", {}).hash == first
    assert loading("", {"CROSSFADE__SERVER__PORT": "1"}).hash == first
    assert loading("[server]\nport = 2").hash != first


def test_a_configuration_cannot_be_changed(loading: Loading) -> None:
    with pytest.raises(ValueError, match="frozen"):
        loading().config.server.port = 3


@given(st.integers(0, 10**7))
def test_durations_and_sizes_read_back_as_they_are_shown(number: int) -> None:
    assert _seconds(duration_text(number / 1000)) == pytest.approx(number / 1000, rel=1e-4)
    assert _size(size_text(number)) == number
