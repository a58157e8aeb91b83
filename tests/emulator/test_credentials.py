from __future__ import annotations

import pytest

from proxy.emulator.credentials import client_of
from proxy.emulator.problems import Problem


@pytest.mark.parametrize(
    "credential", ["", "Basic", "Basic \xfc\xe9", "Basic ///", "Basic /w==", "Bearer a2V5OnQ=", "Basic a2V5"]
)
def test_what_is_no_credential_is_refused_as_a_wrong_one(credential: str) -> None:
    with pytest.raises(Problem) as caught:
        client_of(credential, "any")
    assert caught.value.status == 401
