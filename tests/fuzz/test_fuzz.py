from __future__ import annotations

from collections import Counter

from tests.fuzz.run import run


def test_no_body_crashes_hangs_or_is_refused_without_a_reason() -> None:
    endings = Counter(run(1500, seed=7))
    for expected in ("CF-JSON", "CF-FIELD", "CF-DUPLICATE", "carried", "carried untouched"):
        assert endings[f"request: {expected}"] > 5, endings
    assert endings["read answer: answered"] > 5
    assert endings["write answer: passed untranslated"] > 5
    assert endings["read answer: refused as untranslatable"] > 5
