"""The emulator's own endpoints under `/_emulator/`: switches, misbehaviour, the record. Loopback only."""

from __future__ import annotations

import dataclasses
from collections import deque
from ipaddress import ip_address
from typing import Any

import msgspec

from proxy.emulator.asked import Said
from proxy.emulator.misbehave import Mischief
from proxy.emulator.platform import Platform
from proxy.emulator.problems import Problem
from proxy.emulator.recorded import Recorded
from proxy.emulator.switches import SwitchError

CONTROL = "_emulator"


def control(
    asked: Recorded, name: str, platform: Platform, mischief: Mischief, record: deque[Recorded]
) -> Said:
    """Answer one call to an endpoint of the emulator itself; Problem 400, 404, 405."""
    match (asked.method, name):
        case ("GET", "requests"):
            return Said(200, {"requests": [request.shown() for request in record]})
        case ("DELETE", "requests"):
            record.clear()
            return Said(204)
        case ("GET" | "POST", "switches"):
            if asked.method == "POST":
                platform.switches = _changed(platform.switches.changed, _object(asked.body))
            return Said(200, dataclasses.asdict(platform.switches))
        case ("GET" | "POST", "misbehaviour"):
            if asked.method == "POST":
                _misbehave(mischief, _object(asked.body))
            return Said(200, {version: dataclasses.asdict(one) for version, one in mischief.table.items()})
        case (_, "requests" | "switches" | "misbehaviour"):
            raise Problem(405, "The method is not allowed for this resource.")
        case _:
            raise Problem(404, "There are requests, switches and misbehaviour here, nothing else.")


def _misbehave(mischief: Mischief, wanted: dict[str, Any]) -> None:
    """All versions or none: a fault in the second leaves the first as it was."""
    for version in wanted:
        if version not in mischief.table:
            raise Problem(400, f"there is no version {version!r}; there are 'v2' and 'v2.1'")
    table = {
        version: _changed(behaviour.changed, wanted[version])
        for version, behaviour in mischief.table.items()
        if version in wanted
    }
    for version, behaviour in table.items():
        mischief.set(version, behaviour)


def _changed(change: Any, values: Any) -> Any:
    if not isinstance(values, dict):
        raise Problem(400, "A JSON object of names and values is wanted.")
    try:
        return change(values)
    except SwitchError as error:
        raise Problem(400, str(error)) from error


def _object(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise Problem(400, "A JSON object of names and values is wanted.") from error


def demand_loopback(peer: str) -> None:
    """Problem 403 for an address that is not this machine's own."""
    try:
        near = ip_address(peer).is_loopback
    except ValueError:
        near = False
    if not near:
        raise Problem(403, "The emulator is steered from this machine only.")
