"""A search that has no clear find writes nothing: the conflict stands."""

from __future__ import annotations

import pytest

from proxy.exchange import exchange
from proxy.types import Answer
from tests.mapping import goldens

ORDER = (
    '{"pointOfSale":"home","currencyCode":"EUR","price":1,"orderedAt":"2025-12-19T12:07:18.149Z",'
    '"referenceId":"B94TXY-1"}'
)
OTHER_KEY = '{"items":[{"ref":"a","orderedAt":"2025-12-19T12:00:00Z","referenceId":"OTHER"}]}'
AS_NEAR = (
    '{"items":[{"ref":"a","orderedAt":"2025-12-19T13:07:18.149Z","referenceId":"B94TXY-1"},'
    '{"ref":"b","orderedAt":"2025-12-19T11:07:18.149Z","referenceId":"B94TXY-1"}]}'
)


@pytest.mark.parametrize("listing", [OTHER_KEY, AS_NEAR], ids=["another key", "two that are as near"])
def test_nothing_is_written_on_a_guess(listing: str) -> None:
    mapping = goldens.compiled({"on_conflict": "update"})
    question = goldens.asked(mapping, {"method": "POST", "target": "/v2/orders", "body": ORDER})
    running = exchange(mapping, question)
    next(running)
    running.send(Answer(409, [], b'{"status":409,"code":409,"message":"exists"}'))
    with pytest.raises(StopIteration) as end:
        running.send(Answer(200, [], listing.encode()))
    assert end.value.value.answer.status == 409
