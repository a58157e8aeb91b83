"""Errors as the platform words them: one body per version (F§3.8, F§4)."""

from __future__ import annotations

from typing import Any

from proxy.emulator.switches import Switches, Version

MORE_INFO = "https://support.sitecore.com"
UNAUTHORIZED = (
    "Authentication credentials are required to access the resource. All requests must be authenticated."
)


class Problem(Exception):  # noqa: N818 - the HTTP word for an error that is an answer (RFC 9457)
    """A request that ends in an error answer; `developer` stays away where the documentation shows none."""

    def __init__(
        self,
        status: int,
        message: str,
        developer: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.developer = developer or message
        self.headers = headers


def error_body(problem: Problem, version: Version, switches: Switches) -> dict[str, Any]:
    """The members of an error body, in the documented order."""
    denied = problem.status == 401
    style = switches.v2_401_status if version == "v2" else switches.v2_1_401_status
    body: dict[str, Any] = {
        "status": "UNAUTHORIZED" if denied and style == "text" else problem.status,
        "code": problem.status,
        "message": problem.message,
    }
    if not (denied and version == "v2.1"):
        body["developerMessage"] = problem.developer
    link = switches.v2_error_link if version == "v2" else "moreInfoUrl"
    names = ("moreInfo", "moreInfoUrl") if link == "both" else (link,)
    return body | dict.fromkeys(names, MORE_INFO)
