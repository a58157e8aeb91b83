from __future__ import annotations

from pathlib import Path

import pytest

from tests.laws.ledger import Ledger
from tests.laws.registry import Law, discovered
from tests.laws.run import hold
from tests.laws.world import Side, world

SHIPPED = world(Path(__file__).parents[2] / "mappings")
PROOFS = [pytest.param(law, side, id=f"{law.name} {side.spec.id}") for law, side in discovered(SHIPPED)]


@pytest.mark.timeout(3000)
@pytest.mark.parametrize(("law", "side"), PROOFS)
def test_the_law_holds(law: Law, side: Side, ledger: Ledger) -> None:
    hold(law, SHIPPED, side, ledger)
