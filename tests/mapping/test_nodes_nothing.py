"""A node that creates nothing answers nothing where nothing stands."""

from __future__ import annotations

import pytest

from proxy.mapping.codecs import Plain
from proxy.mapping.defaults import Constant, Hidden
from proxy.mapping.nodes import Drop, Elements, Leaf, Node, Object
from proxy.mapping.operations import Blank, DropLinks

NODES: list[Node] = [
    Leaf("/a", Plain(), Plain().back),
    Drop("/a", "r"),
    DropLinks("/a", "r", "no", frozenset()),
    Blank("/a", "r", "", required=True, inner=None),
    Constant("/a", "r", b"1"),
    Hidden("/a", "r", b"1", (), None),
    Elements("/a", None),
    Object("/a", (), frozenset()),
]


@pytest.mark.parametrize("node", NODES, ids=lambda node: type(node).__name__)
def test_nothing_stays_nothing(node: Node) -> None:
    assert not node.creates
    assert node.apply(None, {}, []) is None
