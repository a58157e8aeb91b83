"""The sections about sockets: where callers and operators come in, and where calls go out."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from proxy.config.values import Bytes, Count, LocalPath, Port, ProxyAddress, Seconds, Text, WebAddress


class Section(BaseModel):
    """What all sections have in common: frozen, no unknown key, and no value in an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
        validate_default=False,
    )


class Server(Section):
    """The listener for callers."""

    host: Text = "127.0.0.1"
    """Address to listen on; `0.0.0.0` for all."""
    port: Port = 8080
    """Port to listen on; 0 takes a free one."""
    public_url: WebAddress = "http://localhost:8080"
    """The address callers use: what links in translated answers point at."""
    v2_hrefs: Literal["platform", "proxy"] = "platform"
    """Links in answers of v2: `platform` leaves them untouched, `proxy` points them at `public_url`."""
    drain_delay: Seconds = 5.0
    """How long a stopping process still accepts, so that load balancers notice."""
    allowed_hosts: tuple[Text, ...] = ()
    """Host names that callers may use; empty allows every one."""
    tls_cert: LocalPath | None = None
    """Certificate chain (PEM) to serve TLS with; goes with `tls_key`."""
    tls_key: LocalPath | None = None
    """Private key (PEM); goes with `tls_cert`."""
    max_target: Bytes = 8 << 10
    """Largest request target, path and query together; longer ones are answered 414."""
    max_head: Bytes = 64 << 10
    """Largest header section of a request; larger ones are answered 431."""
    max_fields: Count = 200
    """Field lines of a request; more are answered 431."""
    head_timeout: Seconds = 10.0
    """How long a header section may take to arrive, from the connection or from its first byte."""
    max_body: Bytes = 1 << 20
    """Largest request body that is translated, and largest body that is held; larger ones are passed on as they come."""
    max_passthrough_body: Bytes = 64 << 20
    """Largest request body that is passed through."""
    body_timeout: Seconds = 30.0
    """How long a request body may take to arrive, and a second more for each `min_body_rate` bytes of it."""
    min_body_rate: Bytes = 4 << 10
    """Bytes a second that a request body needs to have more time than `body_timeout`."""
    send_timeout: Seconds = 30.0
    """How long a caller may take nothing of its answer; then its connection is cut."""
    keepalive: Seconds = 5.0
    """How long a caller's idle connection is kept."""
    max_in_flight: Count = 200
    """Requests at work at the same time; more are answered 503 at once. One whose body is still coming does not count."""
    max_connections: Count = 2000
    """Connections of callers at the same time; more are answered 503 and closed."""

    @model_validator(mode="after")
    def _check(self) -> Server:
        if (self.tls_cert is None) != (self.tls_key is None):
            missing = "tls_key" if self.tls_key is None else "tls_cert"
            raise ValueError(f"tls_cert and tls_key go together; add {missing}, or remove the other")
        if self.max_passthrough_body < self.max_body:
            raise ValueError("max_passthrough_body is smaller than max_body; raise it to max_body or more")
        for name in ("max_target", "max_head", "min_body_rate"):
            if not getattr(self, name):
                raise ValueError(f'{name} is 0; write a size above that, such as "8KiB"')
        return self


class Admin(Section):
    """The listener for operators: dashboard, JSON API, metrics, health."""

    host: Text = "127.0.0.1"
    """Address to listen on."""
    port: Port = 8081
    """Port to listen on; 0 takes a free one."""
    token_file: LocalPath | None = None
    """File that holds the Bearer token; required when `host` is not loopback."""

    @model_validator(mode="after")
    def _check(self) -> Admin:
        if self.token_file is None and not is_loopback(self.host):
            raise ValueError('host is not loopback; add token_file, or set host = "127.0.0.1"')
        return self


class Upstream(Section):
    """One version of the API and how it is called."""

    base_url: WebAddress
    """The platform's address, without the API's own path."""
    aliases: tuple[WebAddress, ...] = ()
    """Other addresses of the same platform that stored links may still carry."""
    connect_timeout: Seconds = 3.0
    """How long connecting may take, TLS included."""
    read_timeout: Seconds = 30.0
    """How long the platform may stay silent."""
    total_timeout: Seconds = 35.0
    """How long the whole call may take."""
    pool_size: Count = 100
    """Connections at the same time."""
    pool_wait: Seconds = 2.0
    """How long a call waits for a free connection."""
    keepalive: Seconds = 5.0
    """How long an idle connection is kept."""
    write_idle: Seconds = 1.0
    """How long a connection may have been idle and still be used for a write."""
    ca_file: LocalPath | None = None
    """Certificate authorities (PEM) to trust instead of the system's."""
    proxy: ProxyAddress | None = None
    """Outbound HTTP or SOCKS proxy; with `engine = "httpx"` only. A password in it is never shown."""
    max_answer: Bytes = 8 << 20
    """Largest answer that is translated."""

    @model_validator(mode="after")
    def _check(self) -> Upstream:
        for name in ("connect_timeout", "read_timeout"):
            if getattr(self, name) > self.total_timeout:
                raise ValueError(f"{name} is longer than total_timeout; shorten it, or raise total_timeout")
        return self


class Upstreams(Section):
    """Both versions of the API, and the engine that calls them."""

    engine: Literal["native", "httpx"] = "native"
    """`native` is fast and knows best what was sent; `httpx` where an outbound proxy is needed."""
    v2: Upstream
    """The version that callers speak."""
    v2_1: Upstream = Field(title="v2.1")
    """The version that traffic moves to."""

    @model_validator(mode="after")
    def _check(self) -> Upstreams:
        for name, version in (("v2", self.v2), ("v2_1", self.v2_1)):
            if version.proxy is not None and self.engine != "httpx":
                raise ValueError(
                    f'{name}.proxy needs the other engine; set engine = "httpx", or remove {name}.proxy'
                )
        return self


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a listener on `host`."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
