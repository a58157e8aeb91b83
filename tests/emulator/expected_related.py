"""For every switch of items, contacts, consumers and extensions the probe that sees it, and what its values show."""

from __future__ import annotations

from typing import Any

from tests.emulator import probes_related as probes
from tests.emulator.probes import Probe

SEGMENTS = [{"id": "1", "origin": "DUB"}]
AT, AT_MILLIS = "2025-12-19T12:00:00Z", "2025-12-19T12:00:00.000Z"

SEEN: dict[str, tuple[Probe, dict[Any, Any]]] = {
    "v2_delete_status": (
        probes.deletions,
        {
            204: [(204, None), (204, None), (204, None)],
            200: [(200, ("SEAT", None)), (200, (None, 1)), (204, None)],
        },
    ),
    "v2_old_types": (probes.old_type, {"keep": "BAGGAGE", "modern": "BAG"}),
    "v2_foreign_words": (
        probes.foreign_words,
        {
            "pass": [("Mobile", "Accepted"), ("FEES", "CANCELLED")],
            "sentinel": [("OTHER", "UNKNOWN"), ("FEES", "CANCELLED")],
        },
    ),
    "v2_extension": (
        probes.extension_paths,
        {
            "by-ref": (True, [409, 200, 200, 200]),
            "by-name": (True, [200, 200, 404, 404]),
            "none": (False, [404, 404, 404, 404]),
        },
    ),
    "v2_extension_key": (
        probes.extension_key,
        {"default": ["default", None, None], "any": ["default", "budgets", None]},
    ),
    "v2_consumer_items": (
        probes.consumer_items,
        {"items": (True, False, 0), "href": (False, True, 1)},
    ),
    "v2_1_put_children": (probes.put_children, {"keep": (3, [1, 1, 1]), "remove": (3, [0, 0, 0])}),
    "v2_1_implied": (
        probes.implied,
        {
            "serve": [200, 200, 200, 200, 200, 200, 200, 204, 204],
            "refuse": [405, 405, 405, 405, 405, 405, 200, 405, 204],
        },
    ),
    "v2_1_expand": (
        probes.expansions,
        {
            "flag": [False, True, False],
            "names": [False, False, True],
            "both": [False, True, True],
            "none": [False, False, False],
        },
    ),
    "v2_1_order_contacts": (
        probes.order_contacts,
        {"contacts": "/v2.1/orderContacts/C1", "guests": "/v2.1/guests/G1"},
    ),
    "v2_1_banned_types": (
        probes.new_item({"type": "FLIGHT"}, {"type": "Hotel"}, {"type": "Flight Item"}),
        {
            "exact": [(400,), (201, "Hotel", "Hotel"), (201, "Flight Item", "Flight Item")],
            "any-case": [(400,), (400,), (201, "Flight Item", "Flight Item")],
            "accept": [
                (201, "FLIGHT", "FLIGHT"),
                (201, "Hotel", "Hotel"),
                (201, "Flight Item", "Flight Item"),
            ],
        },
    ),
    "v2_1_quantity": (
        probes.new_item({"quantity": 1.5}, {"quantity": -2}),
        {"integer": [(400,), (201, -2, -2)], "number": [(201, 1.5, 1.5), (201, -2, -2)]},
    ),
    "v2_1_flight_members": (
        probes.new_item({"flightSegments": SEGMENTS}, {"passengerTypeCode": "ADT"}),
        {
            "refuse": [(400,), (400,)],
            "ignore": [(201, None, None), (201, None, None)],
            "keep": [(201, SEGMENTS, SEGMENTS), (201, "ADT", "ADT")],
        },
    ),
    "v2_1_item_ordered_at": (
        probes.new_item({"orderedAt": AT}),
        {"keep": [(201, AT, AT_MILLIS)], "ignore": [(201, None, None)], "refuse": [(400,)]},
    ),
    "v2_1_person_required": (
        probes.people,
        {
            "firstName": [201, 201, 400] * 2,
            "both": [201, 400, 400] * 2,
            "none": [201, 201, 201] * 2,
        },
    ),
    "v2_1_request_links": (
        probes.request_links,
        {
            "honour": (201, True, 201, True),
            "ignore": (201, False, 201, False),
            "refuse": (400, False, 400, False),
        },
    ),
    "v2_1_contact_gone": (probes.contact_gone, {404: [404, 204, 404], 204: [204, 204, 404]}),
    "v2_1_consumer_status": (probes.consumer_status, {200: [200, 200], 201: [201, 200]}),
    "v2_1_extension_missing": (
        probes.extension_missing,
        {"refuse": [(404, 404)] * 2, "create": [(201, 200)] * 2},
    ),
    "v2_1_extension_reserved": (
        probes.extension_reserved,
        {"refuse": (400, None, "key: is set by the server."), "ignore": (201, "default", None)},
    ),
    "extension_match": (
        probes.extension_match,
        {"refuse": ([409, 409], ["a"]), "replace": ([201, 201], ["c"])},
    ),
    "links": (
        probes.links,
        {"version": [201, 400, 400], "platform": [201, 201, 400], "any": [201, 201, 201]},
    ),
}
