"""docs/configuration.md and the schema hold what the models hold."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from proxy.cli.ending import Exit
from proxy.config import model
from proxy.config.load import load
from proxy.config.model import Config
from proxy.config.reference import json_schema, with_tables
from proxy.config.shape import section_of
from proxy.config.starter import write_starter
from proxy.cutover.stage import Stage
from proxy.errors import ConfigError

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def sections(section: type[BaseModel] = Config) -> Iterator[type[BaseModel]]:
    yield section
    for field in section.model_fields.values():
        inner = section_of(field.annotation)
        if inner:
            yield from sections(inner)


def test_the_page_is_up_to_date() -> None:
    page = PAGE.read_text("utf-8")
    assert page == with_tables(page), "run: python -m proxy.config.reference docs/configuration.md"


def test_every_key_has_a_meaning_and_stands_on_the_page() -> None:
    page = PAGE.read_text("utf-8")
    for section in sections():
        for name, field in section.model_fields.items():
            if section_of(field.annotation) is None:
                assert field.description, f"{section.__name__}.{name} has no meaning"
                assert re.search(rf"\| `(\S+\.)?{name}` \|", page), name


def test_every_exit_code_stands_on_the_page() -> None:
    page = PAGE.read_text("utf-8")
    assert [int(row) for row in re.findall(r"^\| (\d) \|", page, re.MULTILINE)] == [
        int(code) for code in Exit
    ]


def test_the_stages_of_the_file_are_the_stages_of_the_program() -> None:
    assert get_args(model.Stage) == tuple(stage.value for stage in Stage)
    page = PAGE.read_text("utf-8")
    assert re.findall(r"^\| `(v2|shadow|canary|live|v2\.1)` \|", page, re.MULTILINE) == list(Stage)


def test_the_schema_spells_defaults_as_the_file_does() -> None:
    schema = json_schema()
    server = schema["$defs"]["Server"]["properties"]
    assert server["drain_delay"]["default"] == "5s"
    assert server["max_body"]["default"] == "1MiB"
    assert re.match(server["max_body"]["pattern"], "64KiB")
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["upstream"]


def test_the_starter_file_loads_and_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "crossfade.toml"
    write_starter(path, "https://platform.example/")
    loaded = load(path, {})
    assert loaded.config.upstream.v2_1.base_url == "https://platform.example"
    assert [route.stage for route in loaded.config.route] == ["v2"]
    path.write_text("mine")
    with pytest.raises(ConfigError, match="left alone"):
        write_starter(path, "https://platform.example")
    assert path.read_text() == "mine"


def test_the_starter_file_refuses_an_address_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--base-url: .*https://"):
        write_starter(tmp_path / "c.toml", 'x"\nport = 1')
    assert not (tmp_path / "c.toml").exists()


def test_the_example_on_the_page_loads(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert example
    assert tomllib.loads(example[1])
    (tmp_path / "c.toml").write_text(example[1])
    assert len(load(tmp_path / "c.toml", {}).config.route) == 3
