"""An airline's day through the proxy: at every stage that the mappings allow, the caller sees what v2 itself would say."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from proxy.cli.demo.material import Teller
from proxy.cli.demo.story import Outgoing, stage_of
from proxy.mapping.api import SHIPPED, load
from proxy.mapping.links import Bases
from tests.emulator.caller import CREDENTIALS, fresh_platform
from tests.emulator.day import DAY, lived, wanted
from tests.endtoend.configured import LINKS, PUBLIC
from tests.endtoend.running import carried
from tests.servers import Heard, emulator, fetch, parse, request

_REF = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r'("(?:created|modified)At": ?)"[^"]*"')


def through(url: str) -> Callable[[Outgoing], Heard]:
    def ask(step: Outgoing) -> Heard:
        typed = [("Content-Type", step.template.type)] if step.template.type else []
        raw = request(step.template.method, step.target, step.body, [CREDENTIALS, *typed])
        return parse(fetch(url, raw))

    return ask


def said(day: dict[str, Heard]) -> dict[str, Any]:
    """Status and body of each step, with refs by first appearance, without the moments of writing, with one host."""
    numbers = itertools.count(1)
    known: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        return known.setdefault(found[0], f"ref-{next(numbers)}")

    seen: dict[str, Any] = {}
    for name, heard in day.items():
        text = _TIME.sub(r'\1"then"', heard.body.decode().replace(PUBLIC, LINKS))
        seen[name] = heard.status, json.loads(_REF.sub(number, text) or "null")
    return seen


def allowed(stage: str) -> str:
    """The stage, or `shadow` until the mappings cover the whole day."""
    mapping = load(SHIPPED).compiled({}, Bases(PUBLIC, LINKS, LINKS))
    return stage_of(DAY, Teller("airline", stage, "shadow"), mapping)


@pytest.mark.parametrize("stage", ["v2", "shadow", "v2.1"])
def test_the_caller_sees_the_day_as_v2_tells_it(stage: str) -> None:
    with emulator(fresh_platform(), base_url=LINKS) as (url, _app):
        direct = lived(through(url))
    assert {name: heard.status for name, heard in direct.items()} == wanted()
    with carried([allowed(stage)]) as proxy:
        assert said(lived(through(proxy.url))) == said(direct)
