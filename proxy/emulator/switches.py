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
    """Which v2.1 updates must carry the four required fields (F§10.15, F§3.3)."""
    v2_1_put_omitted: Literal["remove", "keep"] = "remove"
    """Optional fields that a PUT leaves out (F§10.16)."""
    v2_1_delete_status: Literal[204, 200] = 204
    """Status of a v2.1 DELETE of an order (F§3.3)."""
    v2_1_limit: Literal["refuse", "clamp"] = "refuse"
    """v2.1 limit above 100 (F§10.22): 400, or taken as 100."""
    v2_1_paging: Literal["none", "first-last", "first-last-next", "all"] = "first-last-next"
    """Links of a v2.1 collection (F§3.2, F§10.23)."""
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
