"""OPTIONS counts its hops, TRACE ends here."""

from __future__ import annotations

import pytest

from proxy.errors import Fault, Refused
from proxy.wire.hops import onward

OTHER = (b"X", b"1")


@pytest.mark.parametrize(
    ("target", "given", "sent"),
    [
        (b"/a", [], []),
        (b"/a", [b"5"], [b"4"]),
        (b"/a", [b" 1 "], [b"0"]),
        (b"/a", [b"x"], [b"x"]),
        (b"/a", [b"-1"], [b"-1"]),
        (b"/a", [b"0"], None),
        (b"/a", [b"00"], None),
        (b"*", [], None),
    ],
)
def test_options_goes_on_with_one_hop_less(
    target: bytes, given: list[bytes], sent: list[bytes] | None
) -> None:
    left = onward("OPTIONS", target, [OTHER, *((b"Max-Forwards", one) for one in given)])
    assert left == (None if sent is None else [OTHER, *((b"Max-Forwards", one) for one in sent)])


def test_trace_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        onward("TRACE", b"/a", [])
    assert caught.value.fault is Fault.METHOD
