"""For every switch the probe that sees it, and what each of its values shows."""

from __future__ import annotations

from typing import Any

from tests.emulator import probes
from tests.emulator.probes import Probe

SEEN: dict[str, tuple[Probe, dict[Any, Any]]] = {
    "v2_match": (
        probes.second_v2_create,
        {"update": (201, "1", "01", None), "create": (201, "2", "02", None), "refuse": (409, "", "", None)},
    ),
    "match_window": (probes.window, {"48h": [409, 201], "calendar": [409, 409], "off": [201, 201]}),
    "v2_point_of_sale": (probes.status_of("v2", pointOfSale=...), {"require": 400, "accept": 201}),
    "v2_update_status": (
        probes.update("POST", "v2", "price", price=3),
        {200: (200, 3), 201: (201, 3)},
    ),
    "v2_nested": (
        probes.create(
            "v2",
            lambda status, body: (status, body.get("orderItems")),
            orderItems={"items": [{"type": "BAG"}]},
        ),
        {"ignore": (201, {"items": []}), "refuse": (400, None)},
    ),
    "v2_guest_ref": (probes.guest, {"link": (201, 1), "ignore": (201, 0), "refuse": (400, 0)}),
    "v2_delete": (probes.v2_delete, {"refuse": (405, 200), "delete": (200, 404)}),
    "v2_error_link": (
        probes.error_links,
        {"moreInfo": ["moreInfo"], "moreInfoUrl": ["moreInfoUrl"], "both": ["moreInfo", "moreInfoUrl"]},
    ),
    "v2_401_status": (probes.denied("v2"), {"integer": 401, "text": "UNAUTHORIZED"}),
    "v2_content_type": (probes.untyped("v2"), {"any": 201, "415": 415, "500": 500}),
    "v2_both_filters": (
        probes.both_filters,
        {"referenceId": ["2", "3"], "guestRef": ["1", "3"], "both": ["3"], "refuse": 400},
    ),
    "v2_limit": (probes.limit("v2"), {"clamp": 100, "refuse": 400}),
    "v2_paging": (
        probes.paging("v2"),
        {
            "none": "",
            "first-last": "first-last",
            "first-last-next": "first-last-next",
            "all": "first-last-next-previous",
        },
    ),
    "v2_new_statuses": (probes.browsed, {"pass": ["BROWSED", "BROWSED"], "unknown": ["UNKNOWN", "BROWSED"]}),
    "v2_1_401_status": (probes.denied("v2.1"), {"integer": 401, "text": "UNAUTHORIZED"}),
    "v2_1_content_type": (probes.untyped("v2.1"), {"415": 415, "any": 201}),
    "v2_1_nulls": (
        probes.nulls,
        {
            "refuse": (400, "channel: must not be null.", "absent"),
            "accept": (201, None, None),
            "drop": (201, "absent", "absent"),
        },
    ),
    "v2_1_nested": (probes.status_of("v2.1", contacts={"items": []}), {"refuse": 400, "ignore": 201}),
    "v2_1_stamps": (probes.stamps, {"honour": ("0001", "2020"), "ignore": ("2025", "2025")}),
    "v2_1_timestamps": (probes.sub_second, {"seconds": ("Z", "Z"), "milliseconds": (".268Z", ".149Z")}),
    "v2_1_frozen": (
        lambda call: (probes.frozen_date(call), probes.frozen_reference(call)),
        {
            "refuse": ((400, "2025-12-19T12:07:18.149Z"), (400, "B94TXY-1")),
            "ignore": ((200, "2025-12-19T12:07:18.149Z"), (200, "B94TXY-1")),
            "accept": ((200, "2025-12-20T00:00:00.000Z"), (200, "moved")),
        },
    ),
    "v2_1_update_required": (probes.required, {"put": [400, 200], "both": [400, 400], "none": [200, 200]}),
    "v2_1_put_omitted": (
        probes.update("PUT", "v2.1", "cardType", cardType=...),
        {"remove": (200, None), "keep": (200, "Visa")},
    ),
    "v2_1_delete_status": (probes.deleted, {204: 204, 200: 200}),
    "v2_1_limit": (probes.limit("v2.1"), {"refuse": 400, "clamp": 100}),
    "v2_1_paging": (
        probes.paging("v2.1"),
        {
            "none": "",
            "first-last": "first-last",
            "first-last-next": "first-last-next",
            "all": "first-last-next-previous",
        },
    ),
    "unknown_fields": (
        probes.unknown,
        {
            "keep": [{"y": None}, {"y": None}, 201],
            "drop": [None, None, 201],
            "refuse": ["x: is not a known field.", "x: is not a known field.", 400],
        },
    ),
    "cors": (
        probes.cross_origin,
        {True: ("*", 200, "Accept, Authorization, Content-Type"), False: (None, 200, None)},
    ),
    "gzip": (probes.compressed, {True: "gzip", False: None}),
    "pretty": (probes.lines, {True: 6, False: 0}),
}
