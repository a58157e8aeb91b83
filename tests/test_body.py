from __future__ import annotations

import pytest

from proxy.body import check_uncoded
from proxy.errors import Fault, Refused


@pytest.mark.parametrize("coding", [b"gzip", b"br", b"identity, gzip"])
def test_a_coded_body_is_refused_where_it_has_to_be_read(coding: bytes) -> None:
    with pytest.raises(Refused) as caught:
        check_uncoded(coding)
    assert caught.value.fault is Fault.CODING


@pytest.mark.parametrize("coding", [b"Identity", b" identity ", b"", None])
def test_the_coding_identity_is_none(coding: bytes | None) -> None:
    check_uncoded(coding)
