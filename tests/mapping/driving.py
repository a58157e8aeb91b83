"""Driving an exchange by hand: each upstream answer is given when it is asked for."""

from __future__ import annotations

from functools import cache

import pytest

from proxy.exchange import Asked, Reply, exchange
from proxy.mapping.api import CompiledMapping
from proxy.types import Answer, Call, Headers
from proxy.wire.target import parameters, split
from tests.mapping.goldens import PLATFORM, compiled

ORDER = (
    b'{"referenceId":"R 1","orderedAt":"2024-03-10T12:00:00.000Z","price":10.50,"currencyCode":"EUR",'
    b'"pointOfSale":"shop"}'
)
READ = b'{"href":"%s/v2.1/orders/one","ref":"one","price":10.50}' % PLATFORM.encode()
OURS = b"http://localhost:8080/v2/orders/one"
JSON: Headers = [(b"content-type", b"application/json")]


@cache
def mapping(**compat: str) -> CompiledMapping:
    return compiled(dict(compat))


def asked(
    made: CompiledMapping, method: str, target: bytes, body: bytes = b"", headers: Headers | None = None
) -> Asked:
    path, query = split(target)
    found = made.paths.match(path)
    assert found is not None
    return Asked(found[0][method], found[1], parameters(query or b""), headers or [], body)


def carried(made: CompiledMapping, request: Asked, *answers: Answer) -> tuple[list[Call], Reply]:
    """Drive an exchange to its end; every answer must be asked for."""
    running = exchange(made, request)
    calls = [next(running), *(running.send(answer) for answer in answers[:-1])]
    with pytest.raises(StopIteration) as end:
        running.send(answers[-1])
    reply = end.value.value
    assert isinstance(reply, Reply)
    return calls, reply


def read(*answers: Answer, target: bytes = b"/v2/orders/one") -> Reply:
    return carried(mapping(), asked(mapping(), "GET", target), *answers)[1]


def wrote(answer: Answer) -> Reply:
    return carried(mapping(), asked(mapping(), "POST", b"/v2/orders", ORDER), answer)[1]


def lines(headers: Headers) -> dict[bytes, bytes]:
    return {name.lower(): value for name, value in headers}


def drive_read(answer: Answer, *more: Answer, target: bytes = b"/v2/orders/one") -> None:
    running = exchange(mapping(), asked(mapping(), "GET", target))
    next(running)
    for one in (answer, *more):
        running.send(one)
