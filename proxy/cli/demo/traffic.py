"""Mixed traffic at a steady rate: several callers, each with its own kinds of calls, right ones and wrong ones."""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
from base64 import b64encode
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from string import Template as Text
from urllib.parse import urlsplit

from proxy.cli.demo.curl import PASSWORD
from proxy.cli.demo.material import Story, Template, Traffic, TrafficCaller
from proxy.cli.demo.story import Calls, Outgoing, told

RATE = 40.0
"""Calls per second, all callers together."""
_WORKERS = 6
_REMEMBERED = 50
_SECONDS = 10


@dataclass(frozen=True)
class Made:
    """An order that a caller has made, and may read, list and update."""

    ref: str
    made: str
    ordered: str


@dataclass(frozen=True)
class Planned:
    """A call with everything filled in."""

    caller: TrafficCaller
    template: Template
    target: str
    body: bytes
    names: dict[str, str]


@dataclass
class Plan:
    """What is called next; the same seed gives the same kinds of calls in the same order."""

    traffic: Traffic
    seed: int = 7
    orders: dict[str, deque[Made]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """One die for all, and room for each caller's orders."""
        self._random = random.Random(self.seed)  # noqa: S311 - a repeatable mixture, not a secret
        self._numbers = itertools.count(1)
        self._run = f"{time.time_ns() // 1_000_000:x}"
        self._lock = threading.Lock()
        self.orders = {one.name: deque(maxlen=_REMEMBERED) for one in self.traffic.callers}

    def next(self) -> Planned:
        """The next call; a call that needs an order becomes the caller's first one while there is none."""
        with self._lock:
            dice = self._random
            callers = self.traffic.callers
            caller = dice.choices(callers, [one.weight for one in callers])[0]
            kind = dice.choices(list(caller.calls), list(caller.calls.values()))[0]
            known = self.orders[caller.name]
            template = self.traffic.templates[kind]
            if not known and _needs_order(template):
                template = self.traffic.templates[next(iter(caller.calls))]
            names = {name: dice.choice(choices) for name, choices in self.traffic.choices.items()}
            names |= self.fresh()
            if known:
                one = dice.choice(known)
                names |= {"ref": one.ref, "made": one.made, "ordered": one.ordered}
        target, body = Text(template.target).substitute(names), Text(template.body).substitute(names)
        return Planned(caller, template, target, body.encode(), names)

    def fresh(self) -> dict[str, str]:
        """A reference that nobody has used, and the time."""
        return {"reference": f"DEMO-{self._run}-{next(self._numbers)}", "now": _now()}

    def learn(self, planned: Planned, answer: bytes) -> None:
        """Remember the order that a call has made."""
        try:
            ref = json.loads(answer)[self.traffic.learn]
        except (ValueError, KeyError, TypeError):
            return
        with self._lock:
            self.orders[planned.caller.name].append(
                Made(ref, planned.names["reference"], planned.names["now"])
            )


@dataclass
class Running:
    """Traffic that is under way."""

    plan: Plan
    failures: Counter[str] = field(default_factory=Counter)
    """Calls that got no answer at all, by the kind of failure."""


@contextmanager
def traffic(address: str, material: Traffic, rate: float = RATE) -> Iterator[Running]:
    """Call `address` until the block ends; never faster than `rate` calls per second."""
    running, stopping = Running(Plan(material)), threading.Event()
    slots, begin = itertools.count(), time.monotonic()

    def work(story: Story | None = None, teller: str = "") -> None:
        connection = HTTPConnection(urlsplit(address).netloc, timeout=_SECONDS)
        calls = _mixed(running) if story is None else _retold(story, teller, running)
        answer = None
        while not stopping.wait(max(0.0, begin + next(slots) / rate - time.monotonic())):
            answer = _carry_out(connection, running, calls.send(answer))
        connection.close()

    threads = [threading.Thread(target=work, name=f"traffic-{n}", daemon=True) for n in range(_WORKERS)]
    threads += [
        threading.Thread(target=work, args=(story, one.name), name=one.name, daemon=True)
        for story in material.stories
        for one in story.tellers
    ]
    for thread in threads:
        thread.start()
    try:
        yield running
    finally:
        stopping.set()
        for thread in threads:
            thread.join(_SECONDS)


def _mixed(running: Running) -> Calls:
    """The plan's calls without end; each answer that made something is learned."""
    while True:
        planned = running.plan.next()
        made = yield Outgoing(
            planned.caller.name, planned.template, planned.target, planned.body, planned.caller.credential
        )
        if made is not None:
            running.plan.learn(planned, made)


def _retold(story: Story, teller: str, running: Running) -> Calls:
    """A story again and again, each time about something new."""
    while True:
        yield from told(story, teller, running.plan.fresh())


def _carry_out(connection: HTTPConnection, running: Running, call: Outgoing) -> bytes | None:
    """Send one call; the body of an answer that made something."""
    headers = {"Accept": "application/json"}
    if call.credential:
        pair = f"{call.caller}:{PASSWORD}".encode()
        headers["Authorization"] = "Basic " + b64encode(pair).decode()
    if call.template.type:
        headers["Content-Type"] = call.template.type
    try:
        connection.request(call.template.method, call.target, call.body or None, headers)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, HTTPException) as problem:
        running.failures[type(problem).__name__] += 1
        connection.close()
        return None
    return body if answer.status == 201 else None


def _needs_order(template: Template) -> bool:
    return any(name in template.target for name in ("$ref", "$made"))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
