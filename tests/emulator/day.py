"""The airline's day of the demo, told to whoever answers."""

from __future__ import annotations

from collections.abc import Callable

from proxy.cli.demo.material import Story, read_traffic
from proxy.cli.demo.story import Outgoing, told
from tests.servers import Heard

DAY: Story = read_traffic().stories[0]
NAMES = {"reference": "DAY-1", "now": "2025-12-19T12:07:18.000Z"}


def lived(ask: Callable[[Outgoing], Heard]) -> dict[str, Heard]:
    """The answer to every step by its name, as far as the day goes."""
    seen: dict[str, Heard] = {}
    steps, made = told(DAY, "airline", NAMES), None
    while True:
        try:
            step = steps.send(made)
        except StopIteration:
            return seen
        heard = seen[step.template.name] = ask(step)
        made = heard.body if heard.status == 201 else None


def wanted() -> dict[str, int]:
    """The status of every step when all goes well."""
    return {
        step.name: {"GET": 200, "DELETE": 204}.get(step.method, 201 if step.learn else 200)
        for step in DAY.steps
    }
