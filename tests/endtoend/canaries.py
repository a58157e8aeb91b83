"""Made-up secrets and personal data, the places to put them, and the forms in which they could leak."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

from tests.emulator.caller import order
from tests.raw import request

USER, PASSWORD = "kanarie-user-7Qx", "kanarie/Pass+word?9=x"
PERSONAL = {
    "e-mail": "zoë.kanarie+77@example.org",
    "phone": "+49 (151) 5550-7788",
    "passport": "C01X00T47-kanarie",
    "name": "Zoë Übel-Kanarie",
    "reference": "PNR-kanarie-4711",
    "member": "kanarie_member_für_x",
}
AUTHORIZATION = ("Authorization", "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode())
UNREADABLE = 3
"""How many of the loaded requests are no HTTP that can be read: two methods that nobody knows, and a line of words."""


def forms() -> Iterator[tuple[str, bytes]]:
    """Every secret in every form: what it is, and the bytes that may be nowhere."""
    for name, text in {"user": USER, "password": PASSWORD, "pair": f"{USER}:{PASSWORD}", **PERSONAL}.items():
        for coding in ("utf-8", "latin-1"):
            raw = text.encode(coding)
            yield f"{name} raw", raw
            yield f"{name} hex", raw.hex().encode()
            for start in range(3):  # base64 spells a text in three ways, by where it begins
                coded = base64.b64encode(b"\0" * start + raw)[4 if start else 0 : -4]
                yield f"{name} base64", coded
                yield f"{name} base64url", coded.replace(b"+", b"-").replace(b"/", b"_")
            for kind in ("md5", "sha1", "sha256", "sha512", "blake2b", "blake2s"):
                digest = hashlib.new(kind, raw).digest()
                yield f"{name} {kind}", digest.hex()[:10].encode()
                yield f"{name} {kind} base64", base64.b64encode(digest)[:12]
        yield f"{name} percent, every byte", "".join(f"%{one:02x}" for one in text.encode()).encode()
        yield f"{name} JSON, every character", "".join(f"\\u{ord(one):04x}" for one in text).encode()
        yield f"{name} percent", quote(text, safe="").encode()
        yield f"{name} percent, lower", quote(text, safe="").lower().encode()
        yield f"{name} form", quote_plus(text).encode()
        yield f"{name} JSON", json.dumps(text)[1:-1].encode()
        yield f"{name} repr", repr(text.encode())[2:-1].encode()


def leaks(where: str, content: bytes) -> list[str]:
    """What can be found of the secrets in some bytes."""
    low = content.lower()
    return [f"{what} in {where}" for what, form in forms() if form in content or form.lower() in low]


def _ask(method: str, target: str, body: str | bytes = b"", *headers: tuple[str, str]) -> bytes:
    return request(method, target, body, [AUTHORIZATION, *headers])


def loaded_requests(ref: str) -> Iterator[bytes]:
    """Requests that carry the secrets in header, path, query, body, and in everything that can be wrong with them."""
    values = {name.replace("-", ""): text for name, text in PERSONAL.items()}
    keys = dict.fromkeys(PERSONAL.values(), 1)
    whole = order(referenceId=PERSONAL["reference"], cardType=PERSONAL["name"], extra=values, **keys)
    body = json.dumps(whole, ensure_ascii=False).encode()
    header = ("X-Customer", PERSONAL["name"])
    yield _ask("POST", "/v2/orders", body, header)
    yield _ask("POST", f"/v2/orders/{ref}", body, header, ("X-Passport", PERSONAL["passport"]))
    yield _ask("GET", f"/v2/orders/{ref}", b"", ("Cookie", f"name={PERSONAL['passport']}"))
    yield _ask("GET", f"/v2/orders/{ref}?expand=orderItems")
    for text in PERSONAL.values():
        coded = quote(text, safe="")
        yield _ask("GET", f"/v2/orders/{coded}")
        yield _ask("GET", f"/v2/orders?referenceId={coded}")
        yield _ask("GET", f"/v2/orders?referenceId=a&{coded}={coded}")
        yield _ask("GET", f"/v2/orders?referenceId=a&limit={coded}")
        yield _ask("GET", f"/v2/orders/../{coded}")
        yield _ask("GET", f"/v3/{coded}")
        yield _ask("POST", "/v2/orders", body[:-1] + f', "{text}": 2, "price": 1}}'.encode())
        yield _ask("POST", "/v2/orders", body[:-1] + f', "{text}'.encode())
        for member in ("status", "channel", "currencyCode", "orderedAt", "price", "pointOfSale"):
            yield _ask("POST", "/v2/orders", json.dumps(order(**{member: [text], text: text})))
        yield _ask("POST", "/v2/orders", json.dumps(order(status=text, channel=text, price=text)))
        yield _ask("POST", "/v2/orders", json.dumps(order(orderItems=[{text: text}])))
        yield _ask("GET", f"/v2/orders/{ref}", b"", AUTHORIZATION, ("X-Name", text))
        yield _ask(
            "GET", f"/v2/orders/{ref}", b"", ("Connection", "X-Passport"), ("Host", PERSONAL["passport"])
        )
    for name in (PERSONAL["reference"], PERSONAL["passport"]):
        yield _ask("GET", f"/v2/orders/{ref}", b"", (name, "1"), (f"X-{name}", PERSONAL["phone"]))
        yield _ask("DELETE", f"/v2/orders/{name}")
        yield _ask("PATCH", f"/v2/orders/{name}?{name}", json.dumps({name: {name: [name]}}))
        yield _ask(name.replace("-", ""), f"/v2/orders/{name}")
    yield request("GET", f"/v2/orders/{ref}", b"", [("Authorization", f"Bearer {PASSWORD}")])
    yield request("GET", f"/v2/orders/{ref}", b"", [("Authorization", f"Basic {USER}:{PASSWORD}")])
    yield f"{USER} /{PASSWORD} kanarie\r\n\r\n".encode()


def rough_answers() -> Iterator[bytes]:
    """Answers of a platform that cannot be read, or cannot be said in v2's words; each is full of secrets."""
    for text in PERSONAL.values():
        raw, said = text.encode(), json.dumps(text, ensure_ascii=False).encode()
        yield b"%b\r\n\r\n" % raw
        yield b"HTTP/1.1 200 %b\r\n%b\r\n\r\n" % (raw, raw)
        yield b"HTTP/1.1 200 OK\r\nContent-Length: %b\r\n\r\n" % raw
        yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%b\r\n" % raw
        yield b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(raw), raw)
        for body in (
            raw,
            said,
            b"{" + said + b":",
            b"{%b:1,%b:2}" % (said, said),
            b'{"status":%b,%b:%b,"orderItems":{"items":[%b]}}' % (said, said, said, said),
            b'{"price":%b,"ref":[%b],"orderedAt":%b,"href":%b,"status":{%b:1}}' % ((said,) * 5),
        ):
            for status in (b"200 OK", b"500 Oops"):
                yield b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)
