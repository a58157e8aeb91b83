"""What writes through v2.1 leave that v2 knows otherwise, as the mappings declare it."""

from __future__ import annotations

from pathlib import Path

from proxy.mapping.api import SHIPPED, load
from proxy.mapping.nodes import Firing
from proxy.mapping.stored import Lasting, lasting
from tests.cli.test_check import renaming


def shipped(**chosen: str) -> dict[str, Lasting]:
    source = load(SHIPPED)
    return lasting(source, source.switches(chosen))


def test_words_and_parts_of_an_item_are_what_v2_cannot_show() -> None:
    found = shipped()
    assert set(found) == {f"items.{one}" for one in ("create", "list", "get", "update", "delete")}
    assert len(set(found.values())) == 1
    items = found["items.create"]
    assert (items.resource, items.told) == ("items", ("items.name",))
    words = ("values.itemType", "values.item-type.flight", "values.item-type.hotel")
    assert items.raw == (*words, "items.create.flight", "items.update.flight")
    assert items.writes == ("items.create", "items.update", "items.delete")
    assert items.reads == ("items.list", "items.get", "orders.get"), "an expanded order shows its items"


def test_what_a_switch_lets_through_is_told_and_bars_no_way_back() -> None:
    orders = shipped(point_of_sale="accept", guest_ref="ignore")["orders.create"]
    assert (orders.raw, orders.told) == ((), ("orders.point-of-sale", "orders.create.guest-ignored"))
    assert "orders.create" not in shipped(), "by default a write of an order leaves nothing"


def test_only_what_a_write_has_met_is_left() -> None:
    items = shipped()["items.create"]
    assert items.left([]) == ()
    assert items.left([Firing("items.name", "/name", None, b'"x"')]) == ()
    met = [
        Firing("items.create.flight", "/flightSegments", b"[]", None),
        Firing("values.itemType", "/type", b"", b""),
    ]
    assert items.left(met) == ("values.itemType", "items.create.flight")


def test_a_table_over_a_leaf_of_orders_is_about_orders(tmp_path: Path) -> None:
    source = load(renaming(tmp_path))
    orders = lasting(source, source.switches({}))["orders.update"]
    assert (orders.resource, orders.raw) == ("orders", ("values.channel", "made.up"))
    assert orders.reads[:2] == ("orders.list", "orders.get")
