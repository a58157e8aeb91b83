"""Requests that mean no good (R§1.3): header and identity vectors by name; those of targets stand in `test_target.py`.

What is refused never reaches the platform. What passes reaches it as exactly one request: the one that the caller may make.
"""

from __future__ import annotations

from tests.emulator.caller import CREDENTIALS, FIRST_REF

PATH = f"/v2/orders/{FIRST_REF}".encode()
HEAD = b"GET " + PATH + b" HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
LOGIN = f"{CREDENTIALS[0]}: {CREDENTIALS[1]}\r\n".encode()
OTHER = b"Authorization: Basic b3RoZXI6cHc=\r\n"


def _with(*lines: bytes) -> bytes:
    return HEAD + LOGIN + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def _host(*values: bytes) -> bytes:
    lines = b"".join(b"Host: " + value + b"\r\n" for value in values)
    return _with().replace(b"Host: test\r\n", lines)


def _coded(line: bytes) -> bytes:
    head = HEAD.replace(b"GET", b"POST", 1) + LOGIN
    return head + line + b"\r\n\r\n0\r\n\r\nGET /v2/guests HTTP/1.1\r\nHost: test\r\n\r\n"


_CODINGS = {
    "space before the colon": b"Transfer-Encoding : chunked",
    "tab before the colon": b"Transfer-Encoding\t: chunked",
    "vertical tab in the value": b"Transfer-Encoding:\x0bchunked",
    "form feed in the value": b"Transfer-Encoding:\x0cchunked",
    "NUL in the value": b"Transfer-Encoding: chunked\x00",
    "DEL in the value": b"Transfer-Encoding: chunked\x7f",
    "a byte behind": b"Transfer-Encoding: chunked\xa0",
    "another name of it": b"Transfer-Encoding: xchunked",
    "in quotes": b'Transfer-Encoding: "chunked"',
    "in single quotes": b"Transfer-Encoding: 'chunked'",
    "comma behind": b"Transfer-Encoding: chunked,",
    "comma before": b"Transfer-Encoding: ,chunked",
    "semicolon": b"Transfer-Encoding: chunked;q=1",
    "twice in a line": b"Transfer-Encoding: chunked, chunked",
    "identity behind": b"Transfer-Encoding: chunked, identity",
    "identity before": b"Transfer-Encoding: identity, chunked",
    "gzip before": b"Transfer-Encoding: gzip, chunked",
    "two lines": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "two lines, other order": b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    "empty": b"Transfer-Encoding:",
    "with a length before": b"Content-Length: 5\r\nTransfer-Encoding: chunked",
    "with a length behind": b"Transfer-Encoding: chunked\r\nContent-Length: 5",
    "with a length, other case": b"Content-Length: 5\r\ntRANSFER-eNCODING: CHUNKED",
    "with an underscore": b"Transfer_Encoding: chunked\r\nContent-Length: 5",
    "folded": b"Transfer-Encoding:\r\n chunked",
    "folded before": b"X: y\r\n Transfer-Encoding: chunked",
    "behind a bare CR": b"X: y\rTransfer-Encoding: chunked",
    "behind a bare LF": b"X: y\nTransfer-Encoding: chunked",
    "in a field name": b"X Transfer-Encoding: chunked",
    "a name with a NUL": b"Transfer-\x00Encoding: chunked\r\nContent-Length: 5",
}

REFUSED = {
    "two credentials": _with(OTHER.strip()),
    "the same credentials twice": _with(LOGIN.strip()),
    "two credentials, other case": _with(OTHER.strip().replace(b"Authorization", b"aUTHORIZATION")),
    "credentials named by Connection": _with(b"Connection: authorization"),
    "credentials named by Connection among others": _with(b"Connection: x, Authorization ,y"),
    "Host named by Connection": _with(b"Connection: host"),
    "Content-Length named by Connection": _with(b"Connection: content-length"),
    "Cookie named by Connection": _with(b"Connection: cookie"),
    "our request id named by Connection": _with(b"Connection: x-crossfade-request-id"),
    "our own Via": _with(b"Via: 1.1 crossfade"),
    "our own Via among others": _with(b"Via: 1.0 a, 1.1 CrossFade (x)"),
    "CR in a value": _with(b"X: a\rb"),
    "LF in a value": _with(b"X: a\nb"),
    "NUL in a value": _with(b"X: a\x00b"),
    "CR in a name": _with(b"X\r: a"),
    "no name": _with(b": a"),
    "space in a name": _with(b"X Y: a"),
    "a name that is not ASCII": _with(b"X\xe9: a"),
    "no colon": _with(b"X"),
    "twin of Content-Length": _with(b"Content_Length: 5"),
    "twin of Content-Type": _with(b"Content_Type: text/html"),
    "twin of X-Forwarded-For": _with(b"X_Forwarded_For: 127.0.0.1"),
    "twin of X-Forwarded-Host": _with(b"X-Forwarded_Host: evil"),
    "twins beside each other": _with(b"X-A-B: 1", b"X_A_B: 2"),
    "two hosts": _host(b"test", b"test"),
    "two other hosts": _host(b"test", b"evil.test"),
    "no host": _host(),
    "empty host": _host(b""),
    "two hosts in a line": _host(b"test, evil.test"),
    "host with a user": _host(b"user@evil.test"),
    "host with a user and password": _host(b"user:pw@evil.test"),
    "host with a path": _host(b"evil.test/v2"),
    "host with a query": _host(b"evil.test?x"),
    "host with a fragment": _host(b"evil.test#x"),
    "host with a scheme": _host(b"http://evil.test"),
    "host with a port that is none": _host(b"test:80a"),
    "host with a long port": _host(b"test:123456"),
    "host with two ports": _host(b"test:80:80"),
    "host in an open bracket": _host(b"[::1"),
    "host with junk behind brackets": _host(b"[::1]evil.test"),
    "host with a space": _host(b"te st"),
    "host that is not ASCII": _host(b"t\xe9st"),
    "host with an escape": _host(b"test%2eevil.test"),
    "host with a backslash": _host(b"test\\evil.test"),
    "300 fields": _with(*(b"X-%d: 1" % n for n in range(300))),
    "a field of 100 KiB": _with(b"X: " + b"a" * 102_400),
    "a name of 100 KiB": _with(b"X" * 102_400 + b": a"),
    "two lengths": _with(b"Content-Length: 2", b"Content-Length: 2"),
    "two lengths in a line": _with(b"Content-Length: 2, 2"),
    "a length with a sign": _with(b"Content-Length: +2"),
    "a negative length": _with(b"Content-Length: -2"),
    "a hexadecimal length": _with(b"Content-Length: 0x2"),
    "a length with a dot": _with(b"Content-Length: 2.0"),
    "an endless length": _with(b"Content-Length: " + b"9" * 40),
    "an empty length": _with(b"Content-Length:"),
    "method with a space": _with().replace(b"GET ", b"GET GET ", 1),
    "method that is no token": _with().replace(b"GET ", b"G(T ", 1),
    "no method": _with()[3:],
    "preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a TLS handshake": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "tunnel": b"CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n",
    "trace": _with().replace(b"GET", b"TRACE", 1),
    **{f"coding: {name}": _coded(line) for name, line in _CODINGS.items()},
}
"""Nothing of these reaches the platform, nor of what comes behind them on the connection."""

PASSED = {
    "another Host": _host(b"evil.test"),
    "another Host with a port": _host(b"evil.test:8443"),
    "Host of an IPv6 address": _host(b"[::1]:80"),
    "Host with a dot at its end": _host(b"test."),
    "X-Forwarded-Host": _with(b"X-Forwarded-Host: evil.test"),
    "X-Forwarded-For": _with(b"X-Forwarded-For: 127.0.0.1"),
    "Forwarded": _with(b"Forwarded: for=127.0.0.1;host=evil.test;proto=https"),
    "X-Original-URL": _with(b"X-Original-URL: /v2/guests"),
    "X-Rewrite-URL": _with(b"X-Rewrite-URL: /v2/guests"),
    "X-HTTP-Method-Override": _with(b"X-HTTP-Method-Override: DELETE"),
    "X-HTTP-Method": _with(b"X-HTTP-Method: DELETE"),
    "X-Method-Override": _with(b"X-Method-Override: DELETE"),
    "Proxy": _with(b"Proxy: http://evil.test:3128"),
    "Destination": _with(b"Destination: http://evil.test/"),
    "Referer": _with(b"Referer: http://evil.test/"),
    "Origin": _with(b"Origin: null"),
    "Cookie": _with(b"Cookie: session=1"),
    "another Via": _with(b"Via: 1.1 crossfader, 1.1 other"),
    "a Connection that names what nobody sent": _with(b"Connection: x-nothing, upgrade"),
    "an upgrade to h2c": _with(
        b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk"
    ),
    "an upgrade to a websocket": _with(b"Connection: Upgrade", b"Upgrade: websocket"),
    "Expect": _with(b"Expect: 100-continue"),
    "Range": _with(b"Range: bytes=0-1"),
    "150 fields": _with(*(b"X-%d: 1" % n for n in range(150))),
    "a field of 16 KiB": _with(b"X: " + b"a" * 16_384),
    "names in lower case": _with().replace(b"Host", b"host").replace(b"Authorization", b"authorization"),
    "no length": _with(b"Content-Length: 0"),
    "a slash at the end": _with().replace(PATH, PATH + b"/", 1),
}
"""Each of these is the plain request, whatever its fields would like."""
