"""Where an upstream is and how long, how much and how often it may be asked."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from proxy.errors import ConfigError

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_TIMES = ("connect_timeout", "read_timeout", "total_timeout", "pool_wait", "keepalive", "write_idle")
_ABOVE_ZERO = (
    "connect_timeout",
    "read_timeout",
    "total_timeout",
    "pool_size",
    "max_answer",
    "max_header_bytes",
)
_SHAPE = "base_url of an upstream must look like https://host[:port][/prefix]"


SLOWEST = 4 << 10
"""Bytes a second that the rest of a streamed answer needs to have more time than `total_timeout`."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The one place that an engine talks to; nothing in a call can change it (R§1.3, SSRF)."""

    scheme: str
    host: str
    port: int
    prefix: bytes
    """Stands in front of every target; empty, or `/` and a name and no slash at its end."""

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted and the upstream's certificate checked."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """`host[:port]` as the `Host` field has it (RFC 9110 §7.2): no default port, IPv6 in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


def parse_origin(base_url: str) -> Origin:
    """Read `https://host[:port][/prefix]`; raises ConfigError, which names the rule, never the value."""
    if " " in base_url or not base_url.isprintable():
        raise ConfigError(f"{_SHAPE}; there is white space or a control character in it.")
    try:
        url = urlsplit(base_url)
        port = url.port
    except ValueError:
        raise ConfigError(f"{_SHAPE}; its host or port cannot be read.") from None
    for wrong, reason in _objections(url, port):
        if wrong:
            raise ConfigError(f"{_SHAPE}; {reason}.")
    prefix = url.path.rstrip("/").encode("ascii")
    return Origin(url.scheme, url.hostname or "", port or _DEFAULT_PORTS[url.scheme], prefix)


def _objections(url: SplitResult, port: int | None) -> tuple[tuple[bool, str], ...]:
    return (
        (url.scheme not in _DEFAULT_PORTS, "the scheme must be http or https"),
        ("@" in url.netloc, "user information does not belong there: callers bring their own credentials"),
        (bool(url.query or url.fragment), "a query or a fragment cannot stand there"),
        (port == 0, "port 0 cannot be called"),
        (
            not _HOST.fullmatch(url.hostname or ""),
            "the host must be an ASCII name or an IP address",
        ),
        (not _PREFIX.fullmatch(url.path.rstrip("/")), "the prefix must be percent-encoded and free of '//'"),
    )


@dataclass(frozen=True, slots=True)
class UpstreamSettings:
    """How one upstream is called. Times are seconds, sizes bytes; raises ConfigError for the unusable."""

    base_url: str
    """`https://host[:port][/prefix]`; the prefix stands in front of every target."""
    connect_timeout: float = 5.0
    """For name, TCP and TLS together."""
    read_timeout: float = 30.0
    """The longest silence of the upstream, counted from sending or from its last byte."""
    total_timeout: float = 60.0
    """For one `send`, waiting, connecting and retrying included."""
    pool_size: int = 100
    """Connections at a time."""
    pool_wait: float = 2.0
    """How long a call may wait for one of them."""
    keepalive: float = 5.0
    """How long an idle connection lives; below the idle time-out of the upstream (R§1.4)."""
    write_idle: float = 1.0
    """How long a connection may have been idle and still carry a write (R§1.4)."""
    max_answer: int = 8 * 1024 * 1024
    """The largest answer body."""
    max_header_bytes: int = 64 * 1024
    """The largest header section of an answer, interim answers included."""
    ca_file: str | None = None
    """A PEM file of the authorities to trust instead of the system's."""
    proxy: str | None = field(default=None, repr=False)
    """The URL of an outbound proxy (engine `httpx` only); not in the repr, for it may hold a password."""

    def __post_init__(self) -> None:
        parse_origin(self.base_url)
        for name in _TIMES:
            if not 0 <= getattr(self, name) < float("inf"):
                raise ConfigError(f"{name} of an upstream must be a number of seconds, 0 or more.")
        for name in _ABOVE_ZERO:
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} of an upstream must be more than 0.")

    @property
    def origin(self) -> Origin:
        """`base_url`, read."""
        return parse_origin(self.base_url)


def tls_context(settings: UpstreamSettings) -> ssl.SSLContext | None:
    """Verification of certificate and host name, HTTP/1.1 only; None for plain http. Raises ConfigError."""
    if not settings.origin.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"ca_file of an upstream cannot be used ({error}); name a readable PEM file of certificates."
        ) from error
    context.set_alpn_protocols(["http/1.1"])
    return context


def said_goodbye(tls: ssl.SSLObject) -> bool:
    """Whether close_notify came: anybody on the way can send a FIN (RFC 9112 §9.8). asyncio does not tell."""
    try:
        return not tls.read(1)
    except ssl.SSLError:
        return False
