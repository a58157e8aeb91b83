"""The native view: what v2.1's own answer says that the caller never reads.

Comparing in the caller's dialect shows what a caller would notice. It cannot show what the translation itself takes away,
since that is gone on both sides: v2.1 says one word, the caller reads another, and v2 may have said that other word all
along. So each comparison with an answer of v2.1 is looked at once more in v2.1's own words: every change that a rule or a
codec made to the answer is turned back, and what does not lead back to v2.1's own value was hidden.

Hidden is no class and no divergence. It is counted by rule, so that a translation which hides a lot is seen before v2.1's
own readers are the only ones left.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Raw

from proxy.errors import CrossfadeError
from proxy.json import Kind, kind, open_object
from proxy.mapping.api import CompiledMapping
from proxy.mapping.codecs import Codec
from proxy.mapping.nodes import Firing


def hidden(trace: Sequence[Firing], mapping: CompiledMapping) -> list[str]:
    """The rules that kept a value of v2.1's own answer from the caller, each once."""
    codecs = tuple(mapping.codecs.values())
    found = (one.rule for one in trace if not one.pointer.startswith("?") and _hides(one, codecs))
    return list(dict.fromkeys(found))


def _hides(firing: Firing, codecs: Sequence[Codec]) -> bool:
    before, after = firing.before, firing.after
    if before is None:
        return False
    if after is None:
        return True
    try:
        if kind(before) is Kind.OBJECT and kind(after) is Kind.OBJECT:
            return not open_object(Raw(before)).keys() <= open_object(Raw(after)).keys()
        if kind(before) in {Kind.OBJECT, Kind.ARRAY}:
            return True
    except CrossfadeError:
        return True
    return not _is_led_back(firing.rule, before, after, codecs)


def _is_led_back(rule: str, before: bytes, after: bytes, codecs: Sequence[Codec]) -> bool:
    own = next((one for one in codecs if one.rule == rule), None)  # nearly always the one that does
    if own is not None and _leads_back(own, before, after):
        return True
    return any(_leads_back(one, before, after) for one in codecs if one is not own)


def _leads_back(codec: Codec, before: bytes, after: bytes) -> bool:
    return codec.same(after, before) or codec.forward(after) == before
