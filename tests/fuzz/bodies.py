"""Bodies that no client should send, made from bodies that clients do send; every one is the same for the same seed."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

ORDER = (
    b'{"pointOfSale":"home","channel":"WEB","currencyCode":"EUR","price":12.50,"orderedAt":"2025-12-19T12:07:18.149Z",'
    b'"referenceId":"B94TXY-1","paymentType":"Card","cardType":"Visa","status":"PURCHASED","extra":{"a":[1,2,{"b":null}]}}'
)
ANSWER = (
    b'{"ref":"15b3b5d0-12a1-4cf0-abe8-2f35fcc20e0c","href":"https://api-engage-eu.sitecorecloud.io/v2.1/orders/15b3b5d0",'
    b'"createdAt":"2026-11-22T20:07:26Z","modifiedAt":"2026-11-22T20:07:26Z","orderedAt":"2025-12-19T12:07:18Z",'
    b'"currencyCode":"EUR","price":12.50,"referenceId":"B94TXY-1","pointOfSale":"home","channel":"WEB","status":"BROWSED",'
    b'"contacts":{"items":[{"href":"https://api-engage-eu.sitecorecloud.io/v2.1/guests/1"}]},"consumers":{"items":[]}}'
)

Mangle = Callable[[Random, bytes], bytes]


def flip(random: Random, body: bytes) -> bytes:
    """A few bytes changed."""
    out = bytearray(body)
    for _ in range(random.randint(1, 4)):
        out[random.randrange(len(out))] = random.randrange(256)
    return bytes(out)


def cut(random: Random, body: bytes) -> bytes:
    """Ended early."""
    return body[: random.randrange(len(body))]


def insert(random: Random, body: bytes) -> bytes:
    """Something put in where it does not belong."""
    piece = random.choice(
        [b"\xef\xbb\xbf", b"\xe9", b"\\ud800", b'"\\udc00":1,', b"NaN", b"-Infinity", b"1e99999", b"0" * 400, b"\x00",
         b'"price":1,', b'"price":2,"price":3,', b"//c\n", b",", b"{}", b"\\u0000", b"9" * 5000, b"-0", b"1E+400"]
    )  # fmt: skip
    place = random.randrange(len(body))
    return body[:place] + piece + body[place:]


def nest(random: Random, body: bytes) -> bytes:
    """Deep."""
    depth = random.choice([10, 63, 64, 65, 200, 2_000, 100_000])
    opened, closed = random.choice([(b"[", b"]"), (b'{"a":', b"}")])
    value = opened * depth + b"1" + closed * depth
    return random.choice([value, b'{"deep":' + value + b"," + body[1:]])


def retype(random: Random, body: bytes) -> bytes:
    """A member of another type."""
    members = json.loads(body)
    members[random.choice(list(members))] = random.choice(
        [
            None,
            None,
            None,
            None,
            True,
            0,
            -1,
            "",
            "x" * 10_000,
            [],
            {},
            [[]],
            {"items": 1},
            {"items": [1]},
            {"href": {}},
            "0001-01-01T00:00:00",
        ]
    )
    return json.dumps(members, ensure_ascii=random.random() < 0.5).encode()


def rename(random: Random, body: bytes) -> bytes:
    """Members that nobody knows, with names that nobody expects."""
    name = "".join(
        chr(random.choice([*range(32, 127), 0xE9, 0x2028, 0x1F600, 0x10FFFF]))
        for _ in range(random.randint(0, 40))
    )
    return (
        b"{"
        + json.dumps(name).encode()
        + b":"
        + str(random.choice([1, -0.0, 1e300])).encode()
        + b","
        + body[1:]
    )


def recode(random: Random, body: bytes) -> bytes:
    """Another encoding."""
    text = body.decode().replace("home", "caf\u00e9 \U0001f600")
    return text.encode(random.choice(["utf-8", "utf-16", "utf-16-le", "utf-32", "utf-8-sig"]))


def spaced(random: Random, body: bytes) -> bytes:
    """The same document with other white space: nothing is wrong with it."""
    separators = random.choice([(" ,", ": "), None])
    return json.dumps(json.loads(body), indent=random.choice([None, 0, 1, 4]), separators=separators).encode()


def double(random: Random, body: bytes) -> bytes:
    """A member that stands twice."""
    name, value = random.choice(list(json.loads(body).items()))
    return b"{" + json.dumps(name).encode() + b" : " + json.dumps(value).encode() + b"," + body[1:]


def noise(random: Random, body: bytes) -> bytes:
    """No JSON at all."""
    return random.randbytes(random.randint(0, len(body)))


MANGLES: tuple[Mangle, ...] = (retype, flip, cut, insert, nest, retype, rename, recode, spaced, double, noise)


def bodies(seed: int, count: int, start: bytes) -> list[bytes]:
    """So many bodies; now and then mangled twice."""
    random = Random(seed)
    made: list[bytes] = []
    while len(made) < count:
        body = random.choice(MANGLES)(random, start)
        if random.random() < 0.3:
            body = random.choice((flip, cut, insert))(random, body) if body else body
        made.append(body)
    return made
