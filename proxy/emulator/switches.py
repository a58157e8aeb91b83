"""What the documentation leaves open, one switch per question; the defaults are our belief.

A field's name begins with the version it is about. "F" numbers point into the fact sheet on the two versions.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeAlias, get_args, get_type_hints

Version: TypeAlias = Literal["v2", "v2.1"]
"""The two versions that are served over one store."""


class SwitchError(ValueError):
    """A switch that does not exist, or a value it cannot have; the text names the way out."""


@dataclass(frozen=True)
class Switches:
    """One field per open question; see each field for what the values mean."""

    v2_match: Literal["update", "create", "refuse"] = "update"
    """v2 create of a matching order (F§6.3): replace the old one, make a second one, or 409."""
    match_window: Literal["48h", "calendar", "off"] = "48h"
    """When orders of one reference match (F§6.1): up to 48 hours, or two UTC calendar days, apart; never."""
    v2_point_of_sale: Literal["require", "accept"] = "require"
    """v2 create and update without pointOfSale (F§10.7): 400, or taken as v2.1 takes it."""
    v2_update_status: Literal[200, 201] = 200
    """Status of a v2 update (F§10.3)."""
    v2_nested: Literal["ignore", "refuse"] = "ignore"
    """contact, contacts, consumers, orderItems inside a v2 order (F§10.9): not looked at, or 400."""
    v2_guest_ref: Literal["link", "ignore", "refuse"] = "link"
    """`?guestRef=` on a v2 create (F§10.8): the order is listed under that guest, nothing happens, or 400."""
    v2_delete: Literal["refuse", "delete"] = "refuse"
    """v2 DELETE of an order (F§10.30): 405, or the order is gone and the answer is 200."""
    v2_error_link: Literal["moreInfo", "moreInfoUrl", "both"] = "moreInfo"
    """Name of the link in a v2 error (F§10.5)."""
    v2_401_status: Literal["integer", "text"] = "integer"
    """`status` of a v2 401 (F§10.5): 401, or "UNAUTHORIZED"."""
    v2_content_type: Literal["any", "415", "500"] = "any"
    """A v2 body that is not labelled application/json (F§10.27): read all the same, or refused."""
    v2_both_filters: Literal["referenceId", "guestRef", "both", "refuse"] = "referenceId"
    """v2 list with both filters (F§10.21): the one that counts, both of them, or 400."""
    v2_limit: Literal["clamp", "refuse"] = "clamp"
    """v2 limit above 100 (F§10.22): taken as 100, or 400."""
    v2_paging: Literal["none", "first-last", "first-last-next", "all"] = "first-last"
    """Links of a v2 collection (F§10.23); all adds previous. A link that leads nowhere is left out."""
    v2_new_statuses: Literal["pass", "unknown"] = "pass"
    """How v2 shows BROWSED and SEARCHED (F§10.24): as they are, or as UNKNOWN."""
    v2_delete_status: Literal[204, 200] = 204
    """v2 DELETE of an item or an extension (F§10.4, F§7.2): 204, or 200 with what was deleted."""
    v2_old_types: Literal["keep", "modern"] = "keep"
    """Deprecated item types in a v2 request (F§2.3): stored as they are, or under today's word."""
    v2_foreign_words: Literal["pass", "sentinel"] = "pass"
    """An item's type or status that v2 does not list (F§6.11), on v2 reads: as it is, or OTHER and UNKNOWN."""
    v2_extension: Literal["by-ref", "by-name", "none"] = "by-ref"
    """v2 order extensions (F§10.17): `/ext{Name}` and `/ext{Name}/{ref}`, all at `/ext{Name}`, or 404."""
    v2_extension_key: Literal["default", "any"] = "default"
    """`key` of a v2 extension (F§10.18): default and nothing else, or any text."""
    v2_consumer_items: Literal["items", "href"] = "items"
    """A consumer's items on a v2 read of one (F§2.5): links, or the link to a list, as orders have it."""
    v2_1_401_status: Literal["text", "integer"] = "text"
    """`status` of a v2.1 401 (F§3.8): "UNAUTHORIZED", or 401."""
    v2_1_content_type: Literal["415", "any"] = "415"
    """A v2.1 body that is not labelled application/json: 415, or read all the same."""
    v2_1_nulls: Literal["refuse", "accept", "drop"] = "refuse"
    """null in a known optional v2.1 field (F§10.12): 400, stored and given back, or as if absent."""
    v2_1_nested: Literal["refuse", "ignore"] = "refuse"
    """contact, contacts, consumers, orderItems inside a v2.1 order (F§3.1): 400, or not looked at."""
    v2_1_stamps: Literal["honour", "ignore"] = "honour"
    """createdAt, modifiedAt in a v2.1 request (F§3.1): they overwrite the platform's own, or do nothing."""
    v2_1_timestamps: Literal["seconds", "milliseconds"] = "seconds"
    """How v2.1 prints a time (F§6.18); the store keeps milliseconds either way."""
    v2_1_frozen: Literal["refuse", "ignore", "accept"] = "refuse"
    """Another referenceId or orderedAt on PUT or PATCH (F§10.14): 400, the old one stays, the new one counts.

    A difference below a second is none, since v2.1 cannot print it.
    """
    v2_1_update_required: Literal["put", "both", "none"] = "put"
    """Which v2.1 updates must carry the required fields (F§10.15, F§3.3)."""
    v2_1_put_omitted: Literal["remove", "keep"] = "remove"
    """Optional fields that a PUT leaves out (F§10.16)."""
    v2_1_put_children: Literal["keep", "remove"] = "keep"
    """What hangs on an order that is PUT (F§6.7, F§10.16): stays, or goes."""
    v2_1_delete_status: Literal[204, 200] = 204
    """Status of a v2.1 DELETE, but of a contact, where 204 is documented (F§3.3, F§3.5)."""
    v2_1_limit: Literal["refuse", "clamp"] = "refuse"
    """v2.1 limit above 100 (F§10.22): 400, or taken as 100."""
    v2_1_paging: Literal["none", "first-last", "first-last-next", "all"] = "first-last-next"
    """Links of a v2.1 collection (F§3.2, F§10.23)."""
    v2_1_implied: Literal["serve", "refuse"] = "serve"
    """Calls of contacts and consumers that no v2.1 page shows (F§3.0): answered, or 405."""
    v2_1_expand: Literal["flag", "names", "both", "none"] = "flag"
    """`expand` on a v2.1 read of one order (F§10.19): `true`, names as in v2, either, or neither does anything."""
    v2_1_order_contacts: Literal["contacts", "guests"] = "contacts"
    """Whom the contacts of a v2.1 order link to (F§3.1): order contacts, or guests as in the page's sample."""
    v2_1_banned_types: Literal["exact", "any-case", "accept"] = "exact"
    """The seven item types that v2.1 forbids (F§10.11): 400 as spelled, 400 in any case, or taken."""
    v2_1_quantity: Literal["integer", "number"] = "integer"
    """quantity of a v2.1 item (F§6.13): whole digits or 400, or any number."""
    v2_1_flight_members: Literal["refuse", "ignore", "keep"] = "refuse"
    """flightSegments, passengerTypeCode in a v2.1 item (F§3.4): 400, not looked at, or stored and shown."""
    v2_1_item_ordered_at: Literal["keep", "ignore", "refuse"] = "keep"
    """orderedAt in a v2.1 item (F§3.4): stored and shown; not looked at and hidden; 400."""
    v2_1_person_required: Literal["firstName", "both", "none"] = "firstName"
    """What a v2.1 contact or consumer must carry (F§3.5): firstName, lastName too, or nothing."""
    v2_1_request_links: Literal["honour", "ignore", "refuse"] = "honour"
    """guest and orderItems in a v2.1 contact or consumer (F§10.10): as in v2, not looked at, or 400."""
    v2_1_contact_gone: Literal[404, 204] = 404
    """Status of a v2.1 DELETE of a contact that is not there (F§3.5: no 404 on the page)."""
    v2_1_consumer_status: Literal[200, 201] = 200
    """Status of a v2.1 read of a consumer (F§3.6: the page prints 201)."""
    v2_1_extension_missing: Literal["refuse", "create"] = "refuse"
    """v2.1 PUT and PATCH of an extension that is not there (F§3.7): 404, or it is made."""
    v2_1_extension_reserved: Literal["refuse", "ignore"] = "refuse"
    """`key` and other members that v2.1 sets itself in an extension's body (F§6.15): 400, or not looked at."""
    extension_match: Literal["refuse", "replace"] = "refuse"
    """Create of an extension that is there, in either version (F§3.7): 409, or the new pairs for the old."""
    links: Literal["version", "platform", "any"] = "version"
    """Links in requests (F§6.17): the platform's host and the own version, the host alone, or any; 400 else."""
    unknown_fields: Literal["keep", "drop", "refuse"] = "keep"
    """A member that no table knows, in either version (F§10.12): given back in both, forgotten, or 400.

    `href` and `ref` in a v2.1 request are refused with it; v2, which prints them itself, lets them pass.
    """
    cors: bool = True
    """Cross-origin headers for a caller that sends Origin (F§5)."""
    gzip: bool = True
    """Bodies over 512 bytes are compressed for a caller that accepts gzip."""
    pretty: bool = False
    """JSON with line breaks."""

    def changed(self, values: Mapping[str, Any]) -> Switches:
        """A copy with some switches set, values as text or as JSON has them; SwitchError for a wrong one."""
        return replace(self, **{name: _value(name, value) for name, value in values.items()})


def choices() -> dict[str, tuple[Any, ...]]:
    """Every switch with the values it can have, the default among them."""
    hints = get_type_hints(Switches)
    return {
        f.name: (True, False) if hints[f.name] is bool else get_args(hints[f.name]) for f in fields(Switches)
    }


def parse_switches(settings: Iterable[str]) -> Switches:
    """Switches from `name=value` words of a command line; SwitchError names the nearest valid ones."""
    values: dict[str, str] = {}
    for setting in settings:
        name, mark, value = setting.partition("=")
        if not mark:
            raise SwitchError(f"{setting!r} is not of the form name=value; for example v2_match=refuse")
        values[name.strip()] = value.strip()
    return Switches().changed(values)


def _value(name: str, value: object) -> Any:
    table = choices()
    if name not in table:
        near = difflib.get_close_matches(name, table, n=1, cutoff=0.0)
        raise SwitchError(
            f"there is no switch {name!r}; the nearest is {near[0]!r}, all are in docs/emulator.md"
        )
    text = value if isinstance(value, str) else json.dumps(value)
    for choice in table[name]:
        words = (
            (str(choice).lower(), "on" if choice else "off") if isinstance(choice, bool) else (str(choice),)
        )
        if text in words:
            return choice
    allowed = ", ".join(
        str(choice).lower() if isinstance(choice, bool) else str(choice) for choice in table[name]
    )
    raise SwitchError(f"switch {name} cannot be {text!r}; it can be {allowed}")
