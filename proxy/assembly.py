"""From a configuration to a snapshot: everything that a request may see, made whole before any request sees it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeAlias

from prometheus_client import CollectorRegistry, Gauge

from proxy.config.identity import load_key
from proxy.config.load import Loaded
from proxy.config.mapped import compiled
from proxy.config.model import Config
from proxy.cutover.bucket import salts
from proxy.cutover.decide import Decider
from proxy.cutover.routes import Routes
from proxy.cutover.splitter import Splitter
from proxy.errors import ConfigError
from proxy.evidence.engine import Evidence
from proxy.evidence.reads import Reads
from proxy.log import EventLog
from proxy.mapping.api import SHIPPED, CompiledMapping, Source, load
from proxy.mapping.stored import Lasting, lasting
from proxy.snapshot import Snapshot
from proxy.store import Keep, Recorder
from proxy.upstream import Engine, UpstreamSettings, make_engine
from proxy.upstream.attempts import Attempts
from proxy.upstream.counted import counted
from proxy.upstream.journal import Journal
from proxy.wire.credentials import CallerIds

Section: TypeAlias = Literal["v2", "v2_1"]
"""A section of the upstreams."""


def build(loaded: Loaded, registry: CollectorRegistry, log: EventLog) -> Snapshot:
    """Everything that a configuration amounts to; nothing is opened but files."""
    config = loaded.config
    recorder = _recorder(config, log, registry)
    source = _source(config)
    mapping, routes = _checked(loaded, source)
    key = load_key(Path(config.identity.key_file))
    bucket_salt, sample_salt = salts(key)
    attempts = counted(registry)
    shadow = _reads(config, attempts["shadow"])
    return Snapshot(
        config=config,
        hash=loaded.hash,
        mapping=mapping,
        lasting=_lasting(source, config),
        decider=Decider(mapping, routes, bucket_salt, config.unmapped == "v2", Splitter()),
        callers=CallerIds(key),
        key=key,
        v2=engine_of(config, "v2", attempts["v2"]),
        v2_1=engine_of(config, "v2_1", attempts["v2.1"]),
        shadow=shadow,
        attempts=attempts,
        evidence=Evidence(
            config.shadow,
            mapping,
            shadow,
            log,
            key=key,
            salt=sample_salt,
            registry=registry,
            told=[recorder.told],
            ignore=config.ignore,
        ),
        journal=_journal(config, log, registry),
        recorder=recorder,
        log=log,
        allowed_hosts=_allowed_hosts(config),
        troubles={},
    )


def rebuilt(loaded: Loaded, old: Snapshot) -> Snapshot:
    """The snapshot of a changed configuration in a running process; `loaded` keeps what only a start can change.

    Identity, journal, evidence and recorder are carried over, and so are the connections of an upstream whose settings are
    the same. Nothing is changed yet: what fails here leaves the old snapshot as it was. Raises `ConfigError`, `MappingError`.
    """
    config = loaded.config
    source = _source(config)
    mapping, routes = _checked(loaded, source)
    v2, v2_1 = _engine_again(config, old, "v2"), _engine_again(config, old, "v2_1")
    same = v2 is old.v2 and v2_1 is old.v2_1
    return replace(
        old,
        config=config,
        hash=loaded.hash,
        mapping=mapping,
        lasting=_lasting(source, config),
        decider=Decider(mapping, routes, old.decider.salt, config.unmapped == "v2", old.decider.splitter),
        v2=v2,
        v2_1=v2_1,
        shadow=old.shadow if same else _reads(config, old.attempts["shadow"]),
        allowed_hosts=_allowed_hosts(config),
    )


def _source(config: Config) -> Source:
    return load(Path(config.mappings) if config.mappings else SHIPPED)


def _lasting(source: Source, config: Config) -> dict[str, Lasting]:
    return lasting(source, source.switches(config.compat))


def _allowed_hosts(config: Config) -> frozenset[bytes]:
    return frozenset(host.lower().encode() for host in config.server.allowed_hosts)


def _checked(loaded: Loaded, source: Source) -> tuple[CompiledMapping, Routes]:
    """What the configuration says about the mappings; raises `ConfigError` that names the file in every line."""
    try:
        return compiled(source, loaded.config), Routes.compile(loaded.config, source.writes)
    except ConfigError as error:
        raise ConfigError(
            "\n".join(f"{loaded.path.name}: {line}" for line in str(error).splitlines())
        ) from None


def _recorder(config: Config, log: EventLog, registry: CollectorRegistry) -> Recorder:
    store = config.store
    return Recorder(store.url.get_secret_value(), Keep(store.keep, store.max_size), log, registry)


def _journal(config: Config, log: EventLog, registry: CollectorRegistry) -> Journal:
    journal = Journal(Path(config.journal.path), log, fsync=config.journal.fsync)
    gauge = Gauge("crossfade_indoubt_writes", "Writes whose end nobody knows.", registry=registry)
    gauge.set_function(journal.in_doubt)
    return journal


def engine_of(config: Config, section: Section, attempts: Attempts | None = None) -> Engine:
    """An engine for one section of the upstreams; nothing is opened before its first call. Raises ConfigError."""
    return make_engine(config.upstream.engine, _settings(config, section), attempts)


def _reads(config: Config, attempts: Attempts) -> Reads:
    """Both versions for the evidence, on connections of its own."""
    return Reads(engine_of(config, "v2", attempts), engine_of(config, "v2_1", attempts))


def _engine_again(config: Config, old: Snapshot, section: Section) -> Engine:
    """The engine that there is, if its settings are the same, else a new one."""
    same_kind = config.upstream.engine == old.config.upstream.engine
    if same_kind and _settings(config, section) == _settings(old.config, section):
        return old.v2 if section == "v2" else old.v2_1
    return engine_of(config, section, old.attempts["v2" if section == "v2" else "v2.1"])


def _settings(config: Config, section: Section) -> UpstreamSettings:
    one = config.upstream.v2 if section == "v2" else config.upstream.v2_1
    return UpstreamSettings(
        base_url=one.base_url,
        connect_timeout=one.connect_timeout,
        read_timeout=one.read_timeout,
        total_timeout=one.total_timeout,
        pool_size=one.pool_size,
        pool_wait=one.pool_wait,
        keepalive=one.keepalive,
        write_idle=one.write_idle,
        max_answer=one.max_answer,
        ca_file=str(one.ca_file) if one.ca_file else None,
        proxy=one.proxy.get_secret_value() if one.proxy else None,
    )
