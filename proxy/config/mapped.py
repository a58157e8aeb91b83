"""The mapping as a configuration asks for it: with the operator's switches and addresses."""

from __future__ import annotations

from proxy.config.model import Config
from proxy.mapping.api import CompiledMapping, Source
from proxy.mapping.links import Bases


def compiled(source: Source, config: Config) -> CompiledMapping:
    """The mapping, ready for traffic and for whoever explains traffic; raises `ConfigError` for a wrong switch."""
    both = config.upstream
    aliases = (*both.v2.aliases, *both.v2_1.aliases)
    bases = Bases(
        public=config.server.public_url.rstrip("/"),
        v2=both.v2.base_url.rstrip("/"),
        v2_1=both.v2_1.base_url.rstrip("/"),
        aliases=tuple(one.rstrip("/") for one in aliases),
    )
    return source.compiled(config.compat, bases)
