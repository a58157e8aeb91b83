"""Which declared loss explains a difference: v2 says just what a rule or a codec takes away from v2.1's own answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from msgspec import Raw

from proxy.evidence.opened import Native
from proxy.mapping.api import CompiledMapping
from proxy.mapping.codecs import Codec, Plain
from proxy.mapping.nodes import Firing

PLAIN = Plain()
"""The codec of every leaf that both versions write alike."""


class Losses:
    """The losses that a mapping declares, and those of them that acted on one answer."""

    def __init__(self, mapping: CompiledMapping, trace: Sequence[Firing]) -> None:
        self._declared = mapping.losses
        self._trace = trace

    def between(self, codec: Codec, v2: Raw, native: Native, ours: Raw) -> str | None:
        """The rule by which v2 and we say different things here; a plain leaf has none."""
        value = None if codec is PLAIN else native.look()
        if value is None or not codec.explains(bytes(v2), bytes(value), bytes(ours)):
            return None
        rule = codec.rule_for(bytes(value))
        return rule if rule in self._declared else None

    def of_member(self, pointer: str, codec: Codec, v2: Raw, native: Native) -> str | None:
        """The rule that took away just what v2 says here, where we say nothing."""
        value = native.look() if self._taken else None
        if value is None or not codec.same(bytes(v2), bytes(value)):
            return None
        return self._taken.get((pointer, bytes(value)))

    @cached_property
    def _taken(self) -> Mapping[tuple[str, bytes | None], str]:
        """Pointer and v2.1's own value of all that was taken away, with the rule."""
        taken = (one for one in self._trace if one.after is None and one.rule in self._declared)
        return {(one.pointer, one.before): one.rule for one in taken}
