"""The program knows no field of the platform: no word of mappings/names.txt stands in proxy/."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMES_FILE = ROOT / "mappings" / "names.txt"
EMULATOR = "emulator"


def read_names() -> list[str]:
    lines = (line.strip() for line in NAMES_FILE.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def pattern(names: list[str]) -> re.Pattern[str]:
    """Whole words only, where a name begins or ends with a letter; an underscore separates words."""
    longest_first = sorted(names, key=len, reverse=True)
    bounded = [
        ("(?<![A-Za-z0-9])" if name[0].isalnum() else "")
        + re.escape(name)
        + ("(?![A-Za-z0-9])" if name[-1].isalnum() else "")
        for name in longest_first
    ]
    return re.compile("|".join(bounded))


def texts(package: Path) -> Iterator[Path]:
    """Every file that ships with the package, but for the emulator, which may know the platform."""
    for path in sorted(package.rglob("*")):
        place = path.relative_to(package).parts
        if path.is_file() and place[0] != EMULATOR and "__pycache__" not in place and path.suffix != ".so":
            yield path


def find_names(package: Path, names: list[str]) -> list[str]:
    forbidden = pattern(names)
    return [
        f"{path.relative_to(package.parent)}:{number}: {match[0]}"
        for path in texts(package)
        for number, line in enumerate(
            path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1
        )
        for match in forbidden.finditer(line)
    ]


def test_no_platform_name_stands_in_the_program() -> None:
    found = find_names(ROOT / "proxy", read_names())
    assert not found, "these names belong in mappings/, not in proxy/:\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("line", "hit"),
    [
        ('field = "pointOfSale"', "pointOfSale"),
        ("self._referenceId = value", "referenceId"),
        ('VALUES = {"PARTIALY_CONFIRMED"}', "PARTIALY_"),
        ('HOST = "https://api.boxever.com"', "boxever"),
        ('if target.startswith(b"/v2.1/"):', "/v2.1/"),
        ('ERROR = {"moreInfoUrl": ""}', "moreInfoUrl"),
    ],
)
def test_a_name_is_found_with_its_place(tmp_path: Path, line: str, hit: str) -> None:
    (tmp_path / "proxy" / "mapping").mkdir(parents=True)
    (tmp_path / "proxy" / "mapping" / "codecs.py").write_text(f'"""Codecs."""\n{line}\n', encoding="utf-8")
    assert find_names(tmp_path / "proxy", read_names()) == [f"proxy/mapping/codecs.py:2: {hit}"]


@pytest.mark.parametrize(
    "line", ['stage = "v2.1"', "point_of_sale = 1", "RESEARCHED = 1", "status, price, items"]
)
def test_words_that_any_api_could_use_are_free(tmp_path: Path, line: str) -> None:
    (tmp_path / "proxy").mkdir()
    (tmp_path / "proxy" / "serve.py").write_text(line + "\n", encoding="utf-8")
    assert find_names(tmp_path / "proxy", read_names()) == []


def test_the_emulator_may_know_the_platform(tmp_path: Path) -> None:
    (tmp_path / "proxy" / "emulator").mkdir(parents=True)
    (tmp_path / "proxy" / "emulator" / "orders.py").write_text('"pointOfSale"\n', encoding="utf-8")
    assert find_names(tmp_path / "proxy", read_names()) == []


def test_each_name_is_listed_once() -> None:
    names = read_names()
    assert names
    assert len(names) == len(set(names))
